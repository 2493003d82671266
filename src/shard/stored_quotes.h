#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/history.h"
#include "model/ids.h"

namespace tickpipe::internal {

/// Answers whether a quote older than its dedup window was accepted before, from the store, a stretch at a time: a
/// file that is loaded again, or months in the wrong order, cost one read per some thousand ticks.
///
/// A stretch in memory is complete: it starts as what is stored plus what is not committed yet, and add() keeps it so.
/// Threads: owned by its shard.
class StoredQuotes {
 public:
  struct Entry {
    UnixNanos ts;
    Price bid;
    Price ask;
    LpId lp;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };
  /// Hands over every quote of the symbol in [from, to) that may not be committed yet.
  using Uncommitted = std::function<void(UnixNanos from, UnixNanos to, const std::function<void(const Entry&)>& take)>;

  explicit StoredQuotes(const History& history);

  /// May read the store and throw Error.
  bool contains(SymbolId symbol, const Entry& entry, const Uncommitted& uncommitted);

  /// The newest quote of `lp` with from <= ts_event <= ts, of several at one time that with the greatest prices. May
  /// read the store and throw Error.
  std::optional<Entry> newest_between(SymbolId symbol, LpId lp, UnixNanos from, UnixNanos ts,
                                      const Uncommitted& uncommitted);

  /// Tells of an accepted quote. Needed only for quotes before end().
  void add(SymbolId symbol, const Entry& entry);

  /// No stretch of any symbol reaches beyond this.
  [[nodiscard]] UnixNanos end() const noexcept { return end_; }

 private:
  struct Stretch {
    SymbolId symbol;
    UnixNanos from;
    UnixNanos to;
    std::uint64_t used = 0;
    std::vector<Entry> read;  ///< what was in the store, ascending
    std::set<Entry> added;    ///< what was not
  };
  Stretch* find(SymbolId symbol, UnixNanos ts);
  Stretch& load(SymbolId symbol, UnixNanos ts, const Uncommitted& uncommitted);

  const History& history_;
  std::vector<Stretch> stretches_;
  std::uint64_t uses_ = 0;
  std::chrono::nanoseconds look_behind_;  ///< of the next read
  UnixNanos end_ = kNoTime;
};

}  // namespace tickpipe::internal
