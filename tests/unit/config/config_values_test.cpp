#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/config_testing.h"

namespace tickpipe::internal {
namespace {

using config_testing::load;
using config_testing::only_error;
using config_testing::texts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(ConfigValuesTest, WrongTypesSayWhatIsExpected) {
  EXPECT_EQ(only_error(R"({"worker_count": "4"})"),
            "c.json:1: worker_count: expected a whole number, 1 to 256, got a string; write it without quotes");
  EXPECT_EQ(only_error(R"({"enable_deduplication": 1})"),
            "c.json:1: enable_deduplication: expected true or false, got a number");
  EXPECT_EQ(only_error(R"({"redis_addr": null})"),
            "c.json:1: redis_addr: expected a string, got null; leave the key out to take the default");
  EXPECT_THAT(only_error(R"({"dedup_window": 5})"), HasSubstr(R"(expected a duration such as "500ms")"));
  EXPECT_THAT(only_error(R"({"bar_price": ["mid"]})"), HasSubstr("expected a string, mid, bid or ask, got a list"));
  EXPECT_THAT(only_error(R"({"symbols": {"a": 1}})"), HasSubstr("expected a list of strings, got an object"));
  EXPECT_THAT(only_error(R"({"price_reject_ratio": true})"), HasSubstr("expected a number"));
  EXPECT_THAT(only_error(R"({"http": 8000})"), HasSubstr("expected an object with the keys of this group"));
  EXPECT_THAT(only_error(R"({"day_close": 17})"), HasSubstr("expected \"17:00 America/New_York\""));
  EXPECT_THAT(only_error(R"({"feeds": "sim"})"), HasSubstr("expected a list of feeds"));
  EXPECT_THAT(only_error(R"({"auth": "none"})"), HasSubstr("expected an object such as"));
}

TEST(ConfigValuesTest, NumbersOutsideTheirRangeAreRefused) {
  EXPECT_EQ(only_error(R"({"worker_count": 0})"), "c.json:1: worker_count: 0 is not within 1 to 256");
  for (const char* text :
       {R"({"worker_count": 257})", R"({"worker_count": -1})", R"({"worker_count": 18446744073709551620})",
        R"({"max_lps": 65536})", R"({"max_symbols": 1000001})", R"({"tick_buffer_size": 15})", R"({"redis_db": -1})",
        R"({"http": {"port": 65536}})", R"({"max_future_seconds": -5})", R"({"hot_data_retention": 0})"}) {
    EXPECT_THAT(only_error(text), HasSubstr("is not within ")) << text;
  }
}

TEST(ConfigValuesTest, FractionsAreNoWholeNumbers) {
  for (const char* text : {R"({"worker_count": 4.0})", R"({"worker_count": 4e0})", R"({"worker_count": 2.5})"}) {
    EXPECT_THAT(only_error(text), HasSubstr("is not a whole number")) << text;
  }
}

TEST(ConfigValuesTest, DecimalsAreExact) {
  const ConfigResult result = load(R"({"price_sanity_threshold": 0.100000001, "price_reject_ratio": 2.5e0})");
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_EQ(result.config.price_sanity_threshold_units, 100'000'001);
  EXPECT_EQ(result.config.price_reject_ratio_units, 2'500'000'000);
}

TEST(ConfigValuesTest, DecimalsAreCheckedWithoutRounding) {
  for (const char* text : {R"({"price_reject_ratio": 1})", R"({"price_reject_ratio": 1.0})",
                           R"({"price_reject_ratio": 0})", R"({"price_sanity_threshold": 0})",
                           R"({"price_sanity_threshold": -0.1})", R"({"price_sanity_threshold": 0.0000000001})",
                           R"({"price_reject_ratio": 1e300})", R"({"price_reject_ratio": 1.0000000001})"}) {
    EXPECT_THAT(only_error(text), HasSubstr("is not within ")) << text;
  }
  EXPECT_THAT(only_error(R"({"price_reject_ratio": 1.0000000001})"), HasSubstr("more than 9 decimal places"));
}

TEST(ConfigValuesTest, NotANumberAndInfinityAreRefused) {
  for (const char* value : {"NaN", "nan", "Infinity", "-Infinity", "1e999", "-1e999", ".5", "+1"}) {
    const std::string text = "{\n\"price_sanity_threshold\": " + std::string(value) + "}";
    EXPECT_THAT(only_error(text), ::testing::StartsWith("c.json:2: ")) << value;
  }
}

TEST(ConfigValuesTest, DurationsNeedTheirUnit) {
  EXPECT_THAT(only_error(R"({"dedup_window": "0"})"), HasSubstr("its unit is missing"));
  EXPECT_THAT(only_error(R"({"dedup_window": "-5s"})"), HasSubstr(R"("-5s" is not a duration)"));
  EXPECT_THAT(only_error(R"({"dedup_window": "25h"})"), HasSubstr("is not within 0ms to 1d"));
  EXPECT_THAT(only_error(R"({"dedup_window": "9999999999999d"})"), HasSubstr("is not within"));
  EXPECT_EQ(load(R"({"dedup_window": "0ms"})").config.dedup_window, 0ns);
}

TEST(ConfigValuesTest, AChoiceOutsideItsWordsGetsASuggestion) {
  EXPECT_EQ(only_error(R"({"price_sanity_action": "reect"})"),
            R"(c.json:1: price_sanity_action: "reect" is not flag or reject; did you mean "reject"?)");
  EXPECT_THAT(only_error(R"({"log": {"level": "INFO"}})"), HasSubstr(R"(did you mean "info"?)"));
}

TEST(ConfigValuesTest, TimeframesAreSorted) {
  const ConfigResult result = load(R"({"timeframes": ["1w", "1h", "60s", "1d", "5m"]})");
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_THAT(result.config.timeframes,
              ElementsAre(Timeframe{1min}, Timeframe{5min}, Timeframe{1h}, Timeframe{24h}, kOneWeek));
}

TEST(ConfigValuesTest, BadTimeframesAreNamed) {
  EXPECT_THAT(only_error(R"({"timeframes": []})"), HasSubstr("an empty list"));
  EXPECT_THAT(only_error("{\"timeframes\": [\"1m\",\n\"7m\"]}"),
              HasSubstr("c.json:2: timeframes: \"7m\" is no timeframe"));
  EXPECT_THAT(only_error(R"({"timeframes": ["1m", "2w"]})"), HasSubstr("\"2w\" is no timeframe"));
  EXPECT_THAT(only_error(R"({"timeframes": ["1m", "60s"]})"), HasSubstr("\"60s\" is the same timeframe"));
  EXPECT_THAT(only_error(R"({"timeframes": ["2m", "3m", "1w"]})"),
              HasSubstr("\"3m\" is not a multiple of the smallest timeframe, 2m"));
  EXPECT_THAT(only_error(R"({"timeframes": [60]})"), HasSubstr("expected a list of strings, got a number"));
}

TEST(ConfigValuesTest, ADayCloseMayHaveRules) {
  const ConfigResult result = load(R"({"day_close": {"default": "17:00 America/New_York",
      "rules": [{"match": "btc*", "day_close": "00:00 UTC"}]}})");
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_EQ(result.config.day_close, "17:00 America/New_York");
  ASSERT_EQ(result.config.day_close_rules.size(), 1U);
  EXPECT_EQ(result.config.day_close_rules[0].match, "BTC*");
  EXPECT_EQ(result.config.day_close_rules[0].day_close, "00:00 UTC");
}

TEST(ConfigValuesTest, BadDayClosesAreNamed) {
  EXPECT_THAT(only_error(R"({"day_close": "17:00 America/New_Yrok"})"), HasSubstr("unknown time zone"));
  EXPECT_THAT(only_error(R"({"day_close": "25:00 UTC"})"), HasSubstr("day_close: \"25:00 UTC\": no such time of day"));
  EXPECT_THAT(only_error(R"({"day_close": {"defualt": "00:00 UTC"}})"),
              HasSubstr(R"(day_close.defualt: unknown key; did you mean "default"?)"));
  EXPECT_THAT(only_error("{\"day_close\": {\"rules\": [\n{\"match\": \"B*\"}]}}"),
              HasSubstr("c.json:2: day_close.rules"));
  EXPECT_THAT(only_error(R"({"day_close": {"rules": [{"match": "B $", "day_close": "00:00 UTC"}]}})"),
              HasSubstr("can match no symbol"));
  EXPECT_THAT(only_error(R"({"day_close": {"rules": [{"match": "B*", "day_close": "x"}]}})"),
              HasSubstr("day_close.rules.day_close: \"x\": not a time of day"));
}

TEST(ConfigValuesTest, ADayCloseFallsOnABoundaryOfTheSmallestTimeframe) {
  EXPECT_THAT(
      only_error("{\"timeframes\": [\"1h\"],\n\"day_close\": \"17:30 UTC\"}"),
      HasSubstr("c.json:2: day_close: \"17:30 UTC\" does not fall on a boundary of the smallest timeframe, 1h"));
  EXPECT_TRUE(load(R"({"timeframes": ["30m"], "day_close": "17:30 UTC"})").ok());
  EXPECT_THAT(only_error(R"({"timeframes": ["1h"], "day_close": "00:00 Asia/Kolkata"})"), HasSubstr("Asia/Kolkata"));
  // One problem, not two: the refused list says nothing about the close.
  EXPECT_THAT(only_error(R"({"timeframes": ["7h"], "day_close": "17:30 UTC"})"), HasSubstr("\"7h\" is no timeframe"));
}

TEST(ConfigValuesTest, AQuoteSourceIsLastOrLpNames) {
  EXPECT_TRUE(load(R"({"quote_source": "last"})").config.quote_source.empty());
  EXPECT_THAT(load(R"({"quote_source": "LP1"})").config.quote_source, ElementsAre("LP1"));
  EXPECT_THAT(load(R"({"quote_source": ["b", "A", "b"]})").config.quote_source, ElementsAre("b", "A"));
  EXPECT_THAT(only_error(R"({"quote_source": "LP 1"})"), HasSubstr("\"LP 1\" is not an LP name"));
  EXPECT_THAT(only_error(R"({"quote_source": ["last", "A"]})"), HasSubstr("\"last\" is none"));
  EXPECT_THAT(only_error(R"({"quote_source": []})"), HasSubstr("write \"last\""));
}

TEST(ConfigValuesTest, SymbolsAreUpperCasedAndKeptOnce) {
  EXPECT_THAT(load(R"({"symbols": ["eurusd", "BTC/usd", "EURUSD"]})").config.symbols, ElementsAre("EURUSD", "BTC/USD"));
  EXPECT_THAT(only_error("{\"symbols\": [\"A\",\n\"B..C\"]}"),
              HasSubstr("c.json:2: symbols: \"B..C\" is not a symbol"));
  EXPECT_THAT(only_error(R"({"symbols": ["A", "B"], "max_symbols": 1})"), HasSubstr("2 symbols are listed"));
}

TEST(ConfigValuesTest, AddressesAndOriginsAreChecked) {
  EXPECT_THAT(only_error(R"({"redis_addr": "localhost"})"), HasSubstr("not host:port"));
  EXPECT_THAT(only_error(R"({"redis_addr": "localhost:70000"})"), HasSubstr("not host:port"));
  EXPECT_THAT(only_error(R"({"redis_addr": "user:secret@host:1"})"), ::testing::Not(HasSubstr("secret")));
  EXPECT_THAT(only_error(R"({"http": {"address": ""}})"), HasSubstr("is not an address"));
  EXPECT_THAT(only_error(R"({"http": {"cors_origins": ["example.com"]}})"), HasSubstr("is not an origin"));
  EXPECT_THAT(only_error(R"({"http": {"cors_origins": ["https://example.com/"]}})"), HasSubstr("is not an origin"));
}

TEST(ConfigValuesTest, FeedsAreKeptAsJson) {
  const ConfigResult result = load(R"({"feeds": ["sim", {"type": "sim", /* x */ "rate": 5.50}]})");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.config.feeds_json, R"(["sim",{"type":"sim","rate":5.50}])");
  EXPECT_THAT(only_error("{\"feeds\": [\"sim\",\n7]}"), HasSubstr("c.json:2: feeds: a feed is a text"));
  EXPECT_THAT(only_error("{\"feeds\": [{\"type\": \"sim\",\n\"rat\": 7}]}"), HasSubstr("rat"));
  EXPECT_THAT(only_error(R"({"feeds": [{"rate": 7}]})"), HasSubstr("needs a \"type\""));
  EXPECT_THAT(only_error(R"({"feeds": ["binance:BTCUSDT"]})"), HasSubstr("not in this build"));
  EXPECT_THAT(only_error(R"({"feeds": [{"type": "sim", "rate": {}}]})"), HasSubstr("expected a text"));
}

TEST(ConfigValuesTest, ControlCharactersInTextsAreRefused) {
  EXPECT_THAT(only_error(R"({"log": {"file": "a\u0000b"}})"), HasSubstr("a control character"));
  EXPECT_THAT(only_error(R"({"redis_password": "a\nb"})"), HasSubstr("a control character"));
}

}  // namespace
}  // namespace tickpipe::internal
