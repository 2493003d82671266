#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/market_data.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// What a client has missed of one symbol.
struct CatchUp {
  std::vector<Tick> ticks;    ///< the streamed quotes behind the one it had last, ascending by seq
  std::uint64_t through = 0;  ///< nothing is missing up to this seq
  bool is_complete = false;   ///< false: too many, or not kept any more; `ticks` is empty then
};

/// At most so many are read for a client; one that has missed more starts afresh.
inline constexpr std::size_t kMaxCatchUpTicks = 10'000;

/// Reads what came after the quote with seq `after`; from memory or the store, so it may take long. Throws Error when
/// the store fails.
///
/// Quotes are stored by event time, so late ones may be anywhere: it reads back from the newest until it has seen as
/// many quotes behind `after` as there are, which their seq without holes tells.
CatchUp read_missed(const MarketData& market, SymbolId symbol, std::uint64_t after,
                    std::chrono::nanoseconds live_tick_age);

}  // namespace tickpipe::internal
