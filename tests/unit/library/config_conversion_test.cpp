#include "library/config_conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using Public = tickpipe::PipelineConfig;
using ::testing::StartsWith;

TEST(ConfigConversionTest, BothHaveTheSameDefaults) {
  const PipelineConfig made = checked_config(Public{});
  const PipelineConfig own;
  EXPECT_EQ(made.redis_addr, own.redis_addr);
  EXPECT_EQ(made.redis_db, own.redis_db);
  EXPECT_EQ(made.worker_count, own.worker_count);
  EXPECT_EQ(made.tick_buffer_size, own.tick_buffer_size);
  EXPECT_EQ(made.ohlc_buffer_size, own.ohlc_buffer_size);
  EXPECT_EQ(made.distribution_buffer_size, own.distribution_buffer_size);
  EXPECT_EQ(made.enable_deduplication, own.enable_deduplication);
  EXPECT_EQ(made.dedup_window, own.dedup_window);
  EXPECT_EQ(made.enable_out_of_order_check, own.enable_out_of_order_check);
  EXPECT_EQ(made.max_tick_age_seconds, own.max_tick_age_seconds);
  EXPECT_EQ(made.max_future_seconds, own.max_future_seconds);
  EXPECT_EQ(made.live_tick_age, own.live_tick_age);
  EXPECT_EQ(made.price_sanity_threshold_units, own.price_sanity_threshold_units);
  EXPECT_EQ(made.price_sanity_action, own.price_sanity_action);
  EXPECT_EQ(made.price_reject_ratio_units, own.price_reject_ratio_units);
  EXPECT_EQ(made.timeframes, own.timeframes);
  EXPECT_EQ(made.bar_price, own.bar_price);
  EXPECT_EQ(made.bar_close_grace, own.bar_close_grace);
  EXPECT_EQ(made.bar_revision_window, own.bar_revision_window);
  EXPECT_EQ(made.day_close, own.day_close);
  EXPECT_EQ(made.quote_source, own.quote_source);
  EXPECT_EQ(made.hot_data_retention, own.hot_data_retention);
  EXPECT_EQ(made.warm_data_retention_days, own.warm_data_retention_days);
  EXPECT_EQ(made.bar_retention_days, own.bar_retention_days);
  EXPECT_EQ(made.enable_health_checks, own.enable_health_checks);
  EXPECT_EQ(made.health_check_interval, own.health_check_interval);
  EXPECT_EQ(made.stale_quote_threshold, own.stale_quote_threshold);
  EXPECT_EQ(made.http.address, own.http.address);
  EXPECT_EQ(made.http.port, own.http.port);
  EXPECT_EQ(made.http.allow_insecure, own.http.allow_insecure);
  EXPECT_EQ(made.http.max_connections, own.http.max_connections);
  EXPECT_EQ(made.http.max_body_bytes, own.http.max_body_bytes);
  EXPECT_EQ(made.http.ingest_wait, own.http.ingest_wait);
  EXPECT_EQ(made.ws.compression, own.ws.compression);
  EXPECT_EQ(made.ws.client_buffer_bytes, own.ws.client_buffer_bytes);
  EXPECT_EQ(made.ingest.max_line_bytes, own.ingest.max_line_bytes);
  EXPECT_EQ(made.store.type, own.store.type);
  EXPECT_EQ(made.store.flush_interval, own.store.flush_interval);
  EXPECT_EQ(made.store.fsync_interval, own.store.fsync_interval);
  EXPECT_EQ(made.symbols, own.symbols);
  EXPECT_EQ(made.max_symbols, own.max_symbols);
  EXPECT_EQ(made.max_lps, own.max_lps);
}

