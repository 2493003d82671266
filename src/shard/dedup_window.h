#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include "core/price.h"
#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// The accepted quotes of one LP and symbol that can be compared in memory: those of the newest `window` of event time,
/// and all that are not committed yet, so that what is not found here can be looked up in the store.
///
/// Quotes in order of time, the normal case, are appended to a ring; late ones go to a tree, and so do those of a long
/// run of equal times, so that no input makes a look-up slow. The ring grows on demand to the quotes of one window, 32
/// bytes each, and at most to kMaxEntries; beyond, complete_from() moves up and the store answers for the rest.
///
/// Threads: owned by its shard. Cost: insert in order O(1); contains() O(log n).
class DedupWindow {
 public:
  static constexpr std::size_t kMaxEntries = std::size_t{1} << 20;

  /// For an LP and symbol that had quotes before this process started: what is at or below `newest` is in the store.
  void assume_stored_through(UnixNanos newest) noexcept {
    complete_from_ = newest == kNoTime ? kNoTime : UnixNanos{newest.ns + 1};
  }

  [[nodiscard]] bool contains(UnixNanos ts, Price bid, Price ask) const noexcept;

  /// The newest quote in here at or before `ts`, of several at one time that with the greatest prices; null without
  /// one. Valid until the next insert().
  struct Entry;
  [[nodiscard]] const Entry* newest_at(UnixNanos ts) const noexcept;

  /// Every accepted quote with ts_event >= complete_from() is in here.
  [[nodiscard]] UnixNanos complete_from() const noexcept { return complete_from_; }

  /// Adds a quote that is not in here. `batch` is the number of the batch that carries it, `committed` that of the
  /// newest committed one, `window` the length of time that is kept.
  void insert(UnixNanos ts, Price bid, Price ask, std::uint64_t batch, std::uint64_t committed,
              std::chrono::nanoseconds window);

  /// Hands every quote with from <= ts < to to `take(ts, bid, ask)`.
  template <typename Take>
  void for_each(UnixNanos from, UnixNanos to, Take take) const {
    for (std::size_t i = lower_bound(from); i < size_ && at(i).ts < to; ++i) take(at(i).ts, at(i).bid, at(i).ask);
    for (auto it = late_.lower_bound(first_at(from)); it != late_.end() && it->ts < to; ++it) {
      take(it->ts, it->bid, it->ask);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_ + late_.size(); }

  struct Entry {
    UnixNanos ts;
    Price bid;
    Price ask;
    std::uint64_t batch = 0;
  };

 private:
  static_assert(sizeof(Entry) == 32);
  struct ByValue {
    bool operator()(const Entry& a, const Entry& b) const noexcept {
      return std::tie(a.ts, a.bid, a.ask) < std::tie(b.ts, b.bid, b.ask);
    }
  };
  /// Sorts before every real entry at `ts`.
  static Entry first_at(UnixNanos ts) noexcept {
    return {ts, Price{std::numeric_limits<std::int64_t>::min()}, Price{std::numeric_limits<std::int64_t>::min()}};
  }

  [[nodiscard]] const Entry& at(std::size_t i) const noexcept { return ring_[(first_ + i) & (ring_.size() - 1)]; }
  /// Index of the first ring entry at or after `ts`.
  [[nodiscard]] std::size_t lower_bound(UnixNanos ts) const noexcept;
  void append(const Entry& entry);
  void grow();
  void sweep_late(UnixNanos horizon, std::uint64_t committed);

  std::vector<Entry> ring_;  ///< size is 0 or a power of two; ascending by ts from first_
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::size_t equal_times_ = 0;  ///< how many entries at the end of the ring share their time
  std::set<Entry, ByValue> late_;
  std::size_t sweep_at_ = 1024;
  UnixNanos complete_from_ = kNoTime;
};

}  // namespace tickpipe::internal
