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
#include "store/tail.h"
#include "store/tick_cursor.h"

namespace tickpipe::internal {

/// Turns batches of shards into one atomic write. The same batches under the same position give the same keys.
/// Threads: one. Keeps its memory from commit to commit.
class CommitWriter {
 public:
  CommitWriter(const Rocks& rocks, const Tail& tail, std::vector<Timeframe> timeframes, const SymbolRegistry& symbols,
               const LpRegistry& lps)
      : rocks_(rocks), tail_(tail), timeframes_(std::move(timeframes)), symbols_(symbols), lps_(lps) {}

  /// The write that stores `batches` as commit `position`. Valid until the next call. If any of them amends quotes,
  /// Packer::packing() is held from before this until it was written.
  rocksdb::WriteBatch& build(Position position, std::span<const EventBatch* const> batches);
  /// Its log entry, without the ticks.
  [[nodiscard]] const LogEntry& entry() const noexcept { return entry_; }
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
  void add_amended(std::span<const EventBatch* const> batches);
  void put(rocksdb::ColumnFamilyHandle* family, std::string_view key, std::string_view value);

  const Rocks& rocks_;
  const Tail& tail_;
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
  RowEncoder rows_;
  std::vector<StoredChunk> rewritten_;  ///< by add_amended() in this commit
};

}  // namespace tickpipe::internal
