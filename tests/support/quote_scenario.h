#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/raw_quote.h"
#include "support/brute_force.h"

namespace tickpipe::internal::testing {

/// Quotes as a bad network would deliver them, and what must come of them.
struct QuoteScenario {
  std::vector<RawQuote> quotes;
  std::size_t distinct = 0;
  /// Per symbol, the distinct quotes in the order of acceptance.
  std::map<std::string, std::vector<RawQuote>> accepted;

  [[nodiscard]] std::vector<PricePoint> points(const std::string& symbol) const {
    std::vector<PricePoint> points;
    for (const RawQuote& quote : accepted.at(symbol)) {
      points.push_back({*quote.ts_event, mid_price(quote.bid, quote.ask)});
    }
    return points;
  }
};

struct ScenarioOptions {
  std::uint64_t seed = 1;
  int count = 20'000;
  int symbols = 5;
  int lps = 2;
  UnixNanos start{1'767'600'000LL * kNanosPerSecond};  // 2026-01-05T08:00:00Z, a Monday
  bool delays = true;                                  ///< up to 90 s; quotes with equal timestamps keep their order
  bool duplicates = true;                              ///< some quotes come again, at any time later
};

inline QuoteScenario make_scenario(const ScenarioOptions& options) {
  std::mt19937_64 random(options.seed);
  struct Sent {
    UnixNanos arrives;
    RawQuote quote;
  };
  std::vector<Sent> sent;
  std::vector<std::int64_t> prices(static_cast<std::size_t>(options.symbols), 100 * kUnitsPerOne);
  UnixNanos now = options.start;
  std::map<UnixNanos, UnixNanos> delay_of;  // one delay per timestamp keeps the order of equal ones
  for (int i = 0; i < options.count; ++i) {
    if (random() % 3 != 0) now.ns += static_cast<std::int64_t>(random() % 2'000) * kNanosPerMilli;
    if (random() % 500 == 0) now.ns += static_cast<std::int64_t>(random() % 7'200) * kNanosPerSecond;
    const auto s = static_cast<std::size_t>(random() % static_cast<std::uint64_t>(options.symbols));
    prices[s] += (static_cast<std::int64_t>(random() % 2001) - 1000) * 1'000;
    RawQuote quote;
    quote.lp = parse_lp("LP" + std::to_string(random() % static_cast<std::uint64_t>(options.lps)));
    quote.symbol = *parse_symbol("SYM" + std::to_string(s));
    quote.bid.units = prices[s];
    quote.ask.units = prices[s] + static_cast<std::int64_t>(random() % 5) * 1'000;
    if (random() % 4 == 0) quote.bid_size = Quantity{static_cast<std::int64_t>(random() % 1'000'000)};
    quote.ts_event = now;
    UnixNanos arrives = now;
    if (options.delays) {
      const auto [it, is_new] = delay_of.try_emplace(now, now);
      if (is_new && random() % 5 == 0) {
        it->second.ns += static_cast<std::int64_t>(random() % 90'000) * kNanosPerMilli;
      }
      arrives = it->second;
    }
    sent.push_back({arrives, quote});
    if (options.duplicates && random() % 10 == 0) {
      const Sent& again = sent[random() % sent.size()];
      sent.push_back({std::max(now, again.arrives), again.quote});
    }
  }
  std::stable_sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return a.arrives < b.arrives; });

  QuoteScenario scenario;
  std::set<std::tuple<std::string, std::string, std::int64_t, std::int64_t, std::int64_t>> seen;
  for (const Sent& each : sent) {
    const RawQuote& quote = each.quote;
    scenario.quotes.push_back(quote);
    const std::string symbol(quote.symbol.view());
    if (!seen.emplace(symbol, quote.lp->view(), quote.ts_event->ns, quote.bid.units, quote.ask.units).second) continue;
    scenario.accepted[symbol].push_back(quote);
    ++scenario.distinct;
  }
  return scenario;
}

}  // namespace tickpipe::internal::testing
