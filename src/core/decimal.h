#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/int128.h"

namespace tickpipe::internal {

/// One unit of every price and size is 1e-9.
inline constexpr std::int64_t kUnitsPerOne = 1'000'000'000;

enum class DecimalStatus : std::uint8_t {
  kOk,
  kSyntax,  ///< not a number of the JSON grammar (RFC 8259, section 6): `.5`, `+1`, `01`, `1.`, `NaN`, ``
  kRange,   ///< a number, but not a multiple of 1e-9 or not within 64 bits; it is never rounded
};

struct Decimal {
  std::int64_t units = 0;  ///< in 1e-9; 0 unless `status` is kOk
  DecimalStatus status = DecimalStatus::kSyntax;
};

/// Parses a decimal number exactly. The whole of `text` must be one number of the JSON grammar; exponents are taken,
/// and any count of digits as long as the value is a multiple of 1e-9 that fits. Cost: O(length), no allocation.
Decimal parse_decimal(std::string_view text) noexcept;

/// The characters of a JSON number, taken apart without being evaluated: value = (integer.fraction) * 10^exponent.
struct NumberParts {
  bool valid = false;
  bool negative = false;
  std::string_view integer;   ///< digits before the point, no leading zero unless it is "0"
  std::string_view fraction;  ///< digits after the point, may be empty
  std::int64_t exponent = 0;  ///< saturated to +-1'000'000'000
};

/// Splits `text`, which must be one whole JSON number, into its parts. Views point into `text`.
NumberParts split_number(std::string_view text) noexcept;

/// Longest output of format_decimal: sign, 39 digits, point.
inline constexpr std::size_t kMaxDecimalChars = 42;

/// Writes `units` * 1e-9 as a plain JSON number, without exponent, trailing zeros or trailing point, to `out`, which
/// must have room for kMaxDecimalChars. Returns the end of what was written.
char* format_decimal(char* out, Int128 units) noexcept;

std::string decimal_to_string(Int128 units);

}  // namespace tickpipe::internal
