#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "feed/sim_symbols.h"

namespace tickpipe::internal {

/// Smooth noise over time: octaves of value noise from one second to twelve days, each four times as long and twice as
/// strong as the one before, which moves like a random walk of the given volatility and stays within about
/// +-0.4 * volatility for ever.
///
/// A pure function of its key and the time; what it remembers only saves hashing. Cost: a few ns per octave.
class ValueNoise {
 public:
  ValueNoise(std::uint64_t key, double volatility) noexcept;
  double at(UnixNanos time) noexcept;

 private:
  static constexpr std::size_t kOctaves = 11;
  struct Octave {
    std::int64_t length_ns = 1;
    double amplitude = 0;
    std::int64_t begin_ns = 0;  ///< of the stretch between two lattice points that is at hand
    std::int64_t end_ns = 0;
    double first = 0;
    double step = 0;
  };
  void enter(std::size_t octave, UnixNanos time) noexcept;

  std::uint64_t key_;
  bool moves_;
  std::array<Octave, kOctaves> octaves_;
};

/// What a symbol is quoted at.
struct SimPrices {
  Price bid;
  Price ask;
  Quantity bid_size;
  Quantity ask_size;
};

/// Prices of one symbol: a pure function of seed, symbol and time. Prices are exact multiples of the tick size, the
/// spread is at least one tick. Threads: not thread-safe, as it remembers where it was.
class PricePath {
 public:
  explicit PricePath(const SimSymbol& symbol) noexcept;
  SimPrices at(UnixNanos time) noexcept;

 private:
  std::uint64_t key_;
  double level_ticks_;  ///< price in ticks when nothing has moved
  double spread_;
  std::int64_t tick_units_;
  std::int64_t lot_units_;
  ValueNoise base_;
  ValueNoise quote_;
};

}  // namespace tickpipe::internal
