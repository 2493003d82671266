#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "model/names.h"

namespace tickpipe::internal {

/// What the simulator is asked for. Shares are probabilities from 0 to 1; the faults they stand for befall live quotes
/// only, what is filled in is sound.
struct SimOptions {
  std::vector<Name> symbols;  ///< empty = the fifty of default_sim_symbols()
  double rate = 50;           ///< ticks a second over all symbols whose market is open; 0 = none
  std::uint64_t seed = 1;
  Name lp = *parse_lp("SIM");
  double drop_share = 0;                                 ///< never sent
  double duplicate_share = 0;                            ///< sent twice, at once or within a second
  double garble_share = 0;                               ///< broken: refused by its form, or with absurd prices
  double delay_share = 0;                                ///< sent late, with the original event time
  std::chrono::nanoseconds delay{500'000'000};           ///< longest delay
  double mute_share = 0;                                 ///< of each symbol's time, in stretches of `mute`
  std::chrono::nanoseconds mute{10'000'000'000};         ///< how long a symbol falls silent
  std::chrono::nanoseconds clock_skew{0};                ///< how far the LP's clock is ahead; negative: behind
  bool sessions = true;                                  ///< FX and metals rest at the weekend
  std::chrono::nanoseconds fill{std::chrono::hours{1}};  ///< missing history that is filled in at most; 0 = none
};

}  // namespace tickpipe::internal
