#include "core/decimal.h"

#include <tickpipe/decimal.h>

#include <bit>
#include <limits>

#include "core/int128.h"

namespace tickpipe {

std::int64_t Decimal::units_of(double value) noexcept {
  // The double is mantissa * 2^exponent, exactly; so is what it is rounded to.
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto biased = static_cast<int>(bits >> 52 & 0x7ff);
  if (biased == 0x7ff) return kInvalid;
  if (biased == 0) return 0;  // below 1e-307
  const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  const int exponent = biased - 1075;
  const auto product = static_cast<internal::Int128>(mantissa) * internal::kUnitsPerOne;  // below 2^83
  internal::Int128 units = 0;
  if (exponent >= 0) {
    if (exponent > 40) return kInvalid;
    units = product << exponent;
  } else if (exponent > -84) {
    units = (product + (static_cast<internal::Int128>(1) << (-exponent - 1))) >> -exponent;
  }
  if (units > std::numeric_limits<std::int64_t>::max()) return kInvalid;
  const auto magnitude = static_cast<std::int64_t>(units);
  return (bits >> 63) != 0 ? -magnitude : magnitude;
}

std::optional<Decimal> Decimal::parse(std::string_view text) noexcept {
  const internal::Decimal decimal = internal::parse_decimal(text);
  if (decimal.status != internal::DecimalStatus::kOk || decimal.units == kInvalid) return std::nullopt;
  return from_units(decimal.units);
}

double Decimal::to_double() const noexcept {
  if (!is_valid()) return std::numeric_limits<double>::quiet_NaN();
  // Both are exact up to 2^53, so the quotient is the nearest; above, the integer is rounded first. long double has 64
  // bits on x86-64.
  return static_cast<double>(static_cast<long double>(units_) / static_cast<long double>(internal::kUnitsPerOne));
}

std::string Decimal::to_string() const {
  return is_valid() ? internal::decimal_to_string(units_) : std::string("invalid");
}

}  // namespace tickpipe
