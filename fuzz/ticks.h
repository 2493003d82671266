#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "fuzz/fuzzing.h"
#include "model/tick.h"

namespace tickpipe::internal::fuzzing {

/// Symbols of the row encoder are numbers of a table; those of made ticks and of ticks that are encoded again stay
/// below this.
inline constexpr std::uint32_t kSymbols = 1024;

/// A size that was not sent, or one that is not negative.
inline Quantity make_size(Input& input) {
  if (!input.flag()) return kNoQuantity;
  const auto units = static_cast<std::int64_t>(input.amount());
  return {units < 0 ? std::numeric_limits<std::int64_t>::max() : units};
}

/// A record like `before` but for what a byte of the input says.
inline Tick make_tick(Input& input, const Tick& before) {
  Tick tick = before;
  const std::uint8_t changes = input.byte();
  if (changes & 1) tick.ts_recv.ns = input.signed_amount();
  if (changes & 2) tick.bid.units = input.signed_amount();
  if (changes & 4) tick.ask.units = input.signed_amount();
  if (changes & 8) tick.seq = input.amount();
  if (changes & 16) tick.bid_size = make_size(input);
  if (changes & 32) tick.ask_size = make_size(input);
  if (changes & 64) tick.lp.value = static_cast<std::uint16_t>(input.number(2));
  if (changes & 128) {
    tick.kind = static_cast<RecordKind>(input.byte() % 3);
    tick.flags = input.byte();
  }
  return tick;
}

/// Records of any symbols at any times, as many as there are bytes for, but few.
inline std::vector<Tick> make_ticks(Input& input) {
  std::vector<Tick> ticks;
  Tick tick;
  for (std::size_t count = input.byte(); count > 0 && input.remaining() > 0; --count) {
    tick = make_tick(input, tick);
    tick.symbol.value = static_cast<std::uint32_t>(input.number(2)) % kSymbols;
    tick.ts_event.ns = input.signed_amount();
    ticks.push_back(tick);
  }
  return ticks;
}

}  // namespace tickpipe::internal::fuzzing
