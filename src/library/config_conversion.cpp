#include "library/config_conversion.h"

#include <tickpipe/decimal.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <limits>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/safe_text.h"
#include "model/names.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;

constexpr auto kYear = 365 * 24h;
constexpr std::int64_t kYearSeconds = std::int64_t{365} * 86400;
constexpr std::int64_t kMinSlots = 16;
constexpr std::int64_t kMaxSlots = std::int64_t{1} << 22;
constexpr std::int64_t kMaxRetentionDays = 36500;

[[noreturn]] void fail(std::string_view key, const std::string& what) {
  throw ConfigError(std::string(key) + ": " + what);
}

template <std::integral Integer>
Integer in_range(std::string_view key, Integer value, std::int64_t least, std::int64_t most) {
  const bool is_in = std::cmp_greater_equal(value, least) && std::cmp_less_equal(value, most);
  if (!is_in) {
    fail(key, std::to_string(value) + " is not from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::chrono::nanoseconds in_range(std::string_view key, std::chrono::nanoseconds value, std::chrono::nanoseconds least,
                                  std::chrono::nanoseconds most) {
  if (value < least || value > most) {
    fail(key, std::to_string(value.count()) + " ns is not from " + std::to_string(least.count()) + " to " +
                  std::to_string(most.count()) + " ns");
  }
  return value;
}

/// A decimal of the configuration, in 1e-9.
std::int64_t units(std::string_view key, double value, std::int64_t least) {
  const tickpipe::Decimal decimal(value);
  if (!decimal.is_valid() || decimal.units() < least || decimal.units() > 1'000'000 * kUnitsPerOne) {
    fail(key,
         std::to_string(value) + " is not from " + tickpipe::Decimal::from_units(least).to_string() + " to 1000000");
  }
  return decimal.units();
}

std::vector<Timeframe> timeframes(const std::vector<std::string>& names) {
  constexpr std::string_view kKey = "timeframes";
  std::vector<Timeframe> out;
  for (const std::string& name : names) {
    const auto timeframe = parse_timeframe(name);
    if (!timeframe) fail(kKey, "\"" + safe_text(name) + "\" is no timeframe: Ns, Nm, Nh, 1d or 1w, dividing 24 h");
    out.push_back(*timeframe);
  }
  std::sort(out.begin(), out.end());
  if (out.empty()) fail(kKey, "at least one is needed");
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) fail(kKey, "one is listed twice");
  for (const Timeframe timeframe : out) {
    if (timeframe != kOneWeek && timeframe.length.count() % out.front().length.count() != 0) {
      fail(kKey, timeframe.name() + " is no multiple of the smallest, " + out.front().name());
    }
  }
  return out;
}

void check_day_close(const PipelineConfig& config) {
  constexpr std::string_view kKey = "day_close";
  try {
    std::string culprit;
    const CalendarRules rules(config.day_close, config.day_close_rules);
    if (rules.aligned_to(config.timeframes.front(), &culprit)) return;
    fail(kKey, "\"" + safe_text(culprit) + "\" does not fall on a boundary of the smallest timeframe, " +
                   config.timeframes.front().name());
  } catch (const ConfigError&) {
    throw;
  } catch (const std::exception& error) {
    fail(kKey, safe_text(error.what(), 200));
  }
}

/// `host:port`, or `[v6]:port`.
void check_redis(const PipelineConfig& config) {
  if (config.redis_addr.empty()) return;
  const std::size_t colon = config.redis_addr.rfind(':');
  const std::string_view text = config.redis_addr;
  const std::string_view port = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool is_number = !port.empty() && port.size() <= 5 &&
                         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (colon == 0 || !is_number || std::stoi(std::string(port)) > 65535) {
    fail("redis_addr", "\"" + safe_text(text) + "\" is not host:port");
  }
}

void take_names(const tickpipe::PipelineConfig& from, PipelineConfig& to) {
  for (const std::string& text : from.symbols) {
    const auto symbol = parse_symbol(text);
    if (!symbol) fail("symbols", "\"" + safe_text(text) + "\" is no symbol");
    to.symbols.emplace_back(symbol->view());
  }
  if (to.symbols.size() > to.max_symbols) {
    fail("symbols",
         std::to_string(to.symbols.size()) + " are listed, but max_symbols is " + std::to_string(to.max_symbols));
  }
  for (const std::string& lp : from.quote_source) {
    if (!parse_lp(lp)) fail("quote_source", "\"" + safe_text(lp) + "\" is no LP name");
  }
  to.quote_source = from.quote_source;
}

void take_limits(const tickpipe::PipelineConfig& from, PipelineConfig& to) {
  to.enable_deduplication = from.enable_deduplication;
  to.dedup_window = in_range("dedup_window", from.dedup_window, 0ns, 24h);
  to.enable_out_of_order_check = from.enable_out_of_order_check;
  to.max_tick_age_seconds = in_range("max_tick_age_seconds", from.max_tick_age_seconds, 0, kYearSeconds);
  to.max_future_seconds = in_range("max_future_seconds", from.max_future_seconds, 0, kYearSeconds);
  to.live_tick_age = in_range("live_tick_age", from.live_tick_age, 1ms, kYear);
  to.price_sanity_threshold_units = units("price_sanity_threshold", from.price_sanity_threshold, 1);
  to.price_sanity_action = from.price_sanity_action == tickpipe::PriceSanityAction::kReject ? PriceSanityAction::kReject
                                                                                            : PriceSanityAction::kFlag;
  to.price_reject_ratio_units = units("price_reject_ratio", from.price_reject_ratio, kUnitsPerOne + 1);
  to.max_symbols = in_range("max_symbols", from.max_symbols, 1, 1'000'000);
  to.max_lps = in_range("max_lps", from.max_lps, 1, std::numeric_limits<std::uint16_t>::max());
}

void take_bars(const tickpipe::PipelineConfig& from, PipelineConfig& to) {
  to.timeframes = timeframes(from.timeframes);
  switch (from.bar_price) {
    case tickpipe::BarPrice::kMid:
      to.bar_price = BarPrice::kMid;
      break;
    case tickpipe::BarPrice::kBid:
      to.bar_price = BarPrice::kBid;
      break;
    case tickpipe::BarPrice::kAsk:
      to.bar_price = BarPrice::kAsk;
      break;
  }
  to.bar_close_grace = in_range("bar_close_grace", from.bar_close_grace, 0ns, 1h);
  to.bar_revision_window = in_range("bar_revision_window", from.bar_revision_window, 0ns, kYear);
  to.day_close = from.day_close;
  for (const auto& rule : from.day_close_rules) to.day_close_rules.push_back({rule.match, rule.day_close});
  check_day_close(to);
}

void take_server(const tickpipe::PipelineConfig& from, PipelineConfig& to) {
  to.http.address = from.http.address;
  to.http.port = from.http.port;
  to.http.allow_insecure = from.http.allow_insecure;
  to.http.max_connections = in_range("http.max_connections", from.http.max_connections, 1, 1'000'000);
  to.http.max_body_bytes = in_range("http.max_body_bytes", from.http.max_body_bytes, 1024, 1 << 30);
  to.http.ingest_wait = in_range("http.ingest_wait", from.http.ingest_wait, 0ns, 5min);
  to.ws.compression = from.ws.compression;
  to.ws.client_buffer_bytes = in_range("ws.client_buffer_bytes", from.ws.client_buffer_bytes, 65536, 1 << 30);
  to.ingest.max_line_bytes = in_range("ingest.max_line_bytes", from.ingest.max_line_bytes, 256, 16 << 20);
}

}  // namespace

