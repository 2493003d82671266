#include "monitor/health_monitor.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kComponent = "Monitor";
/// As good as never; time_point::max() overflows in some waits.
constexpr std::chrono::nanoseconds kNever = std::chrono::hours{24 * 365 * 10};

std::string stats_line(const SystemStats& stats) {
  const std::pair<const char*, std::uint64_t> figures[] = {
      {"Received: ", stats.received},
      {" | Processed: ", stats.processed},
      {" | Dropped: ", stats.dropped},
      {" | Duplicates: ", stats.duplicates()},
      {" | Out of order: ", stats.out_of_order},
      {" | Invalid: ", stats.invalid()},
      {" | Bars: ", stats.bars_generated},
      {" | In flight: ", stats.in_flight},
  };
  std::string line;
  for (const auto& [name, value] : figures) line += name + std::to_string(value);
  return line;
}

std::string warning(const Name& symbol, const SymbolHealth& health) {
  std::string text(symbol.view());
  if (health.state == FeedHealthState::kDown) return text + ": every feed has ended or failed";
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(health.stale_for);
  return text + ": no new quote for " + std::to_string(age.count()) + " s of trading";
}

}  // namespace

HealthMonitor::HealthMonitor(const Clock& clock, Log& log, Sources sources, Options options)
    : clock_(clock), log_(log), sources_(std::move(sources)), options_(options) {}

HealthMonitor::~HealthMonitor() { stop(); }

void HealthMonitor::start() {
  log_.info(kComponent, "Data quality monitoring started");
  thread_ = std::jthread([this](const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "monitor");
    loop(stop);
  });
}

void HealthMonitor::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (options_.stats_interval.count() != 0) write_stats();
}

void HealthMonitor::loop(const std::stop_token& stop) {
  const bool writes_stats = options_.stats_interval.count() != 0;
  auto next_check = SteadyClock::now() + (options_.checks_feeds ? options_.check_interval : kNever);
  auto next_stats = SteadyClock::now() + (writes_stats ? options_.stats_interval : kNever);
  while (true) {
    {
      const auto next = std::min(next_check, next_stats);
      std::unique_lock lock(sleep_mutex_);
      sleep_.wait_until(lock, stop, next, [] { return false; });
    }
    if (stop.stop_requested()) return;
    const auto now = SteadyClock::now();
    // From now on and not from when it was due: what was missed while the machine slept is not made up for.
    if (now >= next_check) {
      check();
      next_check = now + options_.check_interval;
    }
    if (now >= next_stats) {
      write_stats();
      next_stats = now + options_.stats_interval;
    }
  }
}

void HealthMonitor::check() {
  try {
    judge(sources_.feed_health());
  } catch (const std::exception& error) {
    log_.error(kComponent, "Feed health check failed: " + safe_text(error.what(), 256));
  }
}

void HealthMonitor::write_stats() {
  try {
    log_.info("Pipeline Stats", stats_line(sources_.stats()));
  } catch (const std::exception& error) {
    log_.error(kComponent, "No statistics: " + safe_text(error.what(), 256));
  }
}

void HealthMonitor::judge(const std::vector<SymbolHealth>& symbols) {
  const std::lock_guard lock(mutex_);
  Counts counts;
  std::uint64_t went_stale = 0;
  std::size_t warnings = 0;
  for (const SymbolHealth& health : symbols) {
    switch (health.state) {
      case FeedHealthState::kHealthy:
        ++counts.healthy;
        break;
      case FeedHealthState::kStale:
        ++counts.stale;
        break;
      case FeedHealthState::kClosed:
        ++counts.closed;
        continue;  // says nothing about the feed
      case FeedHealthState::kDown:
        ++counts.down;
        break;
    }
    const auto [it, is_new] = last_states_.try_emplace(health.symbol.value, health.state);
    const FeedHealthState before = std::exchange(it->second, health.state);
    if (is_new || before != FeedHealthState::kHealthy || health.state == FeedHealthState::kHealthy) continue;
    if (health.state == FeedHealthState::kStale) ++went_stale;
    if (++warnings <= kMaxWarnings) log_.warn(kComponent, warning(sources_.symbol_name(health.symbol), health));
  }
  if (warnings > kMaxWarnings) log_.warn(kComponent, "and " + std::to_string(warnings - kMaxWarnings) + " more");
  stale_feeds_detected_.fetch_add(went_stale, std::memory_order_relaxed);
  counts_ = counts;
  last_check_ = clock_.now();
  log_.info(kComponent, "Feed health check completed: " + std::to_string(counts.healthy) + " healthy, " +
                            std::to_string(counts.stale) + " stale, " + std::to_string(counts.closed) + " closed, " +
                            std::to_string(counts.down) + " down");
}

HealthMonitor::Counts HealthMonitor::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

UnixNanos HealthMonitor::last_check() const {
  const std::lock_guard lock(mutex_);
  return last_check_;
}

}  // namespace tickpipe::internal
