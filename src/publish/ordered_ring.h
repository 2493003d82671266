#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace tickpipe::internal {

/// A sequence in a ring that grows on demand up to a limit. Taking and dropping at the ends is O(1); an insert in
/// between moves the nearer end. What does not fit is dropped by the caller. Not thread-safe.
template <typename T>
class OrderedRing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit OrderedRing(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
  [[nodiscard]] bool is_full() const noexcept { return size_ >= limit_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return capacity_ * sizeof(T); }

  [[nodiscard]] T& operator[](std::size_t i) noexcept { return slots_[slot(i)]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return slots_[slot(i)]; }

  /// Puts `value` before element `i`. Must not be full.
  void insert(std::size_t i, const T& value) {
    if (size_ == capacity_) reallocate(std::min(limit_, std::max(kFirstCapacity, 2 * capacity_)));
    if (i >= size_ / 2) {
      for (std::size_t k = size_; k > i; --k) slots_[slot(k)] = slots_[slot(k - 1)];
    } else {
      begin_ = begin_ == 0 ? capacity_ - 1 : begin_ - 1;
      for (std::size_t k = 0; k < i; ++k) slots_[slot(k)] = slots_[slot(k + 1)];
    }
    ++size_;
    slots_[slot(i)] = value;
  }

  void drop_front(std::size_t count) noexcept {
    begin_ = count == size_ ? 0 : slot(count);
    size_ -= count;
  }

  /// Makes room for `count` elements at once, within the limit.
  void reserve(std::size_t count) {
    count = std::min(count, limit_);
    if (count > capacity_) reallocate(count);
  }

  /// Drops from the front what is beyond the new limit, and gives its memory back.
  void set_limit(std::size_t limit) {
    limit_ = limit;
    if (size_ > limit) drop_front(size_ - limit);
    if (capacity_ > limit) reallocate(size_);
  }

  /// Drops everything but the last `count` elements, and gives their memory back.
  void keep_last(std::size_t count) {
    if (size_ > count) drop_front(size_ - count);
    reallocate(size_);
  }

  /// Index of the first element for which `is_before` is false; it is true for all in front of that.
  template <typename Predicate>
  [[nodiscard]] std::size_t partition_point(Predicate is_before) const {
    std::size_t first = 0;
    for (std::size_t count = size_; count > 0;) {
      const std::size_t half = count / 2;
      if (is_before((*this)[first + half])) {
        first += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return first;
  }

 private:
  static constexpr std::size_t kFirstCapacity = 8;

  [[nodiscard]] std::size_t slot(std::size_t i) const noexcept {
    const std::size_t at = begin_ + i;
    return at < capacity_ ? at : at - capacity_;
  }

  void reallocate(std::size_t capacity) {
    std::unique_ptr<T[]> slots;
    if (capacity != 0) slots = std::make_unique_for_overwrite<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) slots[i] = slots_[slot(i)];
    slots_ = std::move(slots);
    capacity_ = capacity;
    begin_ = 0;
  }

  std::size_t limit_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::unique_ptr<T[]> slots_;
};

}  // namespace tickpipe::internal
