#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// Length of a bar. Anything that divides 24 h, or one week.
struct Timeframe {
  std::chrono::seconds length{60};

  friend constexpr auto operator<=>(Timeframe, Timeframe) = default;
  [[nodiscard]] constexpr std::chrono::nanoseconds nanos() const { return length; }
  /// The shortest form: `30s 1m 4h 1d 1w`; 60m is `1h`.
  [[nodiscard]] std::string name() const;
};

inline constexpr Timeframe kOneWeek{std::chrono::hours{7 * 24}};

/// Parses `Ns`, `Nm`, `Nh`, `1d` or `1w`. Returns nothing for other text and for lengths that do not divide 24 h.
std::optional<Timeframe> parse_timeframe(std::string_view text) noexcept;

}  // namespace tickpipe::internal
