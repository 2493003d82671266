#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/names.h"

namespace tickpipe::internal {

/// What moves a price: the value of an asset in USD is its level times the exponential of a noise of its own.
struct PriceFactor {
  std::uint64_t key = 0;  ///< of its noise
  double volatility = 0;  ///< standard deviation of the logarithm over a year; 0 = does not move
};

/// How the simulator quotes a symbol. Pairs are the ratio of two assets, so that crosses fit together: EURUSD times
/// USDJPY is EURJPY, within the spreads.
struct SimSymbol {
  Name symbol;
  std::uint64_t key = 0;  ///< of what is its own: tick times, spreads, sizes
  double level = 1;       ///< price when nothing has moved
  PriceFactor base;
  PriceFactor quote;
  std::int64_t tick_units = 1;  ///< smallest step of its prices, in 1e-9
  double spread = 0;            ///< typical one, as a share of the price
  double weight = 1;            ///< how often it ticks, relative to the others
  std::int64_t lot = 1;         ///< sizes are whole multiples of it
  bool rests_at_weekends = false;
};

/// The model of a symbol. Separators (`/ - _ : .`) do not matter. A pair of two known assets (`NZDCHF`, `ETH-EUR`) has
/// their prices; a name that starts with a known crypto asset is that asset in USD; any other symbol has a price from
/// its hash, five decimals and no sessions.
SimSymbol sim_symbol(const Name& symbol, std::uint64_t seed);

/// The fifty symbols of a simulator that was given none: 7 FX majors, 17 crosses, 12 exotics, 4 metals, 10 crypto.
std::span<const std::string_view> default_sim_symbols() noexcept;

}  // namespace tickpipe::internal
