#include "serve/bar_fill.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

Bar flat_bar(const Interval& interval, Price price) {
  Bar bar;
  bar.open_time = interval.open;
  bar.close_time = interval.close;
  bar.open = bar.high = bar.low = bar.close = price;
  bar.is_closed = true;
  return bar;
}

constexpr std::chrono::nanoseconds kInstant{1};

}  // namespace

std::vector<Bar> fill_gaps(const std::vector<Bar>& bars, const FillRange& range,
                           const std::function<Interval(UnixNanos)>& interval_of,
                           const std::function<std::optional<Price>()>& close_before_from) {
  std::vector<Bar> newest_first;
  newest_first.reserve(range.limit);
  const auto is_full = [&] { return newest_first.size() >= range.limit; };

  // Fills backwards from `end`, an open time or the end of the range, down to the first open time not below `begin`.
  const auto fill = [&](UnixNanos end, UnixNanos begin, Price price) {
    while (!is_full() && end > begin) {
      const Interval interval = interval_of(end - kInstant);
      if (interval.open < begin) return;
      newest_first.push_back(flat_bar(interval, price));
      end = interval.open;
    }
  };

  if (bars.empty() && !range.from) return newest_first;
  std::optional<UnixNanos> end;  // open time of the bar after the gap
  if (range.to) {
    end = std::min(*range.to, range.now);
    if (const Interval last = interval_of(*end - kInstant); last.close > range.now) end = last.open;
  }
  for (auto bar = bars.rbegin(); bar != bars.rend() && !is_full(); ++bar) {
    if (end) fill(*end, bar->close_time, bar->close);
    if (is_full()) break;
    newest_first.push_back(*bar);
    end = bar->open_time;
  }
  if (!is_full() && range.from && end && *end > *range.from) {
    // Before its first bar the series needs a price from before the range.
    if (const auto price = close_before_from()) fill(*end, *range.from, *price);
  }
  std::reverse(newest_first.begin(), newest_first.end());
  return newest_first;
}

}  // namespace tickpipe::internal
