#include "feed/sim_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/decimal.h"

namespace tickpipe::internal {
namespace {

SimSymbol symbol(std::string_view name, std::uint64_t seed = 1) { return sim_symbol(*parse_symbol(name), seed); }

std::string tick_of(std::string_view name) { return decimal_to_string(symbol(name).tick_units); }

TEST(SimSymbolsTest, ThereAreFiftyDifferentValidOnes) {
  std::set<std::string_view> names;
  for (const std::string_view name : default_sim_symbols()) {
    ASSERT_TRUE(parse_symbol(name)) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.size(), 50U);
}

TEST(SimSymbolsTest, EveryDefaultSymbolHasPlausibleFigures) {
  for (const std::string_view name : default_sim_symbols()) {
    const SimSymbol model = symbol(name);
    SCOPED_TRACE(name);
    EXPECT_EQ(model.symbol.view(), name);
    EXPECT_GT(model.weight, 0);
    EXPECT_GE(model.lot, 1);
    EXPECT_GT(model.spread, 0);
    EXPECT_LT(model.spread, 0.005);
    EXPECT_LE(static_cast<double>(model.tick_units) * 1e-9, model.level * 1e-3);
    EXPECT_GT(model.base.volatility + model.quote.volatility, 0);
  }
}

TEST(SimSymbolsTest, DigitsAreThoseOfTheMarket) {
  EXPECT_EQ(tick_of("EURUSD"), "0.00001");
  EXPECT_EQ(tick_of("USDJPY"), "0.001");
  EXPECT_EQ(tick_of("GBPJPY"), "0.001");
  EXPECT_EQ(tick_of("XAUUSD"), "0.01");
  EXPECT_EQ(tick_of("XAGUSD"), "0.001");
  EXPECT_EQ(tick_of("BTCUSD"), "0.01");
  EXPECT_EQ(tick_of("ETHUSD"), "0.01");
  EXPECT_EQ(tick_of("DOGEUSD"), "0.00001");
  EXPECT_EQ(tick_of("JPYUSD"), "0.000001");
}

TEST(SimSymbolsTest, CrossesFitTheirParts) {
  EXPECT_NEAR(symbol("EURUSD").level * symbol("USDJPY").level, symbol("EURJPY").level, 1e-9);
  EXPECT_EQ(symbol("EURJPY").base.key, symbol("EURUSD").base.key);
  EXPECT_EQ(symbol("EURJPY").quote.key, symbol("USDJPY").quote.key);
  EXPECT_EQ(symbol("DKKUSD").base.key, symbol("EURUSD").base.key);
}

TEST(SimSymbolsTest, FxAndMetalsRestAtWeekendsAndCryptoDoesNot) {
  for (const auto* name : {"EURUSD", "EURJPY", "USDTRY", "XAUUSD", "XAU/EUR"}) {
    EXPECT_TRUE(symbol(name).rests_at_weekends) << name;
  }
  for (const auto* name : {"BTCUSD", "BTCUSDT", "ETH-EUR", "EURUSDT", "FOO"}) {
    EXPECT_FALSE(symbol(name).rests_at_weekends) << name;
  }
}

TEST(SimSymbolsTest, SpellingsOfOneAssetShareItsPrice) {
  const SimSymbol model = symbol("BTCUSD");
  for (const auto* name : {"BTC/USD", "BTC-USD", "BTCUSDT", "XBTUSD", "BTCPERP", "BTC_USDC"}) {
    EXPECT_EQ(symbol(name).level, model.level) << name;
    EXPECT_EQ(symbol(name).base.key, model.base.key) << name;
  }
  EXPECT_NEAR(symbol("USDTRY").level, 42.9, 1);  // not the stablecoin USDT
  EXPECT_NE(symbol("BTCUSDT").key, model.key);
}

TEST(SimSymbolsTest, UnknownSymbolsHaveAPriceOfTheirOwn) {
  const SimSymbol foo = symbol("FOO");
  EXPECT_GE(foo.level, 1);
  EXPECT_LE(foo.level, 200);
  EXPECT_EQ(foo.tick_units, 10'000);
  EXPECT_NE(foo.level, symbol("BAR").level);
  EXPECT_EQ(foo.level, symbol("FOO", 2).level);
  EXPECT_NE(foo.base.key, symbol("FOO", 2).base.key);
}

}  // namespace
}  // namespace tickpipe::internal
