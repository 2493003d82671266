#pragma once

#include <cstdint>

#include "core/unix_nanos.h"

namespace tickpipe::internal {

inline constexpr std::int64_t kNanosPerDay = 86400 * kNanosPerSecond;

/// The UTC day of a tick's time, counted from 1970-01-01 as day 0.
constexpr std::int32_t utc_day(UnixNanos t) noexcept {
  return static_cast<std::int32_t>(t.ns >= 0 ? t.ns / kNanosPerDay : (t.ns + 1) / kNanosPerDay - 1);
}
/// The first instant of a day that a tick can have, or of the day after such a one.
constexpr UnixNanos start_of_utc_day(std::int32_t day) noexcept { return {day * kNanosPerDay}; }

}  // namespace tickpipe::internal
