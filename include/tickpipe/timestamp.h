#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

#include "tickpipe/export.h"

namespace tickpipe {

/// The moment of a quote: nanoseconds since 1970, UTC.
///
/// Made from a std::chrono::system_clock::time_point, or from an integer whose size tells its unit: below 1e11 seconds,
/// below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. Times before 1973 and after 2261 are refused as
/// bad timestamps. none() means that the LP sent no time: the time of receipt is taken instead.
class TICKPIPE_API Timestamp {
 public:
  template <typename Duration>
  // NOLINTNEXTLINE(google-explicit-constructor): meant to be
  constexpr Timestamp(std::chrono::time_point<std::chrono::system_clock, Duration> time) noexcept
      : nanos_(nanos_of(time.time_since_epoch())) {}
  template <std::integral Integer>
  // NOLINTNEXTLINE(google-explicit-constructor): meant to be
  constexpr Timestamp(Integer number) noexcept : nanos_(guess(static_cast<std::int64_t>(number))) {}
  [[nodiscard]] static constexpr Timestamp from_nanos(std::int64_t nanos) noexcept {
    Timestamp time = none();
    time.nanos_ = nanos;
    return time;
  }
  [[nodiscard]] static constexpr Timestamp none() noexcept { return Timestamp(None{}); }

  [[nodiscard]] constexpr bool is_none() const noexcept { return nanos_ == kNone; }
  /// Nanoseconds since 1970.
  [[nodiscard]] constexpr std::int64_t nanos() const noexcept { return nanos_; }
  [[nodiscard]] constexpr std::chrono::sys_time<std::chrono::nanoseconds> time() const noexcept {
    return std::chrono::sys_time<std::chrono::nanoseconds>{std::chrono::nanoseconds{nanos_}};
  }
  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) noexcept = default;

 private:
  struct None {};
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kTooFar = std::numeric_limits<std::int64_t>::max();
  constexpr explicit Timestamp(None /*none*/) noexcept {}

  static constexpr std::int64_t scaled(std::int64_t number, std::int64_t factor) noexcept {
    if (number > kTooFar / factor) return kTooFar;
    if (number < -(kTooFar / factor)) return -kTooFar;
    return number * factor;
  }
  static constexpr std::int64_t guess(std::int64_t number) noexcept {
    const auto is_below = [number](std::int64_t limit) { return number < limit && number > -limit; };
    if (is_below(100'000'000'000)) return scaled(number, 1'000'000'000);
    if (is_below(100'000'000'000'000)) return scaled(number, 1'000'000);
    if (is_below(100'000'000'000'000'000)) return scaled(number, 1'000);
    return number == kNone ? -kTooFar : number;
  }
  template <typename Rep, typename Period>
  static constexpr std::int64_t nanos_of(std::chrono::duration<Rep, Period> since_epoch) noexcept {
    using Nanos = std::chrono::duration<long double, std::nano>;
    if constexpr (std::ratio_less_equal_v<Period, std::nano>) {
      return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
    } else {
      const long double nanos = Nanos(since_epoch).count();
      if (nanos >= static_cast<long double>(kTooFar)) return kTooFar;
      if (nanos <= -static_cast<long double>(kTooFar)) return -kTooFar;
      return std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
    }
  }

  std::int64_t nanos_ = kNone;
};

}  // namespace tickpipe
