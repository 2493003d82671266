#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/doorbell.h"
#include "core/log.h"
#include "model/system_status.h"
#include "redis/edge_intake.h"
#include "redis/edge_view.h"
#include "redis/redis_connector.h"
#include "redis/redis_writer.h"

namespace tickpipe::internal {

/// What becomes of what an edge reads. Called on the source's thread; must not block.
class EdgeListener {
 public:
  virtual ~EdgeListener() = default;
  /// All keys of an epoch were read. This data takes the place of what was served before.
  virtual void on_loaded(std::shared_ptr<EdgeData> data) = 0;
  /// This came since. It is in the view already.
  virtual void on_committed(const EventBatch& batch, Position position) = 0;
};

/// Follows the keys and channels that the sink of a node writes.
///
/// Place:   Redis -> [source] -> EdgeView, EdgeListener.
/// Quiet:   what goes over no channel of quotes or bars (history, corrected flags, what was missed) the node announces
///          by the name of the symbol, behind its keys; then these are read again.
/// Order:   it subscribes first, then reads the keys; so what is published meanwhile is in the keys, or comes after.
/// Epoch:   before anything is handed on, `tickpipe:sink` is asked whether the epoch is still the same. A node removes
///          it before it writes keys of another epoch, and publishes quotes and bars after it has put it back; so
///          nothing of one epoch is taken for something of another.
/// Outages: a connection that breaks is opened again, after a pause that grows up to ten seconds. Then all keys are
///          compared with what is known.
/// Threads: one of its own, "redis", between start() and stop(), which are the owner's; status() any.
class EdgeSource {
 public:
  struct Options {
    RedisSettings redis;
    EdgeData::Options data;
    std::chrono::nanoseconds live_tick_age{0};
  };

  /// All references outlive it.
  EdgeSource(Options options, const CalendarRules& calendars, EdgeListener& listener, Log& log);
  ~EdgeSource();
  EdgeSource(const EdgeSource&) = delete;
  EdgeSource& operator=(const EdgeSource&) = delete;

  void start();
  void stop();

  /// `lag` is how long Redis has been away.
  [[nodiscard]] SinkStatus status() const;
  [[nodiscard]] const EdgeIntake::Counters& counters() const noexcept { return counters_; }

 private:
  using SteadyClock = std::chrono::steady_clock;

  void loop();
  void connect();
  void follow();
  std::optional<RedisMark> wait_for_mark();
  void begin(const RedisMark& mark);
  void scan();
  bool step();
  bool receive_messages();
  void take_message(const RedisReply& message);
  RedisMark read(const std::vector<EdgeIntake::Wanted>& wanted, std::vector<EdgeIntake::Keys>& keys);
  void hand_on();
  void each_second();
  void failed(const std::string& cause);
  void went_well();
  void set_degraded(const std::string& cause);
  [[nodiscard]] bool is_stopping() const noexcept { return stopping_.load(std::memory_order_acquire); }

  const Options options_;
  const CalendarRules& calendars_;
  EdgeListener& listener_;
  Log& log_;
  RedisConnector connector_;
  Doorbell bell_;
  EdgeIntake::Counters counters_;

  // Of the thread.
  std::shared_ptr<RedisConnection> subscriber_;
  std::shared_ptr<RedisConnection> commands_;
  std::shared_ptr<EdgeData> data_;  ///< null: no epoch was seen yet
  std::unique_ptr<EdgeIntake> intake_;
  bool is_loaded_ = false;  ///< the listener has data_
  RedisMark mark_;
  SteadyClock::time_point second_at_;
  SteadyClock::time_point heard_at_;  ///< when the subscriber got anything
  bool is_scan_due_ = false;          ///< any key may hold what is not known here
  std::uint64_t told_lost_ = 0;
  std::uint64_t told_damaged_ = 0;
  std::chrono::milliseconds backoff_{0};
  SteadyClock::time_point retry_at_;
  std::minstd_rand random_;

  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> loads_{0};
  std::atomic<std::uint64_t> position_{0};
  mutable std::mutex status_mutex_;             ///< guards what follows
  std::string degraded_ = "not connected yet";  ///< the cause; empty = all is well
  SteadyClock::time_point degraded_since_ = SteadyClock::now();
  std::jthread thread_;
};

}  // namespace tickpipe::internal
