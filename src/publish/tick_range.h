#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "model/market_data.h"

namespace tickpipe::internal {

/// Before the place of every quote.
inline constexpr TickPlace kFirstPlace{kNoTime, 0};

constexpr TickPlace place_of(const Tick& tick) { return {tick.ts_event, tick.seq}; }

/// The first place behind `place`.
constexpr TickPlace next_place(const TickPlace& place) {
  if (place.seq != std::numeric_limits<std::uint64_t>::max()) return {place.ts_event, place.seq + 1};
  return {{place.ts_event.ns + 1}, 0};
}

/// The quotes of a symbol at places within [begin, end) whose seq is at most `max_seq`.
struct TickRange {
  TickPlace begin;
  TickPlace end;
  std::uint64_t max_seq = 0;

  [[nodiscard]] bool is_empty() const noexcept { return begin >= end; }
  [[nodiscard]] bool contains(const TickPlace& place) const noexcept {
    return place >= begin && place < end && place.seq <= max_seq;
  }
};

}  // namespace tickpipe::internal
