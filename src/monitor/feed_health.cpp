#include "monitor/feed_health.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace tickpipe::internal {
namespace {

/// Time since the newest quote; the longest there is when there was none.
std::chrono::nanoseconds age_of(UnixNanos last_event, UnixNanos last_received, std::string_view symbol,
                                const FeedHealthRules& rules, UnixNanos now) {
  if (last_event == kNoTime) return std::chrono::nanoseconds::max();
  const UnixNanos last = last_received == kNoTime ? last_event : std::min(last_event, last_received);
  return rules.hours.open_time_between(symbol, last, now);
}

/// Writes what an age says into the health of an LP or a symbol.
template <typename Health>
void set_staleness(Health& health, std::chrono::nanoseconds age, const FeedHealthRules& rules) {
  health.is_stale = age > rules.stale_quote_threshold;
  if (health.is_stale && age != std::chrono::nanoseconds::max()) health.stale_for = age;
}

bool is_down(std::optional<FeedState> state) { return state == FeedState::kEnded || state == FeedState::kFailed; }

}  // namespace

std::vector<SymbolHealth> judge_feed_health(const std::vector<SymbolActivity>& activity, const FeedHealthRules& rules,
                                            UnixNanos now) {
  std::vector<SymbolHealth> result;
  result.reserve(activity.size());
  for (const SymbolActivity& of_symbol : activity) {
    const Name name = rules.symbol_name(of_symbol.symbol);
    const bool is_open = rules.hours.is_open(name.view(), now);
    SymbolHealth symbol{.symbol = of_symbol.symbol,
                        .last_tick_time = of_symbol.last_event,
                        .tick_count = of_symbol.tick_count,
                        .lps = {}};
    auto best_age = std::chrono::nanoseconds::max();
    FeedHealthState best_state = FeedHealthState::kDown;
    for (const LpActivity& of_lp : of_symbol.lps) {
      LpHealth lp{.lp = of_lp.lp, .last_tick_time = of_lp.last_event, .tick_count = of_lp.tick_count};
      const auto age = age_of(of_lp.last_event, of_lp.last_received, name.view(), rules, now);
      set_staleness(lp, age, rules);
      if (!is_open) {
        lp.state = FeedHealthState::kClosed;
      } else if (is_down(rules.feed_state(of_lp.lp))) {
        lp.state = FeedHealthState::kDown;
      } else if (lp.is_stale) {
        lp.state = FeedHealthState::kStale;
      }
      best_age = std::min(best_age, age);
      best_state = std::min(best_state, lp.state);  // all are closed, or none
      symbol.lps.push_back(lp);
    }
    if (of_symbol.lps.empty()) {
      best_age = age_of(of_symbol.last_event, of_symbol.last_received, name.view(), rules, now);
      best_state = best_age > rules.stale_quote_threshold ? FeedHealthState::kStale : FeedHealthState::kHealthy;
    }
    set_staleness(symbol, best_age, rules);
    symbol.state = is_open ? best_state : FeedHealthState::kClosed;
    result.push_back(std::move(symbol));
  }
  return result;
}

}  // namespace tickpipe::internal
