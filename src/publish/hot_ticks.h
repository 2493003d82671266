#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/tick.h"
#include "publish/ordered_ring.h"
#include "publish/tick_range.h"

namespace tickpipe::internal {

/// The newest quotes of one symbol by (ts_event, seq), in that order, and from which place on they are all there are.
///
/// Memory:  40 bytes a quote, 56 in a symbol of which any quote came with sizes; grows on demand.
/// Cost:    add() O(1) for a quote that is newer than the others or nearly so; an older one moves the nearer end.
/// Threads: not thread-safe.
class HotTicks {
 public:
  HotTicks(SymbolId symbol, std::size_t limit);

  /// Takes over a symbol that has quotes up to `newest_seq` elsewhere, the newest of them at `newest`.
  void start_after(std::uint64_t newest_seq, UnixNanos newest);

  /// Takes in a quote; quotes come in the order of seq. Returns false when its place is below complete_from(): it is
  /// not kept then.
  bool add(const Tick& tick);

  /// Takes over the flags of a quote, if it is in here.
  void amend(const Tick& tick);

  /// Puts what a store holds right below `place` underneath, if `place` is still complete_from(). `older` is ascending
  /// and without holes; `is_all` tells that there is nothing below it.
  void fill_below(const TickPlace& place, std::span<const Tick> older, bool is_all);

  /// When it shrinks, the oldest are dropped.
  void set_limit(std::size_t limit);

  struct Request {
    TickRange range;
    bool newest_first = true;
    std::size_t limit = 0;
    bool is_all_there_is = false;  ///< nothing is kept elsewhere: what is not in here does not exist
  };
  /// Whether this memory provably holds the answer.
  [[nodiscard]] bool can_answer(const Request& request) const;
  /// Appends the answer and sets `has_more`; false, and nothing changed, when the answer may need what is not in here.
  bool answer(const Request& request, std::vector<Tick>& out, bool& has_more) const;

  /// Every quote at or above this place is in memory.
  [[nodiscard]] const TickPlace& complete_from() const noexcept { return complete_from_; }
  [[nodiscard]] std::uint64_t newest_seq() const noexcept { return newest_seq_; }
  [[nodiscard]] std::size_t size() const noexcept { return ticks_.size(); }
  [[nodiscard]] std::size_t limit() const noexcept { return ticks_.limit(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return ticks_.bytes() + sizes_.bytes(); }
  /// Event time from the oldest to the newest.
  [[nodiscard]] std::chrono::nanoseconds span() const noexcept;

 private:
  struct HotTick {
    UnixNanos ts_event;
    UnixNanos ts_recv;
    Price bid;
    Price ask;
    std::uint32_t seq_low = 0;
    LpId lp;
    std::uint8_t flags = 0;
  };
  static_assert(sizeof(HotTick) == 40);
  struct Sizes {
    Quantity bid;
    Quantity ask;
  };
  struct Found {
    std::size_t first = 0;  ///< indices [first, last) are within the range; those above max_seq are to be skipped
    std::size_t last = 0;
    bool is_proven = false;
    bool has_more = false;
  };

  /// A seq in here is less than 2^32 behind the newest.
  [[nodiscard]] std::uint64_t full_seq(std::uint32_t low) const noexcept {
    return newest_seq_ - (static_cast<std::uint32_t>(newest_seq_) - low);
  }
  [[nodiscard]] TickPlace place(const HotTick& tick) const noexcept { return {tick.ts_event, full_seq(tick.seq_low)}; }
  [[nodiscard]] std::size_t index_of(const TickPlace& place) const;
  [[nodiscard]] Tick tick_at(std::size_t i) const;
  [[nodiscard]] Found find(const Request& request) const;
  void insert(std::size_t i, const Tick& tick);
  void drop_oldest(std::size_t count);
  /// A quote at `place` exists and is not in here.
  void complete_above(const TickPlace& place);

  SymbolId symbol_;
  std::uint64_t newest_seq_ = 0;
  TickPlace complete_from_ = kFirstPlace;
  bool is_below_known_ = false;  ///< a quote exists right below complete_from_, with the seq below it
  bool has_sizes_ = false;
  OrderedRing<HotTick> ticks_;
  OrderedRing<Sizes> sizes_;  ///< of the same index, when has_sizes_
};

}  // namespace tickpipe::internal
