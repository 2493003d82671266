#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "core/unix_nanos.h"
#include "model/feed.h"
#include "model/ids.h"
#include "model/market_data.h"
#include "model/names.h"
#include "model/system_status.h"
#include "monitor/market_hours.h"

namespace tickpipe::internal {

/// What feed health is judged by. The functions and `hours` are only used during the call.
struct FeedHealthRules {
  const MarketHours& hours;
  std::chrono::nanoseconds stale_quote_threshold;
  std::function<Name(SymbolId)> symbol_name;
  std::function<std::optional<FeedState>(LpId)> feed_state;  ///< nothing: the LP comes by no feed, as by HTTP
};

/// Judges each symbol and each of its LPs, in the order given.
///
/// Age:     how long the market has been open since the LP's newest quote, by the earlier of its event time and of when
///          it was received. So a weekend does not count, nor does an LP look fresh that only sends old quotes.
/// State:   `closed` while the market is closed; else `down` if the LP's feed has ended or failed; else `stale` if the
/// age
///          is above the threshold; else `healthy`. A symbol is in the state of its best LP (healthy, stale, down).
/// Stale:   is told by the age alone, also of what is closed or down. `stale_for` is the age; zero without any quote.
///          Of a symbol it is that of its freshest LP.
std::vector<SymbolHealth> judge_feed_health(const std::vector<SymbolActivity>& activity, const FeedHealthRules& rules,
                                            UnixNanos now);

}  // namespace tickpipe::internal
