#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace tickpipe::internal {

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Range: 1677 to 2262 as an integer; ticks are only accepted within [kFirstTickTime, kEndOfTickTime).
struct UnixNanos {
  std::int64_t ns = 0;

  friend constexpr auto operator<=>(UnixNanos, UnixNanos) = default;
  friend constexpr UnixNanos operator+(UnixNanos t, std::chrono::nanoseconds d) { return {t.ns + d.count()}; }
  friend constexpr UnixNanos operator-(UnixNanos t, std::chrono::nanoseconds d) { return {t.ns - d.count()}; }
  friend constexpr std::chrono::nanoseconds operator-(UnixNanos a, UnixNanos b) {
    return std::chrono::nanoseconds{a.ns - b.ns};
  }
};

/// Before every time a tick can have; "nothing seen yet".
inline constexpr UnixNanos kNoTime{std::numeric_limits<std::int64_t>::min()};
/// After every time a tick can have.
inline constexpr UnixNanos kEndOfTime{std::numeric_limits<std::int64_t>::max()};

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNanosPerMilli = 1'000'000;

/// 1973-01-01T00:00:00Z: below it, seconds and milliseconds could not be told apart.
inline constexpr UnixNanos kFirstTickTime{94'694'400 * kNanosPerSecond};
/// 2262-01-01T00:00:00Z, exclusive: the last whole year that fits 64 bits.
inline constexpr UnixNanos kEndOfTickTime{9'214'646'400 * kNanosPerSecond};

}  // namespace tickpipe::internal
