#include "shard/dedup_window.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal {
namespace {

/// Entries of one time that are searched one by one.
constexpr std::size_t kMostEqualTimes = 32;

}  // namespace

std::size_t DedupWindow::lower_bound(UnixNanos ts) const noexcept {
  std::size_t low = 0;
  std::size_t high = size_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (at(middle).ts < ts) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool DedupWindow::contains(UnixNanos ts, Price bid, Price ask) const noexcept {
  for (std::size_t i = lower_bound(ts); i < size_ && at(i).ts == ts; ++i) {
    if (at(i).bid == bid && at(i).ask == ask) return true;
  }
  return late_.contains(Entry{ts, bid, ask});
}

const DedupWindow::Entry* DedupWindow::newest_at(UnixNanos ts) const noexcept {
  const Entry* newest = nullptr;
  for (std::size_t i = lower_bound(UnixNanos{ts.ns + 1}); i != 0; --i) {
    const Entry& entry = at(i - 1);
    if (newest != nullptr && entry.ts != newest->ts) break;
    if (newest == nullptr || ByValue{}(*newest, entry)) newest = &entry;
  }
  auto late = late_.lower_bound(first_at(UnixNanos{ts.ns + 1}));
  if (late == late_.begin()) return newest;
  --late;
  return newest == nullptr || ByValue{}(*newest, *late) ? &*late : newest;
}

void DedupWindow::insert(UnixNanos ts, Price bid, Price ask, std::uint64_t batch, std::uint64_t committed,
                         std::chrono::nanoseconds window) {
  const Entry entry{ts, bid, ask, batch};
  const bool is_in_order = size_ == 0 || ts >= at(size_ - 1).ts;
  const bool repeats_time = size_ != 0 && ts == at(size_ - 1).ts;
  if (is_in_order && !(repeats_time && equal_times_ >= kMostEqualTimes)) {
    equal_times_ = repeats_time ? equal_times_ + 1 : 1;
    append(entry);
    const UnixNanos horizon = ts - window;
    while (at(0).batch <= committed && (at(0).ts < horizon || size_ > kMaxEntries)) {
      complete_from_ = std::max(complete_from_, UnixNanos{at(0).ts.ns + 1});
      first_ = (first_ + 1) & (ring_.size() - 1);
      --size_;
    }
    return;
  }
  late_.insert(entry);
  if (late_.size() >= sweep_at_) sweep_late(at(size_ - 1).ts - window, committed);
}

void DedupWindow::sweep_late(UnixNanos horizon, std::uint64_t committed) {
  const auto leaves = [&](const Entry& e) { return e.batch <= committed && (e.ts < horizon || size() > kMaxEntries); };
  for (auto it = late_.begin(); it != late_.end();) {
    if (!leaves(*it)) {
      ++it;
      continue;
    }
    complete_from_ = std::max(complete_from_, UnixNanos{it->ts.ns + 1});
    it = late_.erase(it);
  }
  sweep_at_ = std::max<std::size_t>(1024, late_.size() * 2);
}

void DedupWindow::append(const Entry& entry) {
  if (size_ == ring_.size()) grow();
  ring_[(first_ + size_) & (ring_.size() - 1)] = entry;
  ++size_;
}

void DedupWindow::grow() {
  std::vector<Entry> larger(std::max<std::size_t>(ring_.size() * 2, 16));
  for (std::size_t i = 0; i < size_; ++i) larger[i] = at(i);
  ring_ = std::move(larger);
  first_ = 0;
}

}  // namespace tickpipe::internal
