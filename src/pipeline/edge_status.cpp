#include "pipeline/edge_status.h"

#include <algorithm>
#include <utility>

#include "monitor/feed_health.h"
#include "monitor/process_usage.h"

namespace tickpipe::internal {

EdgeStatus::EdgeStatus(const PipelineConfig& config, const Clock& clock, Log& log, Sources sources)
    : clock_(clock),
      sources_(std::move(sources)),
      started_(std::chrono::steady_clock::now()),
      stale_after_ns_(config.stale_quote_threshold.count()),
      monitor_(clock, log,
               {.feed_health =
                    [this] {
                      monitored_ = sources_.data();
                      return feed_health(*monitored_);
                    },
                .symbol_name = [this](SymbolId symbol) { return monitored_->symbols.name(symbol); },
                .stats = [this] { return stats(); }},
               {.checks_feeds = config.enable_health_checks,
                .check_interval = config.health_check_interval,
                .stats_interval = sources_.stats_interval}) {}

SystemStats EdgeStatus::stats() const {
  const std::shared_ptr<const EdgeData> data = sources_.data();
  const EdgeSites::Totals totals = sources_.totals();
  const ProcessUsage usage = read_process_usage();
  SystemStats stats;
  stats.version = sources_.version;
  stats.epoch = data->epoch;
  stats.uptime = std::chrono::steady_clock::now() - started_;
  stats.received = stats.processed = sources_.quotes_taken();
  stats.streams = totals.streams;
  stats.quotes_distributed = totals.quotes_served + totals.streams.messages;
  stats.clients_connected = sources_.connections();
  stats.stale_feeds_detected = monitor_.stale_feeds_detected();
  stats.symbols = data->view.symbol_count();
  stats.last_tick_time = data->view.newest_event();
  stats.distribution = totals.latency;
  stats.sinks = {sources_.redis()};
  stats.resident_bytes = usage.resident_bytes;
  stats.cpu_seconds = usage.cpu_seconds;
  return stats;
}

std::vector<SymbolHealth> EdgeStatus::feed_health(const EdgeData& data) const {
  const FeedHealthRules rules{
      .hours = hours_,
      .stale_quote_threshold = std::chrono::nanoseconds{stale_after_ns_.load(std::memory_order_relaxed)},
      .symbol_name = [&data](SymbolId symbol) { return data.symbols.name(symbol); },
      .feed_state = [](LpId) { return std::optional<FeedState>(); }};
  return judge_feed_health(data.view.activity(), rules, clock_.now());
}

HealthReport EdgeStatus::health() const {
  const SystemStats now = stats();
  HealthReport report;
  report.uptime = now.uptime;
  ComponentHealth redis;
  redis.name = "redis";
  const SinkStatus& source = now.sinks.front();
  redis.state = source.is_degraded ? HealthState::kDegraded : HealthState::kHealthy;
  redis.detail = source.detail;
  const auto away = std::chrono::duration_cast<std::chrono::milliseconds>(source.lag);
  redis.figures = {{"position", source.position}, {"away_ms", static_cast<std::uint64_t>(away.count())}};
  ComponentHealth distributor;
  distributor.name = "distributor";
  distributor.figures = {{"clients_connected", now.clients_connected},
                         {"stream_clients", now.streams.clients},
                         {"quotes_distributed", now.quotes_distributed}};
  ComponentHealth monitor;
  monitor.name = "monitor";
  std::uint64_t counts[4] = {};
  for (const SymbolHealth& symbol : feed_health(*sources_.data())) ++counts[static_cast<std::size_t>(symbol.state)];
  monitor.figures = {{"symbols_healthy", counts[0]},
                     {"symbols_stale", counts[1]},
                     {"symbols_closed", counts[2]},
                     {"symbols_down", counts[3]},
                     {"stale_feeds_detected", now.stale_feeds_detected}};
  report.components = {std::move(redis), std::move(distributor), std::move(monitor)};
  for (const ComponentHealth& component : report.components) {
    report.overall = std::max(report.overall, component.state);
  }
  return report;
}

}  // namespace tickpipe::internal
