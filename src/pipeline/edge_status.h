#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "model/system_status.h"
#include "monitor/health_monitor.h"
#include "monitor/market_hours.h"
#include "pipeline/edge_sites.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

/// What an edge says of itself. Its counters of ticks are of quotes taken over from Redis; what a node does with quotes
/// before that (refusing, folding, storing) it has no figures of.
/// Threads: any; start() and stop() its owner's.
class EdgeStatus {
 public:
  struct Sources {
    std::string version;
    std::chrono::nanoseconds stats_interval{0};
    std::function<std::shared_ptr<const EdgeData>()> data;
    std::function<EdgeSites::Totals()> totals;
    std::function<std::uint64_t()> connections;
    std::function<SinkStatus()> redis;  ///< how it gets on with Redis
    std::function<std::uint64_t()> quotes_taken;
  };

  /// The references outlive it; the sources are valid until stop().
  EdgeStatus(const PipelineConfig& config, const Clock& clock, Log& log, Sources sources);

  void start() { monitor_.start(); }
  void stop() { monitor_.stop(); }
  void set_readiness(Readiness readiness) noexcept { readiness_.store(readiness, std::memory_order_release); }
  void set_stale_after(std::chrono::nanoseconds threshold) noexcept {
    stale_after_ns_.store(threshold.count(), std::memory_order_relaxed);
  }

  [[nodiscard]] SystemStats stats() const;
  [[nodiscard]] HealthReport health() const;
  [[nodiscard]] std::vector<SymbolHealth> feed_health(const EdgeData& data) const;
  [[nodiscard]] Readiness readiness() const { return readiness_.load(std::memory_order_acquire); }

 private:
  const Clock& clock_;
  const Sources sources_;
  const MarketHours hours_;
  const std::chrono::steady_clock::time_point started_;
  std::atomic<std::int64_t> stale_after_ns_;
  std::atomic<Readiness> readiness_{Readiness::kStarting};
  std::shared_ptr<const EdgeData> monitored_;  ///< of the monitor's thread: whose symbols it looks at
  HealthMonitor monitor_;
};

}  // namespace tickpipe::internal
