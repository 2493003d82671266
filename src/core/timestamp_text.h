#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// How the digits of a timestamp count. kAuto tells the unit from the magnitude: below 1e11 seconds, below 1e14
/// milliseconds, below 1e17 microseconds, else nanoseconds.
enum class TimeUnit : std::uint8_t { kAuto, kSeconds, kMillis, kMicros, kNanos };

/// Parses a timestamp in any accepted form: a JSON number (fractions and exponents allowed) in `unit`, or, with kAuto,
/// ISO 8601 / RFC 3339 date and time with `T` or a space between them, a fraction of any length, and `Z`, an offset, or
/// nothing for UTC. Digits below a nanosecond are cut off.
///
/// Returns nothing for any other text and for times outside [kFirstTickTime, kEndOfTickTime).
std::optional<UnixNanos> parse_timestamp(std::string_view text, TimeUnit unit = TimeUnit::kAuto) noexcept;

/// The same for a bound of a range: a time outside of what ticks can have is moved to its near end.
std::optional<UnixNanos> parse_time_bound(std::string_view text) noexcept;

/// Length of an RFC 3339 time with nine fraction digits: `2026-01-15T22:00:00.123456789Z`.
inline constexpr std::size_t kMaxRfc3339Chars = 30;

/// RFC 3339 in UTC with `fraction_digits` (0 to 9) digits; finer digits are cut off.
std::string format_rfc3339(UnixNanos time, int fraction_digits);

}  // namespace tickpipe::internal
