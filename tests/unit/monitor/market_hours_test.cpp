#include "monitor/market_hours.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;

UnixNanos at(std::string_view text) { return parse_timestamp(text).value(); }

TEST(MarketHoursTest, CurrencyPairsAndMetalsHaveWeekends) {
  for (const char* symbol : {"EURUSD", "USDJPY", "EUR/USD", "EUR-USD", "EUR_USD", "EUR.USD", "XAUUSD", "XAG/EUR",
                             "XPTUSD", "XPDUSD", "USDZAR", "USDTWD", "AEDUSD"}) {
    EXPECT_TRUE(MarketHours::has_weekend(symbol)) << symbol;
  }
  for (const char* symbol : {"BTCUSD", "BTCUSDT", "USDXAU", "XAUXAG", "EURUSDX", "EURUS", "EUR:USD", "EURUSD/",
                             "USDBTC", "A", "", "EUR", "US30", "EUR/USDT", "ABCDEF"}) {
    EXPECT_FALSE(MarketHours::has_weekend(symbol)) << symbol;
  }
}

struct Edge {
  std::string_view friday_close;
  std::string_view sunday_open;
};

class MarketHoursEdgeTest : public ::testing::TestWithParam<Edge> {};

TEST_P(MarketHoursEdgeTest, TheMarketIsClosedFromFridayToSundayAtFiveInNewYork) {
  const MarketHours market;
  const UnixNanos close = at(GetParam().friday_close);
  const UnixNanos open = at(GetParam().sunday_open);
  EXPECT_TRUE(market.is_open("EURUSD", {close.ns - 1}));
  EXPECT_FALSE(market.is_open("EURUSD", close));
  EXPECT_FALSE(market.is_open("XAUUSD", {open.ns - 1}));
  EXPECT_TRUE(market.is_open("EURUSD", open));
  EXPECT_TRUE(market.is_open("BTCUSD", close + hours{12}));
  EXPECT_EQ(market.open_time_between("EURUSD", close, open), nanoseconds{0});
  EXPECT_EQ(market.open_time_between("EURUSD", close - minutes{7}, open + minutes{5}), minutes{12});
  EXPECT_EQ(market.open_time_between("BTCUSD", close, open), open - close);
}

INSTANTIATE_TEST_SUITE_P(Weekends, MarketHoursEdgeTest,
                         ::testing::Values(Edge{"2026-01-16T22:00:00Z", "2026-01-18T22:00:00Z"},  // winter
                                           Edge{"2026-03-06T22:00:00Z", "2026-03-08T21:00:00Z"},  // clocks go forward
                                           Edge{"2026-07-10T21:00:00Z", "2026-07-12T21:00:00Z"},  // summer
                                           Edge{"2026-10-30T21:00:00Z", "2026-11-01T22:00:00Z"},  // clocks go back
                                           Edge{"2027-01-01T22:00:00Z", "2027-01-03T22:00:00Z"},  // New Year
                                           Edge{"2022-12-30T22:00:00Z", "2023-01-01T22:00:00Z"}));

TEST(MarketHoursTest, OpenTimeOverManyWeeksIsTheSumOfItsHours) {
  const MarketHours market;
  const UnixNanos from = at("2025-12-19T03:30:00Z");
  const UnixNanos to = at("2026-11-18T05:30:00Z");
  nanoseconds total{0};
  for (UnixNanos t = from; t < to; t = t + hours{1}) {
    // Both borders of every weekend fall on whole hours, half an hour away from these steps.
    const bool first_half = market.is_open("EURUSD", t);
    const bool second_half = market.is_open("EURUSD", t + minutes{30});
    total += minutes{30} * (static_cast<int>(first_half) + static_cast<int>(second_half));
  }
  EXPECT_EQ(market.open_time_between("EURUSD", from, to), total);
  EXPECT_LT(total, (to - from) * 73 / 100);
}

TEST(MarketHoursTest, OpenTimeAddsUpWhereverItIsCut) {
  const MarketHours market;
  const UnixNanos from = at("2026-03-04T00:00:00Z");
  const UnixNanos to = at("2026-03-17T00:00:00Z");
  const nanoseconds whole = market.open_time_between("EURUSD", from, to);
  for (UnixNanos cut = from; cut <= to; cut = cut + minutes{41}) {
    EXPECT_EQ(market.open_time_between("EURUSD", from, cut) + market.open_time_between("EURUSD", cut, to), whole);
  }
}

TEST(MarketHoursTest, AnEmptyOrReversedSpanHasNoOpenTimeAndExtremesDoNotOverflow) {
  const MarketHours market;
  const UnixNanos noon = at("2026-01-14T12:00:00Z");
  for (const char* symbol : {"EURUSD", "BTCUSD"}) {
    EXPECT_EQ(market.open_time_between(symbol, noon, noon), nanoseconds{0});
    EXPECT_EQ(market.open_time_between(symbol, noon + hours{1}, noon), nanoseconds{0});
    EXPECT_EQ(market.open_time_between(symbol, kNoTime, noon), market.open_time_between(symbol, kFirstTickTime, noon));
    EXPECT_GT(market.open_time_between(symbol, kNoTime, kEndOfTime), hours{24 * 365 * 200});
  }
}

}  // namespace
}  // namespace tickpipe::internal
