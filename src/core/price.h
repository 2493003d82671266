#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "core/decimal.h"

namespace tickpipe::internal {

/// A price, exact, in units of 1e-9 of the quote currency.
struct Price {
  std::int64_t units = 0;
  friend constexpr auto operator<=>(Price, Price) = default;
};

/// An amount (bid size, ask size, traded size), exact, in units of 1e-9.
struct Quantity {
  std::int64_t units = 0;
  friend constexpr auto operator<=>(Quantity, Quantity) = default;
};

/// Stands for a size that the LP did not send. Sizes that were sent are never negative.
inline constexpr Quantity kNoQuantity{std::numeric_limits<std::int64_t>::min()};

/// (bid + ask) / 2; half a unit is rounded towards zero. Never overflows.
constexpr Price mid_price(Price bid, Price ask) {
  return {static_cast<std::int64_t>((static_cast<Int128>(bid.units) + ask.units) / 2)};
}

}  // namespace tickpipe::internal
