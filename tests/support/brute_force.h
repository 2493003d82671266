#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "model/bar.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal::testing {

/// A tick as far as bars are concerned, in the order of acceptance.
struct PricePoint {
  UnixNanos ts;
  Price price;
};

/// Bars by open time, folded the slow and obvious way: sort by time (stable), cut, take first, last, extremes, count.
inline std::map<UnixNanos, Bar> fold_brute_force(std::vector<PricePoint> points, Timeframe timeframe,
                                                 const TradingCalendar& calendar) {
  std::stable_sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
  std::map<UnixNanos, Bar> bars;
  for (const PricePoint& point : points) {
    const Interval interval = calendar.interval(timeframe, point.ts);
    const auto [it, is_new] = bars.try_emplace(interval.open);
    Bar& bar = it->second;
    if (is_new) {
      bar.open_time = interval.open;
      bar.close_time = interval.close;
      bar.open = bar.high = bar.low = point.price;
      bar.first_tick = point.ts;
    }
    bar.close = point.price;
    bar.last_tick = point.ts;
    bar.high = std::max(bar.high, point.price);
    bar.low = std::min(bar.low, point.price);
    ++bar.tick_count;
  }
  return bars;
}

/// The same value but for what depends on when it was folded.
inline Bar without_history(Bar bar) {
  bar.revision = 0;
  bar.is_closed = false;
  return bar;
}

inline std::map<UnixNanos, Bar> without_history(std::map<UnixNanos, Bar> bars) {
  for (auto& [open_time, bar] : bars) bar = without_history(bar);
  return bars;
}

}  // namespace tickpipe::internal::testing
