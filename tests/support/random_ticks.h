#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "model/tick.h"

namespace tickpipe::internal::testing {

/// What a chunk may hold: ascending times of one symbol, everything else whatever it likes, extremes included. Which
/// fields vary at all is random too, as the format writes what all records share but once.
inline std::vector<Tick> random_chunk(std::mt19937_64& random, std::size_t count, SymbolId symbol = {}) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const auto any = [&]() -> std::int64_t {
    switch (random() % 4) {
      case 0:
        return random() % 2 == 0 ? kMin : kMax;
      case 1:
        return static_cast<std::int64_t>(random() % 1000);
      default:
        return static_cast<std::int64_t>(random() >> (random() % 64));
    }
  };
  const auto size = [&] {
    if (random() % 3 == 0) return kNoQuantity;
    const std::int64_t units = any();
    return Quantity{units < 0 ? kMax : units};
  };
  const std::uint64_t varies = random();
  const bool wild = (varies & 1) != 0;
  Tick tick;
  tick.symbol = symbol;
  tick.ts_event = UnixNanos{kFirstTickTime.ns + static_cast<std::int64_t>(random() % 9'000'000'000'000'000'000)};
  tick.seq = (varies & 2) != 0 ? random() : 1;
  tick.lp.value = static_cast<std::uint16_t>(random());
  tick.flags = static_cast<std::uint8_t>(random());
  tick.bid = Price{1'000'000'000};
  tick.ask = Price{1'000'000'100};
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t step = random() % 4 == 0 ? 0 : random() % (wild ? 80'000'000'000'000 : 1'000'000);
    tick.ts_event.ns = std::min(tick.ts_event.ns + static_cast<std::int64_t>(step), kEndOfTickTime.ns - 1);
    tick.ts_recv.ns = wild ? any() : tick.ts_event.ns + static_cast<std::int64_t>(random() % 1'000'000);
    tick.bid.units = wild ? any() : tick.bid.units + static_cast<std::int64_t>(random() % 21) - 10;
    tick.ask.units = wild ? any() : tick.bid.units + static_cast<std::int64_t>(random() % 21);
    if (i != 0) tick.seq += (varies & 4) != 0 && random() % 4 == 0 ? random() : 1;
    if ((varies & 8) != 0) tick.bid_size = size();
    if ((varies & 16) != 0) tick.ask_size = size();
    if ((varies & 32) != 0) tick.lp.value = static_cast<std::uint16_t>(random());
    if ((varies & 64) != 0) tick.kind = static_cast<RecordKind>(random() % 3);
    if ((varies & 128) != 0) tick.flags = static_cast<std::uint8_t>(random());
    ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace tickpipe::internal::testing
