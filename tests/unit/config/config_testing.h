#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config_loader.h"
#include "app/config/config_schema.h"

namespace tickpipe::internal::config_testing {

/// Every problem in the form that users see, one a line.
inline std::string texts(const ConfigResult& result) {
  std::string out;
  for (const ConfigProblem& problem : result.problems) out += format_problem(problem) + "\n";
  return out;
}

inline std::vector<std::string> error_lines(const ConfigResult& result) {
  std::vector<std::string> lines;
  for (const ConfigProblem& problem : result.problems) {
    if (!problem.warning) lines.push_back(format_problem(problem));
  }
  return lines;
}

/// Loads a text as the file `c.json`.
inline ConfigResult load(std::string_view text) { return load_config_text(text, "c.json"); }

/// The one error of a text; tells all if there is not exactly one.
inline std::string only_error(std::string_view text) {
  const ConfigResult result = load(text);
  const std::vector<std::string> lines = error_lines(result);
  return lines.size() == 1 ? lines.front() : "not one error but: " + texts(result);
}

/// Every setting as text: two configurations are the same if this is.
inline std::string settings(const PipelineConfig& config) {
  std::string out;
  for (const ConfigEntry& entry : config_schema()) {
    out += std::string(entry.path) + " = " + entry.render(config) + "\n";
  }
  return out;
}

/// One key with a value other than its default, as it stands in a file and in a variable.
struct Setting {
  std::string path;
  std::string json;
  std::string text;
  std::vector<Setting> with = {};  ///< keys without which it makes no sense
};

/// Every key of the documented table, in its order.
inline std::vector<Setting> every_setting() {
  const std::string jwt = R"({"mode":"jwt","jwt":{"alg":"HS256","secret_file":"s"}})";
  return {
      {"role", R"("edge")", "edge", {{"redis_addr", R"("redis:6379")", "redis:6379"}}},
      {"redis_addr", R"("redis:6379")", "redis:6379"},
      {"redis_username", R"("feed")", "feed"},
      {"redis_password", R"("p w,[")", "p w,["},
      {"redis_db", "3", "3"},
      {"redis_tls", "true", "true"},
      {"redis_tls_ca", R"("/etc/ca.pem")", "/etc/ca.pem"},
      {"redis_sentinels", R"(["a:26379", "b:26379"])", "a:26379,b:26379", {{"redis_master", R"("quotes")", "quotes"}}},
      {"redis_master", R"("quotes")", "quotes", {{"redis_sentinels", R"(["a:26379"])", "a:26379"}}},
      {"redis_symbols", R"(["EURUSD", "BTC/USD"])", "eurusd,BTC/USD"},
      {"worker_count", "8", "8"},
      {"tick_buffer_size", "2000", "2000"},
      {"ohlc_buffer_size", "2001", "2001"},
      {"distribution_buffer_size", "2002", "2002"},
      {"enable_deduplication", "false", "false"},
      {"dedup_window", R"("1500ms")", "1.5s"},
      {"enable_out_of_order_check", "false", "0"},
      {"max_tick_age_seconds", "0", "0"},
      {"max_future_seconds", "7", "7"},
      {"live_tick_age", R"("30s")", "30s"},
      {"price_sanity_threshold", "0.123456789", "0.123456789"},
      {"price_sanity_action", R"("reject")", "reject"},
      {"price_reject_ratio", "1.000000001", "1.000000001"},
      {"timeframes", R"(["30s", "1m", "1w"])", "1w, 1m,30s"},
      {"bar_price", R"("bid")", "bid"},
      {"bar_close_grace", R"("0ms")", "0ms"},
      {"bar_revision_window", R"("1h")", "60m"},
      {"day_close", R"("17:00 America/New_York")", "17:00 America/New_York"},
      {"quote_source", R"(["LP1", "lp2"])", "LP1,lp2"},
      {"hot_data_retention", "10", "10"},
      {"warm_data_retention_days", "0", "0"},
      {"bar_retention_days", "365", "365"},
      {"enable_health_checks", "false", "false"},
      {"health_check_interval", R"("5s")", "5s"},
      {"stale_quote_threshold", R"("250ms")", "250ms"},
      {"http.address", R"("127.0.0.2")", "127.0.0.2"},
      {"http.port", "8000", "8000"},
      {"http.allow_insecure", "true", "1"},
      {"http.max_connections", "50", "50"},
      {"http.max_body_bytes", "1048576", "1048576"},
      {"http.ingest_wait", R"("0ms")", "0ms"},
      {"http.cors_origins", R"(["https://a.example", "http://localhost:3000"])",
       "https://a.example, http://localhost:3000"},
      {"ws.compression", "false", "false"},
      {"ws.client_buffer_bytes", "65536", "65536"},
      {"ingest.max_line_bytes", "4096", "4096"},
      {"store.type", R"("none")", "none"},
      {"store.flush_interval", R"("5ms")", "5ms"},
      {"store.fsync_interval", R"("0ms")", "0ms"},
      {"symbols", R"(["EURUSD", "BTC/USD"])", "eurusd,BTC/USD"},
      {"max_symbols", "2", "2"},
      {"max_lps", "65535", "65535"},
      {"feeds", R"(["sim:EURUSD,BTCUSD"])", "sim:EURUSD,BTCUSD"},
      {"log.level", R"("debug")", "debug"},
      {"log.format", R"("json")", "json"},
      {"log.file", R"("/var/log/tickpipe.log")", "/var/log/tickpipe.log"},
      {"auth", jwt, jwt},
  };
}

}  // namespace tickpipe::internal::config_testing
