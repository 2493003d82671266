#include "feed/sim_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

UnixNanos moment(std::string_view text) { return *parse_timestamp(text); }

using Row = std::tuple<std::int64_t, std::uint32_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

std::vector<Row> rows(const SimMarket& market, UnixNanos from, UnixNanos to) {
  std::vector<Row> out;
  SimStream stream(market, from);
  while (stream.next_time() < to) {
    const SimQuote quote = stream.pop();
    const SimPrices& prices = quote.prices;
    out.emplace_back(quote.time.ns, quote.symbol, prices.bid.units, prices.ask.units, prices.bid_size.units,
                     prices.ask_size.units);
  }
  return out;
}

SimMarket market_of(const SimOptions& options, nanoseconds min_period = nanoseconds{0}) {
  return SimMarket(options, min_period);
}

SimOptions options_of(std::initializer_list<std::string_view> symbols, double rate) {
  SimOptions options;
  for (const std::string_view symbol : symbols) options.symbols.push_back(*parse_symbol(symbol));
  options.rate = rate;
  return options;
}

const UnixNanos kTuesday = moment("2026-06-16T09:00:00Z");

TEST(SimStreamTest, SameSeedSameQuotes) {
  const SimOptions options;
  const auto first = rows(market_of(options), kTuesday, kTuesday + seconds{60});
  EXPECT_GT(first.size(), 2000U);
  EXPECT_EQ(first, rows(market_of(options), kTuesday, kTuesday + seconds{60}));
}

TEST(SimStreamTest, AnotherSeedOtherQuotes) {
  SimOptions options;
  const auto first = rows(market_of(options), kTuesday, kTuesday + seconds{10});
  options.seed = 2;
  EXPECT_NE(first, rows(market_of(options), kTuesday, kTuesday + seconds{10}));
}

