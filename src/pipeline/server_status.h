#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "model/ingest_door.h"
#include "model/system_status.h"
#include "monitor/health_monitor.h"
#include "monitor/market_hours.h"
#include "pipeline/pipeline.h"
#include "publish/market_view.h"

namespace tickpipe::internal {

/// What a server says of itself, gathered from its parts when it is asked, and watched by a monitor.
/// Threads: any; start(), stop() and set_thresholds() its owner's.
class ServerStatus final : public SystemStatus {
 public:
  struct Sources {
    std::string version;
    std::chrono::nanoseconds stats_interval{0};  ///< 0 = only by write_stats()
    std::function<std::vector<FeedStatus>()> feeds;
    std::function<std::optional<FeedState>(const Name&)> feed_of_lp;  ///< nothing: it comes by no feed
    std::function<std::uint64_t()> quotes_distributed;
    std::function<std::uint64_t()> connections;
    std::function<SystemStats::Streams()> streams;
    std::function<LatencySummary()> stream_latency;  ///< committed to handed to a socket; count 0: to nobody yet
    std::function<std::vector<SinkStatus>()> sinks;
  };

  /// The references outlive it; the sources are valid until stop().
  ServerStatus(const PipelineConfig& config, const Pipeline& pipeline, const MarketView& view, const Clock& clock,
               Log& log, Sources sources);

  void start() { monitor_.start(); }
  void stop() { monitor_.stop(); }
  void write_stats() { monitor_.write_stats(); }
  void set_readiness(Readiness readiness) noexcept { readiness_.store(readiness, std::memory_order_release); }
  void set_stale_after(std::chrono::nanoseconds threshold) noexcept {
    stale_after_ns_.store(threshold.count(), std::memory_order_relaxed);
  }

  [[nodiscard]] SystemStats stats() const override;
  [[nodiscard]] HealthReport health() const override;
  [[nodiscard]] std::vector<SymbolHealth> feed_health() const override;
  [[nodiscard]] Readiness readiness() const override { return readiness_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] std::chrono::nanoseconds uptime() const;
  [[nodiscard]] ComponentHealth ingester(const SystemStats& stats, const std::vector<FeedStatus>& feeds) const;
  [[nodiscard]] ComponentHealth storage(const SystemStats& stats) const;
  [[nodiscard]] ComponentHealth monitor(const std::vector<SymbolHealth>& symbols) const;

  const Pipeline& pipeline_;
  const MarketView& view_;
  const Clock& clock_;
  const Sources sources_;
  const MarketHours hours_;
  const std::uint32_t workers_;
  const bool is_stored_;
  const std::chrono::steady_clock::time_point started_;
  std::atomic<std::int64_t> stale_after_ns_;
  std::atomic<Readiness> readiness_{Readiness::kStarting};
  HealthMonitor monitor_;
};

}  // namespace tickpipe::internal
