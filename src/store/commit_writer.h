#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/event_batch.h"
#include "model/name_registry.h"
#include "model/timeframe.h"
#include "store/log_entry.h"
#include "store/rocks.h"
#include "store/tick_cursor.h"

namespace tickpipe {

/// Turns batches of shards into one atomic write. The same batches under the same position give the same keys.
/// Threads: one. Keeps its memory from commit to commit.
class CommitWriter {
 public:
  CommitWriter(const Rocks& rocks, std::vector<Timeframe> timeframes, const SymbolRegistry& symbols,
               const LpRegistry& lps)
      : rocks_(rocks), timeframes_(std::move(timeframes)), symbols_(symbols), lps_(lps) {}

  /// The write that stores `batches` as commit `position`. Valid until the next call.
  rocksdb::WriteBatch& build(Position position, std::span<const EventBatch* const> batches);
  /// Tells that the last build() was written: its names need not be written again.
  void written() noexcept {
    stored_symbols_ = seen_symbols_;
    stored_lps_ = seen_lps_;
  }
  /// How many names the store holds already.
  void set_stored_names(std::size_t symbols, std::size_t lps) noexcept {
    stored_symbols_ = symbols;
    stored_lps_ = lps;
  }

 private:
  void add_names();
  /// Rewrites the chunks of quotes that are not late for bars any more.
  void add_amended(const EventBatch& batch);
  void add_ticks(Position position, const EventBatch& batch);
  void add_chunks(Position position, SymbolId symbol, std::span<const Tick*> ticks);
  void put(rocksdb::ColumnFamilyHandle* family, std::string_view key, std::string_view value);

  const Rocks& rocks_;
  const std::vector<Timeframe> timeframes_;
  const SymbolRegistry& symbols_;
  const LpRegistry& lps_;
  std::size_t stored_symbols_ = 0;
  std::size_t stored_lps_ = 0;
  std::size_t seen_symbols_ = 0;
  std::size_t seen_lps_ = 0;

  rocksdb::WriteBatch write_;
  LogEntry entry_;
  std::string key_;
  std::string value_;
  // Grouping by symbol: a counting sort over the symbols of the batch.
  std::vector<std::uint32_t> group_of_;  ///< by symbol; 0 = not in this batch, else index + 1
  std::vector<SymbolId> group_symbols_;
  std::vector<std::size_t> group_ends_;
  std::vector<const Tick*> grouped_;
  std::vector<StoredChunk> rewritten_;  ///< by add_amended() in this commit
};

}  // namespace tickpipe