TEST(SimStreamTest, AStreamIsTheSumOfItsParts) {
  const SimMarket market = market_of({});
  for (const std::string_view around : {"2026-06-16T09:00:00Z", "2026-06-19T21:00:00Z", "2026-06-21T21:00:00Z"}) {
    const UnixNanos from = moment(around) - seconds{30};
    const UnixNanos to = moment(around) + seconds{30};
    const auto whole = rows(market, from, to);
    EXPECT_GT(whole.size(), 2000U);
    for (const std::int64_t cut_ns : {1LL, 123'456'789LL, 29'999'999'999LL, 30'000'000'000LL, 59'999'999'999LL}) {
      const UnixNanos middle = from + nanoseconds{cut_ns};
      auto parts = rows(market, from, middle);
      const auto rest = rows(market, middle, to);
      parts.insert(parts.end(), rest.begin(), rest.end());
      EXPECT_EQ(parts, whole);
    }
    const UnixNanos on_a_tick{std::get<0>(whole[whole.size() / 2])};
    EXPECT_EQ(std::get<0>(rows(market, on_a_tick, to).front()), on_a_tick.ns);
  }
}

TEST(SimStreamTest, TimesRiseAndNoSymbolTicksTwiceAtOnce) {
  for (const double rate : {50.0, 1'000'000.0}) {
    SimOptions options;
    options.rate = rate;
    const auto all = rows(market_of(options), kTuesday, kTuesday + nanoseconds{static_cast<std::int64_t>(1e13 / rate)});
    std::map<std::uint32_t, std::int64_t> last;
    std::int64_t previous = 0;
    EXPECT_GT(all.size(), 5000U);
    for (const Row& row : all) {
      EXPECT_GE(std::get<0>(row), previous);
      previous = std::get<0>(row);
      std::int64_t& before = last[std::get<1>(row)];
      EXPECT_GT(previous, before);
      before = previous;
    }
  }
}

TEST(SimStreamTest, TheRateIsThatOfAllSymbolsTogether) {
  for (const double rate : {50.0, 1'000.0, 100'000.0}) {
    SimOptions options;
    options.rate = rate;
    const auto count = static_cast<double>(rows(market_of(options), kTuesday, kTuesday + seconds{10}).size());
    EXPECT_NEAR(count / (10 * rate), 1, 0.07) << rate;
  }
}

TEST(SimStreamTest, TheHighestRateIsReached) {
  SimOptions options;
  options.rate = 2'000'000;
  const auto count = rows(market_of(options), kTuesday, kTuesday + std::chrono::milliseconds{100}).size();
  EXPECT_NEAR(static_cast<double>(count), 200'000, 2'000);
}

TEST(SimStreamTest, MajorsTickMoreOftenThanExotics) {
  const SimMarket market = market_of({});
  std::map<std::string_view, int> counts;
  SimStream stream(market, kTuesday);
  while (stream.next_time() < kTuesday + seconds{300}) ++counts[market.symbols()[stream.pop().symbol].symbol.view()];
  EXPECT_EQ(counts.size(), 50U);
  EXPECT_GT(counts["EURUSD"], 5 * counts["USDHUF"]);
}

TEST(SimStreamTest, RateZeroIsSilent) {
  SimOptions options;
  options.rate = 0;
  const SimMarket market = market_of(options);
  EXPECT_EQ(SimStream(market, kTuesday).next_time(), kEndOfTime);
}

TEST(SimStreamTest, ASymbolsPricesDependNeitherOnTheRateNorOnTheOthers) {
  const SimMarket alone = market_of(options_of({"EURUSD"}, 100));
  const SimMarket among = market_of(options_of({"BTCUSD", "EURUSD"}, 5));
  SimStream few(among, kTuesday);
  SimStream many(alone, kTuesday);
  double latest = 0;
  int compared = 0;
  while (few.next_time() < kTuesday + seconds{60}) {
    const SimQuote quote = few.pop();
    if (quote.symbol != 1) continue;
    while (many.next_time() <= quote.time) latest = static_cast<double>(many.pop().prices.bid.units);
    if (latest == 0) continue;
    EXPECT_NEAR(static_cast<double>(quote.prices.bid.units) / latest, 1, 5e-5);
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

/// The symbols that tick in a range.
std::set<std::string_view> ticking(const SimMarket& market, UnixNanos from, UnixNanos to) {
  std::set<std::string_view> out;
  SimStream stream(market, from);
  while (stream.next_time() < to) out.insert(market.symbols()[stream.pop().symbol].symbol.view());
  return out;
}

TEST(SimStreamTest, OnlyCryptoTicksAtTheWeekend) {
  const SimMarket market = market_of(options_of({"EURUSD", "XAUUSD", "BTCUSD"}, 50));
  const auto all = ::testing::UnorderedElementsAre("EURUSD", "XAUUSD", "BTCUSD");
  struct Change {
    std::string_view friday;
    std::string_view sunday;
  };
  // Winter, both changes of daylight saving time, summer.
  for (const auto& [friday, sunday] :
       {Change{"2026-01-16T22:00:00Z", "2026-01-18T22:00:00Z"}, Change{"2026-03-06T22:00:00Z", "2026-03-08T21:00:00Z"},
        Change{"2026-10-30T21:00:00Z", "2026-11-01T22:00:00Z"},
        Change{"2026-06-19T21:00:00Z", "2026-06-21T21:00:00Z"}}) {
    EXPECT_THAT(ticking(market, moment(friday) - seconds{5}, moment(friday)), all);
    EXPECT_THAT(ticking(market, moment(friday), moment(friday) + seconds{5}), ::testing::ElementsAre("BTCUSD"));
    EXPECT_THAT(ticking(market, moment(sunday) - seconds{5}, moment(sunday)), ::testing::ElementsAre("BTCUSD"));
    EXPECT_THAT(ticking(market, moment(sunday), moment(sunday) + seconds{5}), all);
  }
}

TEST(SimStreamTest, AtTheWeekendTheRateIsThatOfTheOpenMarkets) {
  const auto count = rows(market_of({}), moment("2026-06-20T12:00:00Z"), moment("2026-06-20T12:00:20Z")).size();
  EXPECT_NEAR(static_cast<double>(count), 1000, 70);
}

TEST(SimStreamTest, AClosedMarketTicksAgainWhenItOpens) {
  const SimMarket market = market_of(options_of({"EURUSD"}, 1));
  const UnixNanos next = SimStream(market, moment("2026-06-20T12:00:00Z")).next_time();
  EXPECT_GE(next, moment("2026-06-21T21:00:00Z"));
  EXPECT_LT(next, moment("2026-06-21T21:00:03Z"));
}

TEST(SimStreamTest, WithoutSessionsEverythingTicksAlways) {
  SimOptions options = options_of({"EURUSD", "XAUUSD", "BTCUSD"}, 50);
  options.sessions = false;
  const UnixNanos saturday = moment("2026-06-20T12:00:00Z");
  EXPECT_EQ(ticking(market_of(options), saturday, saturday + seconds{5}).size(), 3U);
}

TEST(SimStreamTest, TheShortestPeriodBoundsTheDensity) {
  SimOptions options;
  options.rate = 100'000;
  const auto all = rows(market_of(options, seconds{1}), kTuesday, kTuesday + seconds{100});
  EXPECT_NEAR(static_cast<double>(all.size()), 5000, 50);
}

TEST(SimStreamTest, EachSymbolMayBeginAtATimeOfItsOwn) {
  const SimMarket market = market_of(options_of({"EURUSD", "GBPUSD"}, 20));
  SimStream stream(market, {kTuesday, kTuesday + seconds{10}});
  UnixNanos first = kEndOfTime;
  while (first == kEndOfTime) {
    const SimQuote quote = stream.pop();
    if (quote.symbol == 1) first = quote.time;
  }
  EXPECT_GE(first, kTuesday + seconds{10});
  EXPECT_LT(first, kTuesday + seconds{11});
}

}  // namespace
}  // namespace tickpipe::internal
