#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "core/timestamp_text.h"
#include "model/market_json.h"
#include "redis/edge_view.h"

namespace tickpipe::internal::testing {

using namespace std::chrono_literals;

inline const UnixNanos kNow = *parse_timestamp("2026-01-15T22:00:00Z");

/// What a node would have, one symbol and LP, and the edge's own data of it.
struct EdgeMarket {
  explicit EdgeMarket(std::size_t kept_ticks = 1000)
      : data("e1", {.timeframes = {Timeframe{1min}, Timeframe{5min}}, .kept_ticks = kept_ticks}, calendars) {}

  /// A live quote `age` old; its times grow with its seq.
  static Tick tick(std::uint64_t seq, std::chrono::nanoseconds age = 0s, std::uint8_t flags = 0) {
    Tick tick;
    tick.seq = seq;
    tick.ts_recv = kNow + std::chrono::milliseconds{seq};
    tick.ts_event = tick.ts_recv - age;
    tick.bid = Price{static_cast<std::int64_t>(1'000'000'000 + seq)};
    tick.ask = Price{2'000'000'000};
    tick.flags = flags;
    return tick;
  }
  static std::vector<Tick> ticks(std::uint64_t first, std::uint64_t last) {
    std::vector<Tick> all;
    for (std::uint64_t seq = first; seq <= last; ++seq) all.push_back(tick(seq));
    return all;
  }
  static std::string json(const Tick& tick, const std::string& symbol = "EURUSD") {
    JsonWriter json(256);
    json.literal("{");
    write_quote_members(json, tick, symbol, "LP1");
    write_flags_member(json, tick);
    json.close('}');
    return json.take();
  }
  static std::vector<std::string> jsons(const std::vector<Tick>& ticks) {
    std::vector<std::string> all;
    for (const Tick& one : ticks) all.push_back(json(one));
    return all;
  }
  static Bar bar(int minute, std::uint64_t tick_count, bool is_closed, std::uint32_t revision = 0) {
    Bar bar;
    bar.open_time = kNow + minute * 1min;
    bar.close_time = bar.open_time + 1min;
    bar.open = bar.high = bar.low = bar.close = Price{5};
    bar.first_tick = bar.last_tick = bar.open_time;
    bar.tick_count = tick_count;
    bar.is_closed = is_closed;
    bar.revision = revision;
    return bar;
  }
  static std::string json(const Bar& bar, const std::string& timeframe = "1m") {
    JsonWriter json(256);
    json.raw(R"({"symbol":"EURUSD","timeframe":")" + timeframe + R"(",)");
    write_bar_members(json, bar);
    json.close('}');
    return json.take();
  }

  CalendarRules calendars{"00:00 UTC", {}};
  EdgeData data;
};

inline std::vector<std::uint64_t> seqs(const std::vector<Tick>& ticks) {
  std::vector<std::uint64_t> all;
  for (const Tick& one : ticks) all.push_back(one.seq);
  return all;
}

}  // namespace tickpipe::internal::testing
