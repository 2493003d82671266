#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "model/timeframe.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {

enum class PriceSanityAction : std::uint8_t { kFlag, kReject };
enum class BarPrice : std::uint8_t { kMid, kBid, kAsk };
enum class StoreType : std::uint8_t { kEmbedded, kNone };
enum class Role : std::uint8_t {
  kNode,  ///< takes quotes in and keeps them
  kEdge,  ///< serves what a node has written to Redis
};

/// Every setting of a pipeline with its default. Where 0 means something, the comment says what.
struct PipelineConfig {
  Role role = Role::kNode;

  // Redis
  std::string redis_addr;      ///< host:port; empty = no Redis, unless there are sentinels
  std::string redis_username;  ///< empty = the default user
  std::string redis_password;  ///< empty = none is sent
  int redis_db = 0;
  bool redis_tls = false;
  std::string redis_tls_ca;                  ///< file; empty = whom the system trusts
  std::vector<std::string> redis_sentinels;  ///< host:port
  std::string redis_master;                  ///< as the sentinels know it
  std::vector<std::string> redis_symbols;    ///< which go to Redis, upper case; empty = all

  // Shards and queues
  std::uint32_t worker_count = 4;                 ///< shards, 1 to 256; a symbol always belongs to one of them
  std::uint32_t tick_buffer_size = 10000;         ///< slots of each shard's inbox
  std::uint32_t ohlc_buffer_size = 1000;          ///< slots of the bar queue
  std::uint32_t distribution_buffer_size = 5000;  ///< slots of the client hub

  // What is accepted
  bool enable_deduplication = true;
  std::chrono::nanoseconds dedup_window = std::chrono::seconds{5};
  bool enable_out_of_order_check = true;
  std::int64_t max_tick_age_seconds = 600;  ///< live ticks only; 0 = no limit
  std::int64_t max_future_seconds = 5;      ///< every path; 0 = no limit
  std::chrono::nanoseconds live_tick_age = std::chrono::seconds{60};
  std::int64_t price_sanity_threshold_units = 100'000'000;  ///< relative move that is a spike, in 1e-9
  PriceSanityAction price_sanity_action = PriceSanityAction::kFlag;
  std::int64_t price_reject_ratio_units = 5'000'000'000;  ///< in 1e-9; more than 1

  // Bars
  std::vector<Timeframe> timeframes = {Timeframe{std::chrono::minutes{1}},  Timeframe{std::chrono::minutes{5}},
                                       Timeframe{std::chrono::minutes{15}}, Timeframe{std::chrono::hours{1}},
                                       Timeframe{std::chrono::hours{4}},    Timeframe{std::chrono::hours{24}}};
  BarPrice bar_price = BarPrice::kMid;
  std::chrono::nanoseconds bar_close_grace = std::chrono::seconds{2};
  std::chrono::nanoseconds bar_revision_window = std::chrono::minutes{10};
  std::string day_close = "00:00 UTC";
  std::vector<CalendarRules::Rule> day_close_rules;
  std::vector<std::string> quote_source;  ///< LPs that make up the selected stream; empty = all (`last`)

  // Retention
  std::uint32_t hot_data_retention = 1000;      ///< ticks a symbol
  std::uint32_t warm_data_retention_days = 30;  ///< ticks; 0 = for ever
  std::uint32_t bar_retention_days = 0;         ///< 0 = for ever

  // Health
  bool enable_health_checks = true;
  std::chrono::nanoseconds health_check_interval = std::chrono::seconds{30};
  std::chrono::nanoseconds stale_quote_threshold = std::chrono::seconds{10};

  struct Http {
    std::string address = "127.0.0.1";
    std::uint16_t port = 7999;
    bool allow_insecure = false;
    std::uint32_t max_connections = 20000;
    std::uint64_t max_body_bytes = 8388608;
    std::chrono::nanoseconds ingest_wait = std::chrono::seconds{5};
    std::vector<std::string> cors_origins;
  } http;

  struct WebSocket {
    bool compression = true;                      ///< permessage-deflate for clients that offer it
    std::uint64_t client_buffer_bytes = 1048576;  ///< unsent closed bars of a client; beyond it is closed
  } ws;

  struct Ingest {
    std::uint64_t max_line_bytes = 65536;
  } ingest;

  struct Store {
    StoreType type = StoreType::kEmbedded;
    std::chrono::nanoseconds flush_interval{0};  ///< 0 = commit as soon as the last one is written
    std::chrono::nanoseconds fsync_interval = std::chrono::seconds{1};  ///< 0 = fsync with every commit
  } store;

  std::vector<std::string> symbols;  ///< allow-list, upper case; empty = any
  std::uint32_t max_symbols = 10000;
  std::uint32_t max_lps = 256;

  struct Log {
    std::string level = "info";   ///< trace debug info warn error off
    std::string format = "text";  ///< text json
    std::string file;             ///< empty = standard error
  } log;

  /// Connections and auth are kept as the JSON text that was given; the parts that read them check their content.
  std::string feeds_json = "[]";
  std::string auth_json = R"({"mode":"none"})";

  [[nodiscard]] bool has_redis() const noexcept { return !redis_addr.empty() || !redis_sentinels.empty(); }
};

}  // namespace tickpipe::internal