PipelineConfig checked_config(const tickpipe::PipelineConfig& from) {
  PipelineConfig to;
  to.redis_addr = from.redis_addr;
  to.redis_password = from.redis_password;
  to.redis_db = in_range("redis_db", from.redis_db, 0, 65535);
  check_redis(to);
  to.worker_count = in_range("worker_count", from.worker_count, 1, 256);
  to.tick_buffer_size = in_range("tick_buffer_size", from.tick_buffer_size, kMinSlots, kMaxSlots);
  to.ohlc_buffer_size = in_range("ohlc_buffer_size", from.ohlc_buffer_size, kMinSlots, kMaxSlots);
  to.distribution_buffer_size =
      in_range("distribution_buffer_size", from.distribution_buffer_size, kMinSlots, kMaxSlots);
  take_limits(from, to);
  take_bars(from, to);
  take_names(from, to);
  to.hot_data_retention = in_range("hot_data_retention", from.hot_data_retention, 1, 1'000'000);
  to.warm_data_retention_days =
      in_range("warm_data_retention_days", from.warm_data_retention_days, 0, kMaxRetentionDays);
  to.bar_retention_days = in_range("bar_retention_days", from.bar_retention_days, 0, kMaxRetentionDays);
  to.enable_health_checks = from.enable_health_checks;
  to.health_check_interval = in_range("health_check_interval", from.health_check_interval, 100ms, 24h);
  to.stale_quote_threshold = in_range("stale_quote_threshold", from.stale_quote_threshold, 1ms, kYear);
  in_range("stats_interval", from.stats_interval, 10ms, 24h);
  take_server(from, to);
  to.store.type = from.store.type == tickpipe::StoreType::kNone ? StoreType::kNone : StoreType::kEmbedded;
  to.store.flush_interval = in_range("store.flush_interval", from.store.flush_interval, 0ns, 1min);
  to.store.fsync_interval = in_range("store.fsync_interval", from.store.fsync_interval, 0ns, 1h);
  return to;
}

std::vector<ConfiguredFeed> checked_feeds(const tickpipe::PipelineConfig& config) {
  std::vector<ConfiguredFeed> feeds;
  for (const std::string& text : config.feeds) {
    try {
      feeds.push_back({parse_feed_spec(text), text});
    } catch (const ConfigError& error) {
      fail("feeds", error.what());
    }
  }
  return feeds;
}

}  // namespace tickpipe::internal
