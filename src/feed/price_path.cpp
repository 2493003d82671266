#include "feed/price_path.h"

#include <algorithm>
#include <cmath>

#include "core/decimal.h"
#include "feed/hashing.h"

namespace tickpipe::internal {
namespace {

constexpr double kSecondsPerYear = 31'556'952;
constexpr double kTickNoise = 0.4;  ///< how far a single tick is off the path, as a share of the typical spread
constexpr std::int64_t kMaxLots = 5;

double as_double(std::int64_t value) noexcept { return static_cast<double>(value); }

}  // namespace

ValueNoise::ValueNoise(std::uint64_t key, double volatility) noexcept : key_(key), moves_(volatility > 0) {
  std::int64_t length_ns = kNanosPerSecond;
  for (Octave& octave : octaves_) {
    octave.length_ns = length_ns;
    octave.amplitude = volatility * std::sqrt(as_double(length_ns / kNanosPerSecond) / kSecondsPerYear);
    length_ns *= 4;
  }
}

double ValueNoise::at(UnixNanos time) noexcept {
  if (!moves_) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < kOctaves; ++i) {
    const Octave& octave = octaves_[i];
    if (time.ns < octave.begin_ns || time.ns >= octave.end_ns) enter(i, time);
    const double part = as_double(time.ns - octave.begin_ns) / as_double(octave.length_ns);
    sum += octave.first + octave.step * (part * part * (3 - 2 * part));
  }
  return sum;
}

void ValueNoise::enter(std::size_t octave_number, UnixNanos time) noexcept {
  Octave& octave = octaves_[octave_number];
  const std::uint64_t key = combine_hash(key_, octave_number);
  const std::int64_t phase_ns = below(key, octave.length_ns);  // so that lattice points of octaves do not meet
  const std::int64_t point = (time.ns + phase_ns) / octave.length_ns;
  const auto value = [&](std::int64_t number) {
    return octave.amplitude * (2 * unit_interval(combine_hash(key, static_cast<std::uint64_t>(number))) - 1);
  };
  octave.begin_ns = point * octave.length_ns - phase_ns;
  octave.end_ns = octave.begin_ns + octave.length_ns;
  octave.first = value(point);
  octave.step = value(point + 1) - octave.first;
}

PricePath::PricePath(const SimSymbol& symbol) noexcept
    : key_(combine_hash(symbol.key, 0x9A7C)),
      level_ticks_(symbol.level * as_double(kUnitsPerOne) / as_double(symbol.tick_units)),
      spread_(symbol.spread),
      tick_units_(symbol.tick_units),
      lot_units_(symbol.lot * kUnitsPerOne),
      base_(symbol.base.key, symbol.base.volatility),
      quote_(symbol.quote.key, symbol.quote.volatility) {}

SimPrices PricePath::at(UnixNanos time) noexcept {
  const std::uint64_t hash = combine_hash(key_, static_cast<std::uint64_t>(time.ns));
  const std::uint64_t more = mix_bits(hash);
  const double path = level_ticks_ * std::exp(base_.at(time) - quote_.at(time));
  const double typical_spread = path * spread_;
  const double mid = path + typical_spread * kTickNoise * (unit_interval(hash) - 0.5);
  // Mostly near the typical spread, now and then twice as wide.
  const double width = unit_interval(more);
  const double wide = width * width * width * width;
  const std::int64_t spread_ticks =
      std::max<std::int64_t>(1, std::llround(typical_spread * (0.8 + 0.2 * width + wide)));
  const std::int64_t bid_ticks = std::max<std::int64_t>(1, std::llround(mid - 0.5 * as_double(spread_ticks)));
  const std::uint64_t sizes = mix_bits(more);
  return {.bid = {bid_ticks * tick_units_},
          .ask = {(bid_ticks + spread_ticks) * tick_units_},
          .bid_size = {(1 + below(sizes, kMaxLots)) * lot_units_},
          .ask_size = {(1 + below(mix_bits(sizes), kMaxLots)) * lot_units_}};
}

}  // namespace tickpipe::internal
