#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace tickpipe::internal {

/// Bounded lock-free queue from any number of producers to one consumer.
///
/// Order:  what one producer pushes stays in order, and a span stays together.
/// Bound:  `capacity` elements, exactly; storage is the next power of two.
/// Cost:   a push is one compare-and-swap for the whole span and one release store per element; no allocation.
///
/// A producer claims a run of positions by advancing `tail_`, writes the elements and then stamps each slot with its
/// position + 1. The consumer takes slots as long as the stamp at its own position is the expected one, so a producer
/// that is slow between claim and stamp delays, but never tears, what others wrote behind it. Slots are claimed again
/// only once `head_` has passed them.
template <typename T>
class ManyToOneRing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit ManyToOneRing(std::size_t capacity)
      : capacity_(std::max<std::size_t>(capacity, 1)),
        mask_(std::bit_ceil(capacity_) - 1),
        slots_(std::make_unique<Slot[]>(mask_ + 1)) {}

  /// Pushes as many elements from the front of `items` as fit at once and returns their number. Any thread.
  std::size_t try_push(std::span<const T> items) noexcept {
    if (items.empty()) return 0;
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    std::uint64_t head = seen_head_.load(std::memory_order_acquire);
    std::size_t count = 0;
    do {
      count = room(tail, head, items.size());
      if (count == items.size()) continue;
      // Only now the line that the consumer writes all the time is fetched.
      head = head_.load(std::memory_order_acquire);
      seen_head_.store(head, std::memory_order_release);  // maybe older than another's: then it is fetched again
      count = room(tail, head, items.size());
      if (count == 0) {
        if (tail - head <= capacity_) return 0;
        tail = tail_.load(std::memory_order_relaxed);  // it is stale and lies behind `head`
      }
    } while (count == 0 || !tail_.compare_exchange_weak(tail, tail + count, std::memory_order_relaxed));
    for (std::size_t i = 0; i < count; ++i) {
      Slot& slot = slots_[(tail + i) & mask_];
      slot.item = items[i];
      slot.stamp.store(tail + i + 1, std::memory_order_release);
    }
    // The line that is written next was last read by the consumer, long ago: it is fetched while the caller goes on.
    __builtin_prefetch(&slots_[(tail + count) & mask_], 1);
    return count;
  }

  /// Hands up to `max` elements in order to `take(const T&)` and frees their slots at the end. Consumer thread only.
  template <typename Take>
  std::size_t drain(std::size_t max, Take take) {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    std::size_t count = 0;
    for (; count < max; ++count) {
      const Slot& slot = slots_[(head + count) & mask_];
      if (slot.stamp.load(std::memory_order_acquire) != head + count + 1) break;
      take(slot.item);
    }
    if (count != 0) head_.store(head + count, std::memory_order_release);
    return count;
  }

  /// Whether drain() would find nothing. Consumer thread only.
  [[nodiscard]] bool empty() const noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    return slots_[head & mask_].stamp.load(std::memory_order_acquire) != head + 1;
  }

  /// Elements claimed and not yet drained, as of now. Any thread.
  [[nodiscard]] std::size_t depth() const noexcept {
    const std::uint64_t head = head_.load(std::memory_order_acquire);
    const std::uint64_t tail = tail_.load(std::memory_order_acquire);
    return tail > head ? static_cast<std::size_t>(tail - head) : 0;
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  /// How many of `wanted` there is room for; 0 too for a `tail` behind `head`.
  [[nodiscard]] std::size_t room(std::uint64_t tail, std::uint64_t head, std::size_t wanted) const noexcept {
    const std::uint64_t used = tail - head;
    return used > capacity_ ? 0 : std::min(capacity_ - static_cast<std::size_t>(used), wanted);
  }

  struct alignas(64) Slot {  // one cache line for a quote and its stamp
    std::atomic<std::uint64_t> stamp{0};
    T item{};
  };

  const std::size_t capacity_;
  const std::size_t mask_;
  const std::unique_ptr<Slot[]> slots_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::atomic<std::uint64_t> seen_head_{0};  ///< as producers saw it last; never ahead of `head_`
  alignas(64) std::atomic<std::uint64_t> head_{0};
};

}  // namespace tickpipe::internal
