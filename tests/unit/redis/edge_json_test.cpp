#include "redis/edge_json.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/json_writer.h"
#include "core/timestamp_text.h"
#include "model/market_json.h"

namespace tickpipe::internal {
namespace {

Tick some_tick() {
  Tick tick;
  tick.ts_event = *parse_timestamp("2026-01-15T22:00:00.123456789Z");
  tick.ts_recv = tick.ts_event + std::chrono::microseconds{7};
  tick.bid = Price{1'164'500'000};
  tick.ask = Price{1'164'520'000};
  tick.seq = 42;
  return tick;
}

std::string json_of(const Tick& tick, const char* more = "") {
  JsonWriter json(256);
  json.literal("{");
  write_quote_members(json, tick, "EURUSD", "LP-1");
  write_size_members(json, tick);
  write_flags_member(json, tick);
  json.raw(more);
  json.close('}');
  return json.take();
}

std::string json_of(const Bar& bar) {
  JsonWriter json(256);
  json.raw(R"({"symbol":"EUR/USD","timeframe":"5m",)");
  write_bar_members(json, bar);
  json.close('}');
  return json.take();
}

Bar some_bar() {
  Bar bar;
  bar.open_time = *parse_timestamp("2026-01-15T22:00:00Z");
  bar.close_time = bar.open_time + std::chrono::minutes{5};
  bar.open = Price{3};
  bar.high = Price{9'223'372'036'854'775'807};
  bar.low = Price{1};
  bar.close = Price{2};
  bar.tick_count = 7;
  bar.revision = 3;
  bar.is_closed = true;
  return bar;
}

TEST(EdgeJsonTest, AQuoteIsReadExactly) {
  Tick tick = some_tick();
  const auto quote = parse_edge_quote(json_of(tick, R"("skipped":3,)"));
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->symbol.view(), "EURUSD");
  EXPECT_EQ(quote->lp.view(), "LP-1");
  EXPECT_EQ(quote->tick, tick);
  tick.bid_size = Quantity{0};
  tick.ask_size = Quantity{123'456'789'012'345'678};
  tick.flags = kOutOfOrder | kSpike | kLateForBars | kUnselected | kAfterGap;
  EXPECT_EQ(parse_edge_quote(json_of(tick))->tick, tick);
}

TEST(EdgeJsonTest, RandomQuotesComeBackAsTheyWere) {
  std::mt19937_64 random(7);
  const auto up_to = [&random](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(1, most)(random);
  };
  for (int i = 0; i < 20'000; ++i) {
    Tick tick = some_tick();
    tick.bid = Price{up_to(std::int64_t{1} << up_to(62))};
    tick.ask = Price{tick.bid.units + up_to(1'000)};
    tick.ts_event = UnixNanos{kFirstTickTime.ns + up_to(kEndOfTickTime.ns - kFirstTickTime.ns - 1)};
    tick.ts_recv = UnixNanos{kFirstTickTime.ns + up_to(kEndOfTickTime.ns - kFirstTickTime.ns - 1)};
    tick.seq = static_cast<std::uint64_t>(up_to(std::numeric_limits<std::int64_t>::max()));
    if (up_to(2) == 1) tick.bid_size = Quantity{up_to(std::numeric_limits<std::int64_t>::max())};
    tick.flags = static_cast<std::uint8_t>(up_to(32) - 1);
    const auto quote = parse_edge_quote(json_of(tick));
    ASSERT_TRUE(quote) << json_of(tick);
    ASSERT_EQ(json_of(quote->tick), json_of(tick));
    ASSERT_EQ(quote->tick, tick);
  }
}

TEST(EdgeJsonTest, ABarIsReadWhole) {
  Bar bar = some_bar();
  for (const Int128 traded : {Int128{0}, Int128{1}, Int128{9'223'372'036'854'775'807} * 1'000'000'007}) {
    bar.trade_volume = traded;
    bar.trade_count = traded == 0 ? 0 : 5;
    const auto found = parse_edge_bar(json_of(bar));
    ASSERT_TRUE(found) << json_of(bar);
    EXPECT_EQ(found->symbol.view(), "EUR/USD");
    EXPECT_EQ(found->timeframe, Timeframe{std::chrono::minutes{5}});
    EXPECT_EQ(json_of(found->bar), json_of(bar));
    EXPECT_TRUE(found->bar.volume() == bar.volume());
  }
  bar.is_closed = false;
  EXPECT_FALSE(parse_edge_bar(json_of(bar))->bar.is_closed);
}

TEST(EdgeJsonTest, OrderAndSpaceDoNotMatter) {
  const auto quote = parse_edge_quote(
      " {\t\"seq\" : 1 , \"received_at\":\"2026-01-15T22:00:01Z\",\"source\":\"A\",\n\"timestamp\":"
      "\"2026-01-15T22:00:00Z\",\"ask\":2,\"unknown\":[\"a\" , \"b\"],\"other\":null,\"bid\":1,\"symbol\":\"X\"} \r\n");
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->tick.ask, Price{2'000'000'000});
}

TEST(EdgeJsonTest, WhatNoNodeWritesIsRefused) {
  const std::string good = json_of(some_tick(), R"("flags":["spike"],)");
  ASSERT_TRUE(parse_edge_quote(good));
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"bid\":1.1645", "\"bid\":0"},
      {"\"bid\":1.1645", "\"bid\":-1"},
      {"\"bid\":1.1645", "\"bid\":2"},
      {"\"bid\":1.1645", "\"bid\":\"1.1645\""},
      {"\"bid\":1.1645", "\"bid\":1.16450000001"},
      {"\"bid\":1.1645", "\"bid\":01"},
      {"\"bid\":1.1645", "\"bid\":true"},
      {"\"bid\":1.1645", "\"bid\":"},
      {"\"bid\":1.1645", "\"bid\":{}"},
      {"\"bid\":1.1645,", ""},
      {"\"bid\":1.1645", "\"bid\":1.1645,\"bid\":1.1645"},
      {"\"seq\":42", "\"seq\":0"},
      {"\"seq\":42", "\"seq\":4.2"},
      {"\"seq\":42", "\"seq\":-42"},
      {"\"seq\":42", "\"seq\":18446744073709551616"},
      {"EURUSD\"", "eurusd\""},
      {"EURUSD\"", "EUR\\u0055SD\""},
      {"EURUSD\"", "EUR\x01\""},
      {"LP-1", "L P"},
      {"2026-01-15T22:00:00.123456789Z", "yesterday"},
      {"2026-01-15T22:00:00.123456789Z", "1960-01-01T00:00:00Z"},
      {"[\"spike\"]", "[\"spike\",]"},
      {"[\"spike\"]", "[1]"},
      {"[\"spike\"]", "\"spike\""},
      {"[\"spike\"]", "[\"spike\""},
      {"}", ""},
      {"}", "}}"},
      {"}", ",}"},
      {"{", ""},
  };
  for (const auto& [from, to] : changes) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_FALSE(parse_edge_quote(bad)) << bad;
  }
  const std::string bar = json_of(some_bar());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"5m\"", "\"7m\""},
           {"\"tick_count\":7", "\"tick_count\":0"},
           {"\"is_closed\":true", "\"is_closed\":null"},
           {"\"is_closed\":true", "\"is_closed\":\"true\""},
           {"\"revision\":3", "\"revision\":4294967296"},
           {"\"low\":0.000000001", "\"low\":0.000000004"},
           {"\"volume\":7", "\"volume\":-7"},
           {"\"volume\":7", "\"volume\":1e3"},
           {"\"volume\":7", "\"volume\":100000000000000000000000000000000"},
           {"2026-01-15T22:05", "2026-01-15T22:00"},
           {"2026-01-15T22:05:00.000", "2026-01-15T22:05:00.001"}}) {
    std::string bad = bar;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_FALSE(parse_edge_bar(bad)) << bad;
  }
}

TEST(EdgeJsonTest, AnyPieceAndAnyDamageIsSurvived) {
  const std::string quote = json_of(some_tick(), R"("flags":["spike","gap"],)");
  const std::string bar = json_of(some_bar());
  std::mt19937 random(11);
  for (const std::string& text : {quote, bar}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      const std::string piece = text.substr(0, size);  // of its own, so that reading on would be seen
      EXPECT_FALSE(parse_edge_quote(piece));
      EXPECT_FALSE(parse_edge_bar(piece));
    }
    for (int i = 0; i < 50'000; ++i) {
      std::string damaged = text;
      for (int changes = 0; changes < 3; ++changes) damaged[random() % damaged.size()] = static_cast<char>(random());
      if (const auto found = parse_edge_quote(damaged)) {
        EXPECT_GT(found->tick.bid.units, 0);
        EXPECT_LE(found->tick.bid, found->tick.ask);
        EXPECT_GT(found->tick.seq, 0U);
      }
      if (const auto found = parse_edge_bar(damaged)) {
        EXPECT_LE(found->bar.low, found->bar.high);
      }
    }
  }
}

}  // namespace
}  // namespace tickpipe::internal
