#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/unix_nanos.h"
#include "model/event_batch.h"
#include "store/chunk_codec.h"
#include "store/keys.h"
#include "store/log_entry.h"

namespace tickpipe::internal {

/// The commits that are in the log and not in chunks yet, in memory, so that they can be read by symbol and time.
///
/// They are kept in runs of commits: the newest run grows, the others wait to be packed. Threads: whoever calls holds
/// Rocks::view, which also is what makes the tail and the chunks in the database fit together. A run that waits changes
/// in the flags of amended ticks only, see amend().
class Tail {
 public:
  /// Of one symbol, in the order of acceptance.
  struct Records {
    std::vector<StoredTick> ticks;
    bool is_ascending = true;  ///< by ts_event
  };
  struct Run {
    Position first;
    Position last;
    std::vector<Records> by_symbol;
    std::vector<SymbolId> symbols;  ///< that have ticks, in no order
    LogEntry rest;                  ///< bars, closes and amended with their positions
    std::size_t weight = 0;         ///< things in it
  };

  /// Adds a commit, which follows the one before.
  void add(Position position, std::span<const Tick> ticks);
  /// Adds what the commit that add() told of did besides.
  void add_rest(Position position, const LogEntry& entry);
  /// Gives quotes the flags they have from now on; those that are not here are left alone.
  void amend(std::span<const Tick> amended);

  /// The quote, or null.
  [[nodiscard]] const Tick* find(SymbolId symbol, std::uint64_t seq) const;
  /// Appends records of the symbol with from <= ts_event < to, in the order of acceptance.
  void copy(SymbolId symbol, UnixNanos from, UnixNanos to, std::vector<Tick>& out) const;
  /// Whether the symbol has records with from <= ts_event < to.
  [[nodiscard]] bool has(SymbolId symbol, UnixNanos from, UnixNanos to) const;

  [[nodiscard]] std::size_t newest_weight() const noexcept { return runs_.empty() ? 0 : runs_.back()->weight; }
  [[nodiscard]] std::size_t symbol_count() const noexcept { return runs_.empty() ? 0 : runs_.back()->symbols.size(); }
  /// Lets the newest run wait to be packed; the next commit begins another.
  void close_newest() noexcept { is_newest_closed_ = !runs_.empty(); }
  /// How many runs wait to be packed.
  [[nodiscard]] std::size_t waiting() const noexcept {
    return runs_.empty() || is_newest_closed_ ? runs_.size() : runs_.size() - 1;
  }
  /// The oldest run that waits; there is one.
  [[nodiscard]] std::shared_ptr<const Run> oldest() const { return runs_.front(); }
  void drop_oldest() { runs_.pop_front(); }

 private:
  Run& newest();

  std::deque<std::shared_ptr<Run>> runs_;
  bool is_newest_closed_ = false;
};

}  // namespace tickpipe::internal
