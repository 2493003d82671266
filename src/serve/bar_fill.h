#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "core/unix_nanos.h"
#include "model/bar.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {

/// What bounds a series of bars without holes.
struct FillRange {
  std::optional<UnixNanos> from;  ///< first open time, when the close of a bar before it is known
  /// Open times end before it; nothing = with the last bar. Behind the last bar only what has ended at `now` is filled.
  std::optional<UnixNanos> to;
  UnixNanos now;
  std::size_t limit = 0;
};

/// Puts a flat bar (all prices the close before it, no ticks, closed) into every interval that has none. `bars` are the
/// newest `limit` of the range, ascending, or all there are; so is what is returned. `interval_of` gives the interval
/// that contains a time. `close_before_from` is asked at most once, and only if it matters: the close of the newest bar
/// that opens before `from`. Cost: O(limit) calls of `interval_of`.
std::vector<Bar> fill_gaps(const std::vector<Bar>& bars, const FillRange& range,
                           const std::function<Interval(UnixNanos)>& interval_of,
                           const std::function<std::optional<Price>()>& close_before_from);

}  // namespace tickpipe::internal
