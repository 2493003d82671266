#include "feed/price_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/timestamp_text.h"
#include "feed/sim_symbols.h"

namespace tickpipe::internal {
namespace {

const UnixNanos kStart = *parse_timestamp("2026-06-15T00:00:00Z");
constexpr std::chrono::seconds kSecond{1};

PricePath path_of(std::string_view name, std::uint64_t seed = 1) {
  return PricePath(sim_symbol(*parse_symbol(name), seed));
}
double mid(const SimPrices& prices) { return static_cast<double>(prices.bid.units + prices.ask.units) / 2; }

TEST(ValueNoiseTest, IsAFunctionOfKeyAndTime) {
  ValueNoise walked(7, 0.1);
  for (int i = 0; i < 5000; ++i) {
    const UnixNanos time = kStart + i * std::chrono::milliseconds{777};
    ASSERT_EQ(walked.at(time), ValueNoise(7, 0.1).at(time));
  }
  const double later = walked.at(kStart);
  EXPECT_EQ(later, ValueNoise(7, 0.1).at(kStart));
  EXPECT_NE(later, ValueNoise(8, 0.1).at(kStart));
}

TEST(ValueNoiseTest, HasAboutItsVolatilityAndBounds) {
  constexpr double kVolatility = 0.1;
  double squares = 0;
  int count = 0;
  for (std::uint64_t key = 0; key < 40; ++key) {
    ValueNoise noise(key, kVolatility);
    double before = noise.at(kStart);
    for (int hour = 1; hour <= 200; ++hour, ++count) {
      const double now = noise.at(kStart + std::chrono::hours{hour});
      EXPECT_LT(std::abs(now), 0.4 * kVolatility);
      squares += (now - before) * (now - before);
      before = now;
    }
  }
  const double per_year = std::sqrt(squares / count * 24 * 365.25);
  EXPECT_GT(per_year, 0.7 * kVolatility);
  EXPECT_LT(per_year, 1.5 * kVolatility);
}

TEST(PricePathTest, PricesAreMultiplesOfTheTickAndNeverCrossed) {
  for (const std::string_view name : default_sim_symbols()) {
    const SimSymbol symbol = sim_symbol(*parse_symbol(name), 3);
    PricePath path(symbol);
    for (int i = 0; i < 2000; ++i) {
      const SimPrices prices = path.at(kStart + i * std::chrono::milliseconds{1357});
      ASSERT_EQ(prices.bid.units % symbol.tick_units, 0) << name;
      ASSERT_EQ(prices.ask.units % symbol.tick_units, 0) << name;
      ASSERT_GT(prices.bid.units, 0) << name;
      ASSERT_GT(prices.ask, prices.bid) << name;
      ASSERT_GT(prices.bid_size.units, 0) << name;
      ASSERT_EQ(prices.bid_size.units % kUnitsPerOne, 0) << name;
      ASSERT_EQ(prices.ask_size.units % kUnitsPerOne, 0) << name;
    }
  }
}

TEST(PricePathTest, NoMoveOfADayIsASpike) {
  for (const std::string_view name : default_sim_symbols()) {
    PricePath path = path_of(name);
    double before = mid(path.at(kStart));
    double low = before;
    double high = before;
    double largest = 0;
    for (int i = 1; i < 86'400; ++i) {
      const double now = mid(path.at(kStart + i * kSecond));
      largest = std::max(largest, std::abs(now / before - 1));
      before = now;
      low = std::min(low, now);
      high = std::max(high, now);
    }
    EXPECT_LT(largest, 0.01) << name;
    EXPECT_LT(high / low, 1.25) << name;
    EXPECT_GT(high / low, 1.0001) << name << " stands still";
  }
}

TEST(PricePathTest, NoWeekendGapIsASpike) {
  for (const std::string_view name : default_sim_symbols()) {
    if (!sim_symbol(*parse_symbol(name), 1).rests_at_weekends) continue;
    PricePath path = path_of(name);
    for (int i = 0; i < 52; ++i) {
      const UnixNanos friday = kStart + i * std::chrono::hours{7 * 24};
      EXPECT_LT(std::abs(mid(path.at(friday + std::chrono::hours{48})) / mid(path.at(friday)) - 1), 0.10) << name;
    }
  }
}

TEST(PricePathTest, CrossesFollowTheirPartsAtEveryMoment) {
  PricePath eurusd = path_of("EURUSD");
  PricePath usdjpy = path_of("USDJPY");
  PricePath eurjpy = path_of("EURJPY");
  for (int i = 0; i < 1000; ++i) {
    const UnixNanos time = kStart + i * std::chrono::hours{5};
    const double product = mid(eurusd.at(time)) * mid(usdjpy.at(time)) / kUnitsPerOne;
    EXPECT_NEAR(mid(eurjpy.at(time)) / product, 1, 5e-5);
  }
}

TEST(PricePathTest, AnotherSeedIsAnotherMarket) {
  EXPECT_NE(path_of("EURUSD", 1).at(kStart).bid, path_of("EURUSD", 2).at(kStart).bid);
}

}  // namespace
}  // namespace tickpipe::internal
