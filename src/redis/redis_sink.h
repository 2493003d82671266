#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/doorbell.h"
#include "core/log.h"
#include "model/market_data.h"
#include "model/name_registry.h"
#include "model/system_status.h"
#include "redis/redis_audit.h"
#include "redis/redis_backlog.h"
#include "redis/redis_connector.h"
#include "redis/redis_work.h"
#include "redis/redis_writer.h"

namespace tickpipe::internal {

/// What the store says happened after a position.
struct ChangesSince {
  std::vector<SymbolId> symbols;  ///< that got quotes, or of whose quotes flags changed
  std::vector<BarEvent> bars;     ///< newest states of closed bars
};

/// Keeps keys and channels of a Redis server in step with what is committed.
///
/// Place:    committer -> backlog -> [sink] -> Redis. The pipeline never waits for it.
/// State:    Redis itself says what it holds (`tickpipe:sink`), in the transaction that writes it. The sink compares
///           that with what it wrote last; whatever the reason of a difference is, it reads from the store what was
///           committed since, or writes all keys again.
/// Channels: each quote of the live stream once, at most: what was under way when a connection broke is not repeated.
/// Threads:  one of its own, "redis", between start() and stop(), which are the owner's; status() any.
class RedisSink {
 public:
  struct Parts {
    const MarketData& market;
    const SymbolRegistry& symbols;
    const LpRegistry& lps;
    Log& log;
    std::string epoch;
    Position start;  ///< newest commit at the start
    /// What was committed after a position; nothing when that cannot be told. Throws Error.
    std::function<std::optional<ChangesSince>(Position)> changes_since;
    /// The position that is kept here. The first is what the last run left; both throw Error.
    std::function<std::optional<Position>()> load_position;
    std::function<void(Position)> save_position;
  };
  struct Options {
    RedisSettings redis;
    std::vector<Name> symbols;  ///< which; empty = all
    std::size_t kept_ticks = 1000;
    std::chrono::nanoseconds live_tick_age{0};
    std::chrono::milliseconds audit_interval{5000};
  };

  /// The parts outlive it.
  RedisSink(Parts parts, Options options);
  ~RedisSink();
  RedisSink(const RedisSink&) = delete;
  RedisSink& operator=(const RedisSink&) = delete;

  /// Follows the commits, behind the market view. Valid as long as the sink.
  [[nodiscard]] BatchListener& listener() noexcept { return backlog_; }

  void start();
  /// Writes what is committed and not in Redis yet, for `grace` at most, and ends. Nothing is committed any more.
  void stop(std::chrono::milliseconds grace);

  [[nodiscard]] SinkStatus status() const;

 private:
  using SteadyClock = std::chrono::steady_clock;

  void loop();
  void end();
  bool step(bool is_last);
  void take_delivery();
  void connect();
  [[nodiscard]] RedisMark read_mark();
  void take_over(const RedisMark& found);
  void rebuild();
  void remove_foreign_keys();
  void round(bool is_last);
  void audit();
  void failed(const std::string& cause, bool is_connection_lost);
  void went_well();
  void save_position();
  void set_degraded(const std::string& cause);
  [[nodiscard]] bool is_wanted(SymbolId id) const;
  /// Whether there is anything of the symbol.
  [[nodiscard]] bool is_present(SymbolId id) const;
  [[nodiscard]] bool is_stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }
  [[nodiscard]] SteadyClock::time_point next_due() const;

  const Parts parts_;
  const Options options_;
  RedisConnector connector_;
  Doorbell bell_;
  RedisBacklog backlog_;
  RedisWriter writer_;
  RedisWork work_;
  RedisAudit audit_;
  RedisBacklog::Delivery delivery_;

  // Of the sink's thread.
  std::shared_ptr<RedisConnection> connection_;
  RedisMark written_;        ///< what `tickpipe:sink` says, as far as is known
  bool is_certain_ = false;  ///< written_ was confirmed, and nothing was tried since that may have been carried out
  Position taken_;           ///< everything up to here is in Redis or in work_
  SteadyClock::time_point retry_at_;
  SteadyClock::time_point round_ended_;
  SteadyClock::time_point open_bars_at_;
  SteadyClock::time_point audit_at_;
  SteadyClock::time_point saved_at_;
  Position saved_;
  std::chrono::milliseconds backoff_{0};
  std::minstd_rand random_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_ended_{false};
  Doorbell ended_bell_;
  std::atomic<std::uint64_t> rebuilds_{0};
  std::atomic<std::uint64_t> connections_{0};
  mutable std::mutex status_mutex_;             ///< guards what follows
  std::string degraded_ = "not connected yet";  ///< the cause; empty = all is well
  Position complete_to_;
  std::optional<SteadyClock::time_point> behind_since_;  ///< the oldest commit that is in work_
  std::jthread thread_;
};

}  // namespace tickpipe::internal
