#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "model/bar.h"
#include "publish/ordered_ring.h"

namespace tickpipe::internal {

struct SymbolView;

/// Which bars of a series: open times within [from, to), the newest `limit`.
struct BarRange {
  UnixNanos from;
  UnixNanos to;
  std::size_t limit = 0;
};

/// Bounds the memory of all cached closed bars together: knows who uses how much and who was asked for least recently.
/// Threads: any. Calls may be made under the lock of a symbol; it takes no other lock itself.
class BarBudget {
 public:
  struct User {
    SymbolView* symbol = nullptr;
    std::size_t timeframe_index = 0;
    std::size_t bytes = 0;
  };
  using Handle = std::list<User>::iterator;

  explicit BarBudget(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// A new user, as the one that was asked for last.
  [[nodiscard]] Handle enter(const User& user);
  void leave(Handle handle);
  void resize(Handle handle, std::size_t bytes);
  /// Notes that it was asked for.
  void touch(Handle handle);

  [[nodiscard]] bool is_exceeded() const noexcept { return bytes() > max_bytes_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  /// Who is to give memory back; nothing when all is well. It counts as asked for from now on, so that the next call
  /// names the next.
  [[nodiscard]] std::optional<User> take_victim();

 private:
  const std::size_t max_bytes_;
  std::atomic<std::size_t> bytes_{0};
  std::mutex mutex_;
  std::list<User> users_;  ///< asked for last first
};

/// The bars of one symbol and timeframe as far as they are in memory: all open ones, and in the cache the newest closed
/// ones. Guarded by the lock of its symbol.
class BarSeries {
 public:
  static constexpr std::size_t kMaxClosed = 1000;

  /// Ascending by open time; one above the base lacks what open base bars hold.
  [[nodiscard]] const std::vector<Bar>& open() const noexcept { return open_; }
  void put_open(const Bar& bar);
  /// Removes the open bar of the same open time. The closed one is taken into the cache if there is one, or if the
  /// series `keeps_all`: nothing else holds closed bars.
  void put_closed(const Bar& bar, bool keeps_all);

  [[nodiscard]] bool is_cached() const noexcept { return is_cached_; }
  /// From here to fill_cache() or cancel_fill() closed bars are noted, so that none is lost.
  void begin_fill() { is_filling_ = true; }
  /// Starts the cache with what a store holds, at a moment after begin_fill(): the newest closed bars, descending.
  /// `is_all` tells that there are no others.
  void fill_cache(std::span<const Bar> newest_first, bool is_all);
  void cancel_fill() noexcept;
  void drop_cache() noexcept;
  /// Drops the older half of the cache.
  void halve_cache();
  /// Of the cached bars.
  [[nodiscard]] std::size_t cached_bytes() const noexcept { return closed_.bytes(); }

  /// Whether `shown_open` and the cache provably hold the answer. With `is_all_there_is` nothing is kept elsewhere.
  [[nodiscard]] bool can_answer(const BarRange& range, std::span<const Bar> shown_open, bool is_all_there_is) const {
    return merge(range, shown_open, is_all_there_is, nullptr);
  }
  /// Appends the answer, descending; false, and nothing appended, when the answer may need what is not in here.
  bool answer(const BarRange& range, std::span<const Bar> shown_open, bool is_all_there_is,
              std::vector<Bar>& newest_first) const {
    return merge(range, shown_open, is_all_there_is, &newest_first);
  }

  std::optional<BarBudget::Handle> budget;  ///< while the cache holds memory

 private:
  bool merge(const BarRange& range, std::span<const Bar> shown_open, bool is_all_there_is,
             std::vector<Bar>* newest_first) const;
  void insert(const Bar& bar);
  void drop_oldest(std::size_t count);

  std::vector<Bar> open_;
  bool is_cached_ = false;
  bool is_filling_ = false;
  UnixNanos complete_from_ = kNoTime;  ///< every closed bar from this open time on is cached
  OrderedRing<Bar> closed_{kMaxClosed};
  std::vector<Bar> closed_meanwhile_;
};

/// Merges closed and open bars, both descending, into the newest `limit`; of two with one open time the closed one.
/// Calls `take(bar)` until it returns false; `next_closed()` gives null at the end.
template <typename NextClosed, typename Take>
void merge_newest_first(std::span<const Bar> open_ascending, NextClosed next_closed, Take take) {
  const Bar* closed = next_closed();
  for (std::size_t left = open_ascending.size(); left > 0 || closed != nullptr;) {
    const Bar* open = left > 0 ? &open_ascending[left - 1] : nullptr;
    if (open != nullptr && (closed == nullptr || open->open_time > closed->open_time)) {
      if (!take(*open)) return;
      --left;
      continue;
    }
    if (open != nullptr && open->open_time == closed->open_time) --left;
    if (!take(*closed)) return;
    closed = next_closed();
  }
}

}  // namespace tickpipe::internal
