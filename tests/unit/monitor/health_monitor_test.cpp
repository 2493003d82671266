#include "monitor/health_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using State = FeedHealthState;
using Lines = std::vector<std::string>;

class KeptLog final : public Log {
 public:
  void write(LogLevel level, std::string_view component, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    const std::string prefix = level == LogLevel::kInfo ? "info" : level == LogLevel::kWarn ? "warn" : "error";
    lines_.push_back(prefix + " [" + std::string(component) + "] " + std::string(message));
    grown_.notify_all();
  }
  Lines take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }
  /// Waits until `count` lines hold `text`.
  bool wait_for(const std::string& text, long count) {
    std::unique_lock lock(mutex_);
    return grown_.wait_for(lock, seconds{30}, [&] {
      return std::count_if(lines_.begin(), lines_.end(),
                           [&](const std::string& line) { return line.find(text) != std::string::npos; }) >= count;
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  Lines lines_;
};

class HealthMonitorTest : public ::testing::Test {
 protected:
  HealthMonitor& make(HealthMonitor::Options options = {}) {
    const auto name = [](SymbolId symbol) { return parse_symbol("SYM" + std::to_string(symbol.value)).value(); };
    return monitor_.emplace(clock_, log_,
                            HealthMonitor::Sources{[this] {
                                                     if (fails_) throw std::runtime_error("disk\n");
                                                     return symbols_;
                                                   },
                                                   name, [this] { return stats_; }},
                            options);
  }
  void set(std::vector<State> states) {
    symbols_.clear();
    for (std::uint32_t i = 0; i < states.size(); ++i) {
      symbols_.push_back({.symbol = {i}, .stale_for = seconds{12}, .state = states[i], .lps = {}});
    }
  }

  ManualClock clock_{UnixNanos{1768514400 * kNanosPerSecond}};
  KeptLog log_;
  bool fails_ = false;
  std::vector<SymbolHealth> symbols_;
  SystemStats stats_;
  std::optional<HealthMonitor> monitor_;
};

TEST_F(HealthMonitorTest, ACheckReportsItsCounts) {
  HealthMonitor& monitor = make();
  EXPECT_EQ(monitor.last_check(), kNoTime);
  set({State::kHealthy, State::kHealthy, State::kHealthy, State::kStale, State::kStale, State::kClosed, State::kDown});
  monitor.check();
  EXPECT_EQ(log_.take(), (Lines{"info [Monitor] Feed health check completed: 3 healthy, 2 stale, 1 closed, 1 down"}));
  EXPECT_EQ(monitor.counts().healthy, 3U);
  EXPECT_EQ(monitor.counts().stale, 2U);
  EXPECT_EQ(monitor.counts().closed, 1U);
  EXPECT_EQ(monitor.counts().down, 1U);
  EXPECT_EQ(monitor.last_check(), clock_.now());
}

TEST_F(HealthMonitorTest, OnlyGoingStaleCountsAndItIsToldOnce) {
  HealthMonitor& monitor = make();
  set({State::kHealthy, State::kStale});
  monitor.check();
  EXPECT_EQ(monitor.stale_feeds_detected(), 0U);
  log_.take();
  set({State::kStale, State::kStale});
  monitor.check();
  EXPECT_EQ(log_.take().at(0), "warn [Monitor] SYM0: no new quote for 12 s of trading");
  EXPECT_EQ(monitor.stale_feeds_detected(), 1U);
  monitor.check();
  EXPECT_EQ(log_.take().size(), 1U);
  set({State::kHealthy, State::kHealthy});
  monitor.check();
  set({State::kStale, State::kStale});
  monitor.check();
  EXPECT_EQ(monitor.stale_feeds_detected(), 3U);
}

TEST_F(HealthMonitorTest, AFeedThatGoesDownIsToldButNotCountedAsStale) {
  HealthMonitor& monitor = make();
  set({State::kHealthy});
  monitor.check();
  log_.take();
  set({State::kDown});
  monitor.check();
  EXPECT_EQ(log_.take(), (Lines{"warn [Monitor] SYM0: every feed has ended or failed",
                                "info [Monitor] Feed health check completed: 0 healthy, 0 stale, 0 closed, 1 down"}));
  EXPECT_EQ(monitor.stale_feeds_detected(), 0U);
}

TEST_F(HealthMonitorTest, AClosedMarketIsNeitherARecoveryNorAFault) {
  HealthMonitor& monitor = make();
  for (const auto& states : {std::vector<State>{State::kHealthy, State::kHealthy},
                             {State::kHealthy, State::kStale},
                             {State::kClosed, State::kClosed},
                             {State::kStale, State::kStale}}) {
    set(states);
    monitor.check();
  }
  EXPECT_EQ(monitor.stale_feeds_detected(), 2U);  // SYM1 before the weekend, SYM0 after it
}

TEST_F(HealthMonitorTest, ACheckNamesOnlySomeSymbolsAndCountsAll) {
  HealthMonitor& monitor = make();
  set(std::vector<State>(25, State::kHealthy));
  monitor.check();
  log_.take();
  set(std::vector<State>(25, State::kStale));
  monitor.check();
  const Lines lines = log_.take();
  ASSERT_EQ(lines.size(), HealthMonitor::kMaxWarnings + 2);
  EXPECT_EQ(lines[HealthMonitor::kMaxWarnings], "warn [Monitor] and 15 more");
  EXPECT_EQ(monitor.stale_feeds_detected(), 25U);
}

TEST_F(HealthMonitorTest, ACheckThatFailsIsAnErrorLine) {
  HealthMonitor& monitor = make();
  fails_ = true;
  monitor.check();
  EXPECT_EQ(log_.take(), (Lines{"error [Monitor] Feed health check failed: disk\\x0a"}));
  EXPECT_EQ(monitor.last_check(), kNoTime);
}

TEST_F(HealthMonitorTest, TheStatisticsLineHoldsTheCounters) {
  HealthMonitor& monitor = make();
  stats_.received = 100;
  stats_.processed = 90;
  stats_.dropped = 1;
  stats_.refused[index_of(Reason::kDuplicate)] = 2;
  stats_.refused[index_of(Reason::kBadPrice)] = 3;
  stats_.out_of_order = 4;
  stats_.bars_generated = 5;
  stats_.in_flight = 6;
  monitor.write_stats();
  EXPECT_EQ(log_.take(), (Lines{"info [Pipeline Stats] Received: 100 | Processed: 90 | Dropped: 1 | Duplicates: 2 | "
                                "Out of order: 4 | Invalid: 3 | Bars: 5 | In flight: 6"}));
}

TEST_F(HealthMonitorTest, TheThreadChecksAndWritesStatisticsAgainAndAgain) {
  set({State::kHealthy});
  HealthMonitor& monitor = make({.check_interval = milliseconds{3}, .stats_interval = milliseconds{5}});
  monitor.start();
  EXPECT_TRUE(log_.wait_for("Data quality monitoring started", 1));
  EXPECT_TRUE(log_.wait_for("Feed health check completed: 1 healthy", 3));
  EXPECT_TRUE(log_.wait_for("[Pipeline Stats]", 3));
  monitor.stop();
}

TEST_F(HealthMonitorTest, StopDoesNotWaitForAnIntervalAndWritesTheStatisticsOnce) {
  HealthMonitor& monitor = make({.check_interval = hours{1}, .stats_interval = hours{1}});
  monitor.start();
  monitor.stop();
  monitor.stop();
  const Lines lines = log_.take();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "info [Monitor] Data quality monitoring started");
  EXPECT_EQ(lines[1].substr(0, 33), "info [Pipeline Stats] Received: 0");
}

TEST_F(HealthMonitorTest, WithChecksOffOnlyStatisticsAreWritten) {
  HealthMonitor& monitor =
      make({.checks_feeds = false, .check_interval = milliseconds{1}, .stats_interval = milliseconds{5}});
  monitor.start();
  EXPECT_TRUE(log_.wait_for("[Pipeline Stats]", 5));
  monitor.stop();
  for (const std::string& line : log_.take()) EXPECT_EQ(line.find("Feed health"), std::string::npos);
}

TEST_F(HealthMonitorTest, AMonitorThatWasNeverStartedStopsSilently) {
  make().stop();
  monitor_.reset();
  EXPECT_EQ(log_.take(), Lines{});
}

}  // namespace
}  // namespace tickpipe::internal
