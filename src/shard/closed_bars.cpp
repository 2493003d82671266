#include "shard/closed_bars.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

bool opens_before(const ClosedBar& closed, UnixNanos open_time) { return closed.bar.open_time < open_time; }

}  // namespace

ClosedBar* ClosedBars::find(UnixNanos open_time) noexcept {
  const auto it = std::lower_bound(bars_.begin(), bars_.end(), open_time, opens_before);
  return it != bars_.end() && it->bar.open_time == open_time ? &*it : nullptr;
}

ClosedBar& ClosedBars::insert(const ClosedBar& bar) {
  const auto it = std::lower_bound(bars_.begin(), bars_.end(), bar.bar.open_time, opens_before);
  return *bars_.insert(it, bar);
}

void ClosedBars::drop_unchanged() {
  std::erase_if(bars_, [](const ClosedBar& b) { return !b.is_dirty && b.batch == 0; });
}

UnixNanos ClosedBars::trim(std::uint64_t committed) {
  if (bars_.size() <= 2 * kKeep) return kNoTime;
  const auto can_go = [committed](const ClosedBar& b) { return !b.is_dirty && b.batch <= committed; };
  std::vector<std::uint64_t> batches;
  for (const ClosedBar& b : bars_) {
    if (can_go(b)) batches.push_back(b.batch);
  }
  if (batches.size() <= kKeep) return kNoTime;
  // The newest kKeep stay; among equals of the batch at the limit the later bars do.
  const auto limit = batches.end() - static_cast<std::ptrdiff_t>(kKeep);
  std::nth_element(batches.begin(), limit, batches.end());
  const std::uint64_t oldest_kept = *limit;
  std::size_t excess = batches.size() - kKeep;
  UnixNanos forgotten = kNoTime;
  std::erase_if(bars_, [&](const ClosedBar& b) {
    if (excess == 0 || !can_go(b) || b.batch > oldest_kept) return false;
    --excess;
    forgotten = std::max(forgotten, b.bar.open_time);
    return true;
  });
  return forgotten;
}

}  // namespace tickpipe::internal