TEST(ConfigConversionTest, TakesOverEverythingThatIsSet) {
  Public config;
  config.redis_addr = "localhost:6379";
  config.timeframes = {"5m", "1m", "1w"};
  config.bar_price = tickpipe::BarPrice::kAsk;
  config.price_sanity_action = tickpipe::PriceSanityAction::kReject;
  config.price_reject_ratio = 2.5;
  config.symbols = {"eurusd", "BTCUSD"};
  config.quote_source = {"LP1"};
  config.day_close = "17:00 America/New_York";
  config.day_close_rules = {{"BTC*", "00:00 UTC"}};
  config.store.type = tickpipe::StoreType::kNone;
  const PipelineConfig made = checked_config(config);
  EXPECT_EQ(made.redis_addr, "localhost:6379");
  EXPECT_EQ(made.timeframes, (std::vector{Timeframe{1min}, Timeframe{5min}, kOneWeek}));
  EXPECT_EQ(made.bar_price, BarPrice::kAsk);
  EXPECT_EQ(made.price_sanity_action, PriceSanityAction::kReject);
  EXPECT_EQ(made.price_reject_ratio_units, 2'500'000'000);
  EXPECT_EQ(made.symbols, (std::vector<std::string>{"EURUSD", "BTCUSD"}));
  EXPECT_EQ(made.quote_source, std::vector<std::string>{"LP1"});
  EXPECT_EQ(made.day_close_rules.size(), 1U);
  EXPECT_EQ(made.store.type, StoreType::kNone);
}

struct BadValue {
  std::string key;
  std::function<void(Public&)> set;
};

class BadConfigTest : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadConfigTest, IsRefusedByTheNameOfItsKey) {
  Public config;
  GetParam().set(config);
  try {
    checked_config(config);
    checked_feeds(config);
    FAIL() << "taken";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), StartsWith(GetParam().key));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadConfigTest,
    ::testing::Values(BadValue{"redis_addr", [](Public& c) { c.redis_addr = "localhost"; }},
                      BadValue{"redis_addr", [](Public& c) { c.redis_addr = "localhost:70000"; }},
                      BadValue{"redis_db", [](Public& c) { c.redis_db = -1; }},
                      BadValue{"worker_count", [](Public& c) { c.worker_count = 0; }},
                      BadValue{"worker_count", [](Public& c) { c.worker_count = 257; }},
                      BadValue{"tick_buffer_size", [](Public& c) { c.tick_buffer_size = 15; }},
                      BadValue{"dedup_window", [](Public& c) { c.dedup_window = -1ns; }},
                      BadValue{"max_tick_age_seconds", [](Public& c) { c.max_tick_age_seconds = -1; }},
                      BadValue{"price_sanity_threshold", [](Public& c) { c.price_sanity_threshold = 0; }},
                      BadValue{"price_sanity_threshold", [](Public& c) { c.price_sanity_threshold = 1e12; }},
                      BadValue{"price_reject_ratio", [](Public& c) { c.price_reject_ratio = 1.0; }},
                      BadValue{"timeframes", [](Public& c) { c.timeframes.clear(); }},
                      BadValue{"timeframes", [](Public& c) { c.timeframes = {"7m"}; }},
                      BadValue{"timeframes",
                               [](Public& c) {
                                 c.timeframes = {"1m", "60s"};
                               }},
                      BadValue{"timeframes",
                               [](Public& c) {
                                 c.timeframes = {"10m", "15m"};
                               }},
                      BadValue{"day_close", [](Public& c) { c.day_close = "25:00 UTC"; }},
                      BadValue{"day_close", [](Public& c) { c.timeframes = {"1h"}, c.day_close = "17:30 UTC"; }},
                      BadValue{"symbols", [](Public& c) { c.symbols = {"EUR USD"}; }},
                      BadValue{"symbols",
                               [](Public& c) {
                                 c.symbols = {"A", "B"}, c.max_symbols = 1;
                               }},
                      BadValue{"quote_source", [](Public& c) { c.quote_source = {"an LP"}; }},
                      BadValue{"hot_data_retention", [](Public& c) { c.hot_data_retention = 0; }},
                      BadValue{"health_check_interval", [](Public& c) { c.health_check_interval = 1ms; }},
                      BadValue{"stats_interval", [](Public& c) { c.stats_interval = 0ms; }},
                      BadValue{"http.max_body_bytes", [](Public& c) { c.http.max_body_bytes = 1; }},
                      BadValue{"http.ingest_wait", [](Public& c) { c.http.ingest_wait = 1h; }},
                      BadValue{"ws.client_buffer_bytes", [](Public& c) { c.ws.client_buffer_bytes = 1; }},
                      BadValue{"ingest.max_line_bytes", [](Public& c) { c.ingest.max_line_bytes = 1; }},
                      BadValue{"store.flush_interval", [](Public& c) { c.store.flush_interval = 2min; }},
                      BadValue{"max_lps", [](Public& c) { c.max_lps = 70'000; }},
                      BadValue{"feeds", [](Public& c) { c.feeds = {"nothing:known"}; }}));

}  // namespace
}  // namespace tickpipe::internal
