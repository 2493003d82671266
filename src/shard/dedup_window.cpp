#include "shard/dedup_window.h"

#include <algorithm>
#include <utility>

namespace tickpipe {

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
  const auto by_time = [](const Entry& e, UnixNanos t) { return e.ts < t; };
  for (auto it = std::lower_bound(late_.begin(), late_.end(), ts, by_time); it != late_.end() && it->ts == ts; ++it) {
    if (it->bid == bid && it->ask == ask) return true;
  }
  return false;
}

void DedupWindow::insert(UnixNanos ts, Price bid, Price ask, std::uint64_t batch, std::uint64_t committed,
                         std::chrono::nanoseconds window) {
  const Entry entry{ts, bid, ask, batch};
  if (size_ == 0 || ts >= at(size_ - 1).ts) {
    append(entry);
    const UnixNanos horizon = ts - window;
    while (at(0).batch <= committed && (at(0).ts < horizon || size_ > kMaxEntries)) {
      complete_from_ = std::max(complete_from_, UnixNanos{at(0).ts.ns + 1});
      first_ = (first_ + 1) & (ring_.size() - 1);
      --size_;
    }
    return;
  }
  const auto position =
      std::upper_bound(late_.begin(), late_.end(), ts, [](UnixNanos t, const Entry& e) { return t < e.ts; });
  late_.insert(position, entry);
  if (late_.size() >= sweep_at_) sweep_late(at(size_ - 1).ts - window, committed);
}

void DedupWindow::sweep_late(UnixNanos horizon, std::uint64_t committed) {
  std::erase_if(late_, [&](const Entry& e) {
    if (e.batch > committed || e.ts >= horizon) return false;
    complete_from_ = std::max(complete_from_, UnixNanos{e.ts.ns + 1});
    return true;
  });
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

}  // namespace tickpipe
