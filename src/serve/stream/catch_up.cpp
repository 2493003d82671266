#include "serve/stream/catch_up.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kPage = 10'000;
/// History that was loaded meanwhile may lie between; beyond this a client is better off with a snapshot.
constexpr std::size_t kMaxRead = 1'000'000;

}  // namespace

CatchUp read_missed(const MarketData& market, SymbolId symbol, std::uint64_t after,
                    std::chrono::nanoseconds live_tick_age) {
  CatchUp found;
  found.through = market.snapshot(symbol).newest_seq;
  if (after > found.through) return found;  // it has seen what this data has not
  std::uint64_t missing = found.through - after;
  TickQuery query;
  query.symbol = symbol;
  query.max_seq = found.through;
  std::size_t read = 0;
  bool has_more = true;
  while (missing != 0 && has_more && read < kMaxRead && found.ticks.size() <= kMaxCatchUpTicks) {
    query.limit = std::clamp<std::size_t>(missing, 1, kPage);
    const TickPage page = market.ticks(query);
    has_more = page.has_more && !page.ticks.empty();
    read += page.ticks.size();
    for (const Tick& tick : page.ticks) {
      if (tick.seq <= after) continue;
      --missing;
      if (is_streamed(tick, live_tick_age)) found.ticks.push_back(tick);
    }
    if (!page.ticks.empty()) query.after = TickPlace{page.ticks.back().ts_event, page.ticks.back().seq};
  }
  found.is_complete = missing == 0 && found.ticks.size() <= kMaxCatchUpTicks;
  if (!found.is_complete) found.ticks.clear();
  std::sort(found.ticks.begin(), found.ticks.end(), [](const Tick& a, const Tick& b) { return a.seq < b.seq; });
  return found;
}

}  // namespace tickpipe::internal
