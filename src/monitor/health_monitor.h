#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/unix_nanos.h"
#include "model/ids.h"
#include "model/names.h"
#include "model/system_status.h"

namespace tickpipe::internal {

/// Looks at the feeds at intervals, counts and reports those that went stale or down, and writes the statistics line.
///
/// Threads: one of its own, "monitor", between start() and stop(); start() and stop() are the owner's. check(),
///          write_stats() and the counters may be called from any thread.
class HealthMonitor {
 public:
  struct Sources {
    std::function<std::vector<SymbolHealth>()> feed_health;
    std::function<Name(SymbolId)> symbol_name;
    std::function<SystemStats()> stats;
  };
  struct Options {
    bool checks_feeds = true;  ///< `enable_health_checks`; without, only statistics are written
    std::chrono::nanoseconds check_interval = std::chrono::seconds{30};
    std::chrono::nanoseconds stats_interval = std::chrono::seconds{30};  ///< 0 = never by itself
  };
  struct Counts {
    std::uint64_t healthy = 0;
    std::uint64_t stale = 0;
    std::uint64_t closed = 0;
    std::uint64_t down = 0;
  };
  /// Lines about single symbols that one check writes at most.
  static constexpr std::size_t kMaxWarnings = 10;

  /// `clock` and `log` outlive it, and what the sources use is there until stop() has returned.
  HealthMonitor(const Clock& clock, Log& log, Sources sources, Options options);
  ~HealthMonitor();

  /// The first check comes after an interval, as do the first statistics.
  void start();
  /// Ends the thread at once, or after what it is doing, and writes the statistics once more if it wrote them by
  /// itself. Does nothing without start().
  void stop();

  /// Looks at the feeds now. A source that throws is reported as an error and changes nothing.
  void check();
  void write_stats();

  /// Symbols that went from healthy to stale, closed markets in between or not. One that was stale when it was first
  /// looked at does not count.
  [[nodiscard]] std::uint64_t stale_feeds_detected() const noexcept {
    return stale_feeds_detected_.load(std::memory_order_relaxed);
  }
  /// Of the last check.
  [[nodiscard]] Counts counts() const;
  /// When the last check ended; kNoTime before the first.
  [[nodiscard]] UnixNanos last_check() const;

 private:
  void loop(const std::stop_token& stop);
  void judge(const std::vector<SymbolHealth>& symbols);

  const Clock& clock_;
  Log& log_;
  Sources sources_;
  Options options_;
  std::atomic<std::uint64_t> stale_feeds_detected_{0};
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, FeedHealthState> last_states_;  // by symbol; the last that was not `closed`
  Counts counts_;
  UnixNanos last_check_ = kNoTime;
  std::mutex sleep_mutex_;
  std::condition_variable_any sleep_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal
