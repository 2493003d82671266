#pragma once

#include <rocksdb/write_batch.h>

#include <string>
#include <vector>

#include "store/chunk_codec.h"
#include "store/log_entry.h"
#include "store/rocks.h"
#include "store/tail.h"

namespace tickpipe::internal {

/// Turns a run of commits into chunks and one log entry. Keeps its memory from run to run. Threads: one.
class RunPacker {
 public:
  /// Adds the chunks of all ticks of `run`, sorted, and the entry of commits `entry.first` to `last`, which tells of
  /// them and of what `entry` holds already. Throws Error.
  void pack(const Rocks& rocks, const Tail::Run& run, LogEntry entry, Position last, rocksdb::WriteBatch& write);

 private:
  void add_chunks(const Rocks& rocks, SymbolId symbol, const Tail::Records& records, Position position, LogEntry& entry,
                  rocksdb::WriteBatch& write);

  std::uint32_t next_ordinal_ = 0;
  std::vector<StoredTick> sorted_;
  std::string key_;
  std::string value_;
};

}  // namespace tickpipe::internal
