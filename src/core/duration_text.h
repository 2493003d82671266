#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickpipe::internal {

enum class DurationStatus : std::uint8_t {
  kOk,
  kSyntax,  ///< not a number followed by a unit: `5`, `-1s`, `1e3s`, `.5s`, `05s`, `5 s`
  kRange,   ///< well written, but not a whole number of nanoseconds or more than 64 bits of them
};

struct DurationText {
  std::chrono::nanoseconds value{0};  ///< 0 unless `status` is kOk
  DurationStatus status = DurationStatus::kSyntax;
};

/// Parses a decimal number without sign or exponent, followed by `ns us ms s m h d`: `500ms`, `1.5s`. Exact, never
/// rounded. The unit is always needed, so zero is `0ms`.
DurationText parse_duration(std::string_view text) noexcept;

/// The same length in the largest unit that takes a whole number: `500ms`, `1m`, `36h`; zero is `0ms`.
/// Precondition: not negative.
std::string format_duration(std::chrono::nanoseconds value);

}  // namespace tickpipe::internal
