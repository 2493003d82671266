#include "store/seq_set.h"

#include <algorithm>
#include <iterator>

namespace tickpipe::internal {

std::uint64_t SeqSet::add(std::uint64_t first, std::uint64_t last, UnixNanos first_time, UnixNanos last_time) {
  Range range{last, first_time, last_time};
  std::uint64_t known = 0;
  auto it = ranges_.upper_bound(first);
  if (it != ranges_.begin() && std::prev(it)->second.last + 1 >= first) --it;
  while (it != ranges_.end() && it->first <= last + 1) {
    const std::uint64_t from = std::max(it->first, first);
    const std::uint64_t to = std::min(it->second.last, last);
    if (from <= to) known += to - from + 1;
    if (it->first < first) {
      first = it->first;
      range.first_time = it->second.first_time;
    }
    if (it->second.last > range.last) {
      range.last = it->second.last;
      range.last_time = it->second.last_time;
    }
    it = ranges_.erase(it);
  }
  ranges_.emplace_hint(it, first, range);
  return known;
}

bool SeqSet::contains(std::uint64_t seq) const {
  const auto it = ranges_.upper_bound(seq);
  return it != ranges_.begin() && std::prev(it)->second.last >= seq;
}

std::vector<SeqSet::Gap> SeqSet::gaps(std::uint64_t through) const {
  std::vector<Gap> gaps;
  Gap gap{1, 0, kNoTime, kEndOfTime};
  for (const auto& [first, range] : ranges_) {
    if (first > gap.first) {
      gap.last = std::min(first - 1, through);
      gap.before = range.first_time;
      if (gap.first <= gap.last) gaps.push_back(gap);
    }
    gap = {range.last + 1, 0, range.last_time, kEndOfTime};
  }
  gap.last = through;
  if (gap.first <= gap.last) gaps.push_back(gap);
  return gaps;
}

}  // namespace tickpipe::internal
