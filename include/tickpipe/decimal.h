#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tickpipe/export.h"

namespace tickpipe {

/// An exact decimal number: a 64-bit count of 1e-9. Holds up to 9,223,372,036.854775807.
///
/// Made from a double it is the multiple of 1e-9 nearest to that double (half a unit goes away from zero); a double
/// that is no number, infinite or too large makes an invalid one, which every call refuses as a bad price. Made from
/// text it is exact, or nothing. Cost: a few nanoseconds, no allocation but for to_string().
class TICKPIPE_API Decimal {
 public:
  constexpr Decimal() noexcept = default;
  Decimal(double value) noexcept : units_(units_of(value)) {}  // NOLINT(google-explicit-constructor): meant to be
  [[nodiscard]] static constexpr Decimal from_units(std::int64_t units) noexcept {
    Decimal decimal;
    decimal.units_ = units;
    return decimal;
  }
  /// A whole number of the JSON grammar (`1.16452`, `-3`, `2e-4`). Nothing for other text, and for a number that is no
  /// multiple of 1e-9 or does not fit: it is never rounded.
  [[nodiscard]] static std::optional<Decimal> parse(std::string_view text) noexcept;
  [[nodiscard]] static constexpr Decimal invalid() noexcept { return from_units(kInvalid); }

  [[nodiscard]] constexpr bool is_valid() const noexcept { return units_ != kInvalid; }
  /// In 1e-9.
  [[nodiscard]] constexpr std::int64_t units() const noexcept { return units_; }
  /// The nearest double; not a number for an invalid one.
  [[nodiscard]] double to_double() const noexcept;
  /// Without exponent and trailing zeros: `1.16452`. `invalid` for an invalid one.
  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const Decimal&, const Decimal&) noexcept = default;

 private:
  static constexpr std::int64_t kInvalid = std::numeric_limits<std::int64_t>::min();
  [[nodiscard]] static std::int64_t units_of(double value) noexcept;
  std::int64_t units_ = 0;
};

using Price = Decimal;
using Quantity = Decimal;

}  // namespace tickpipe
