#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
enum class PriceSanityAction : std::uint8_t { kFlag, kReject };
enum class BarPrice : std::uint8_t { kMid, kBid, kAsk };
enum class StoreType : std::uint8_t { kEmbedded, kNone };

/// Takes a line of the log. Called from any thread, one call at a time; what it throws is dropped. It must not call the
/// pipeline and must not block for long. `message` is printable ASCII and holds no secret.
using LogCallback = std::function<void(LogLevel level, std::string_view component, std::string_view message)>;

/// Every setting of a pipeline with its default. Where 0 means something, the comment says what. The names are those of
/// the configuration file; docs/configuration.md tells what each does. No environment variable and no file is read.
struct PipelineConfig {
  /// False: the pipeline is off. Nothing is checked, opened or created, no thread is started, and every call is a no-op
  /// of a few nanoseconds.
  bool enabled = true;
  /// Where ticks and bars are kept; created if it is not there. A relative path is taken from the working directory at
  /// construction. One process and one pipeline at a time. Not touched with store.type kNone.
  std::filesystem::path data_dir = "data";

  // Redis
  std::string redis_addr;  ///< host:port; empty = no Redis
  std::string redis_password;
  int redis_db = 0;

  // Shards and queues
  std::uint32_t worker_count = 4;                 ///< shards, 1 to 256, a thread each
  std::uint32_t tick_buffer_size = 10000;         ///< slots of each shard's inbox; a call that finds none is queue_full
  std::uint32_t ohlc_buffer_size = 1000;          ///< slots of the bar queue
  std::uint32_t distribution_buffer_size = 5000;  ///< quotes that may wait for subscriptions and streams

  // What is accepted
  bool enable_deduplication = true;
  std::chrono::nanoseconds dedup_window = std::chrono::seconds{5};
  bool enable_out_of_order_check = true;
  std::int64_t max_tick_age_seconds = 600;  ///< 0 = no limit
  std::int64_t max_future_seconds = 5;      ///< 0 = no limit
  std::chrono::nanoseconds live_tick_age = std::chrono::seconds{60};
  double price_sanity_threshold = 0.10;  ///< relative move that is a spike
  PriceSanityAction price_sanity_action = PriceSanityAction::kFlag;
  double price_reject_ratio = 5.0;  ///< more than 1

  // Bars
  std::vector<std::string> timeframes = {"1m", "5m", "15m", "1h", "4h", "1d"};
  BarPrice bar_price = BarPrice::kMid;
  std::chrono::nanoseconds bar_close_grace = std::chrono::seconds{2};
  std::chrono::nanoseconds bar_revision_window = std::chrono::minutes{10};
  std::string day_close = "00:00 UTC";
  struct DayCloseRule {
    std::string match;  ///< `BTC*`
    std::string day_close;
  };
  std::vector<DayCloseRule> day_close_rules;
  std::vector<std::string> quote_source;  ///< LPs that make up the selected stream; empty = all (`last`)

  // Retention
  std::uint32_t hot_data_retention = 1000;      ///< ticks a symbol in memory
  std::uint32_t warm_data_retention_days = 30;  ///< ticks; 0 = for ever
  std::uint32_t bar_retention_days = 0;         ///< 0 = for ever

  // Health
  bool enable_health_checks = true;
  std::chrono::nanoseconds health_check_interval = std::chrono::seconds{30};
  std::chrono::nanoseconds stale_quote_threshold = std::chrono::seconds{10};
  /// Between two lines of statistics, once IntegrationAdapter::start_monitoring() was called.
  std::chrono::nanoseconds stats_interval = std::chrono::seconds{30};

  struct Http {
    bool enabled = false;  ///< true: listens with a server of its own; false: no port is opened
    std::string address = "127.0.0.1";
    std::uint16_t port = 7999;  ///< 0 = any that is free
    bool allow_insecure = false;
    std::uint32_t max_connections = 20000;
    std::uint64_t max_body_bytes = 8388608;
    std::chrono::nanoseconds ingest_wait = std::chrono::seconds{5};
  } http;

  struct WebSocket {
    bool compression = true;
    std::uint64_t client_buffer_bytes = 1048576;
  } ws;

  struct Ingest {
    std::uint64_t max_line_bytes = 65536;
  } ingest;

  struct Store {
    StoreType type = StoreType::kEmbedded;       ///< kNone keeps nothing
    std::chrono::nanoseconds flush_interval{0};  ///< 0 = commit as soon as the last one is written
    std::chrono::nanoseconds fsync_interval = std::chrono::seconds{1};  ///< 0 = fsync with every commit
  } store;

  std::vector<std::string> symbols;  ///< allow-list; empty = any
  std::uint32_t max_symbols = 10000;
  std::uint32_t max_lps = 256;

  std::vector<std::string> feeds;  ///< further sources, as `--feed` takes them: `sim:EURUSD`, `replay:FILE`

  struct Log {
    LogCallback callback;  ///< empty = no log
    LogLevel level = LogLevel::kInfo;
  } log;
};

}  // namespace tickpipe
