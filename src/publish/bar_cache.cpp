#include "publish/bar_cache.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

std::vector<Bar>::iterator lower_bound(std::vector<Bar>& bars, UnixNanos open_time) {
  return std::lower_bound(bars.begin(), bars.end(), open_time,
                          [](const Bar& bar, UnixNanos time) { return bar.open_time < time; });
}

}  // namespace

// --- budget ---------------------------------------------------------------------------------------------------------

BarBudget::Handle BarBudget::enter(const User& user) {
  const std::lock_guard lock(mutex_);
  bytes_.fetch_add(user.bytes, std::memory_order_relaxed);
  users_.push_front(user);
  return users_.begin();
}

void BarBudget::leave(Handle handle) {
  const std::lock_guard lock(mutex_);
  bytes_.fetch_sub(handle->bytes, std::memory_order_relaxed);
  users_.erase(handle);
}

void BarBudget::resize(Handle handle, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_.fetch_add(bytes - handle->bytes, std::memory_order_relaxed);
  handle->bytes = bytes;
}

void BarBudget::touch(Handle handle) {
  const std::lock_guard lock(mutex_);
  users_.splice(users_.begin(), users_, handle);
}

std::optional<BarBudget::User> BarBudget::take_victim() {
  const std::lock_guard lock(mutex_);
  if (!is_exceeded() || users_.empty()) return std::nullopt;
  users_.splice(users_.begin(), users_, std::prev(users_.end()));
  return users_.front();
}

// --- series ---------------------------------------------------------------------------------------------------------

void BarSeries::put_open(const Bar& bar) {
  const auto at = lower_bound(open_, bar.open_time);
  if (at != open_.end() && at->open_time == bar.open_time) {
    *at = bar;
  } else {
    open_.insert(at, bar);
  }
}

void BarSeries::put_closed(const Bar& bar, bool keeps_all) {
  const auto at = lower_bound(open_, bar.open_time);
  if (at != open_.end() && at->open_time == bar.open_time) open_.erase(at);
  if (bar.tick_count == 0) return;  // trades only: never shown
  if (is_filling_) closed_meanwhile_.push_back(bar);
  if (keeps_all) is_cached_ = true;
  if (is_cached_) insert(bar);
}

void BarSeries::fill_cache(std::span<const Bar> newest_first, bool is_all) {
  const std::size_t count = std::min(newest_first.size(), kMaxClosed);
  closed_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) closed_.insert(0, newest_first[i]);
  complete_from_ = is_all && count == newest_first.size() ? kNoTime : newest_first[count - 1].open_time;
  is_cached_ = true;
  for (const Bar& bar : closed_meanwhile_) insert(bar);
  cancel_fill();
}

void BarSeries::cancel_fill() noexcept {
  is_filling_ = false;
  closed_meanwhile_ = {};
}

void BarSeries::drop_cache() noexcept {
  closed_.keep_last(0);
  complete_from_ = kNoTime;
  is_cached_ = false;
}

void BarSeries::halve_cache() {
  if (!closed_.empty()) drop_oldest((closed_.size() + 1) / 2);
  closed_.keep_last(closed_.size());
}

void BarSeries::insert(const Bar& bar) {
  if (bar.open_time < complete_from_) return;
  const auto is_before = [&](const Bar& other) { return other.open_time < bar.open_time; };
  std::size_t at =
      closed_.empty() || is_before(closed_[closed_.size() - 1]) ? closed_.size() : closed_.partition_point(is_before);
  if (at < closed_.size() && closed_[at].open_time == bar.open_time) {
    closed_[at] = bar;
    return;
  }
  if (closed_.is_full()) {
    if (at == 0) {
      complete_from_ = {bar.open_time.ns + 1};
      return;
    }
    drop_oldest(1);
    --at;
  }
  closed_.insert(at, bar);
}

void BarSeries::drop_oldest(std::size_t count) {
  complete_from_ = {closed_[count - 1].open_time.ns + 1};
  closed_.drop_front(count);
}

bool BarSeries::merge(const BarRange& range, std::span<const Bar> shown_open, bool is_all_there_is,
                      std::vector<Bar>* newest_first) const {
  if (range.limit == 0 || range.from >= range.to) return true;
  if (!is_cached_ && !is_all_there_is) return false;
  const bool is_complete = is_all_there_is || range.from >= complete_from_;
  std::size_t left = closed_.partition_point([&](const Bar& bar) { return bar.open_time < range.to; });
  const std::size_t size_before = newest_first != nullptr ? newest_first->size() : 0;
  std::size_t taken = 0;
  merge_newest_first(
      shown_open,
      [&]() -> const Bar* {
        if (left == 0 || closed_[left - 1].open_time < range.from) return nullptr;
        return &closed_[--left];
      },
      [&](const Bar& bar) {
        if (!is_complete && bar.open_time < complete_from_) return false;
        if (newest_first != nullptr) newest_first->push_back(bar);
        return ++taken < range.limit;
      });
  if (taken == range.limit || is_complete) return true;
  if (newest_first != nullptr) newest_first->resize(size_before);
  return false;
}

}  // namespace tickpipe::internal
