#include "pipeline/server_status.h"

#include <algorithm>
#include <map>
#include <utility>

#include "monitor/feed_health.h"
#include "monitor/process_usage.h"

namespace tickpipe::internal {
namespace {

HealthState worse(HealthState a, HealthState b) { return std::max(a, b); }

ComponentHealth health_of(const SinkStatus& sink) {
  ComponentHealth health;
  health.name = sink.name;
  health.state = sink.is_degraded ? HealthState::kDegraded : HealthState::kHealthy;
  health.detail = sink.detail;
  const auto lag = std::chrono::duration_cast<std::chrono::milliseconds>(sink.lag);
  health.figures = {{"position", sink.position},
                    {"lag_commits", sink.lag_commits},
                    {"lag_ms", static_cast<std::uint64_t>(lag.count())}};
  return health;
}

}  // namespace

ServerStatus::ServerStatus(const PipelineConfig& config, const Pipeline& pipeline, const MarketView& view,
                           const Clock& clock, Log& log, Sources sources)
    : pipeline_(pipeline),
      view_(view),
      clock_(clock),
      sources_(std::move(sources)),
      workers_(config.worker_count),
      is_stored_(config.store.type != StoreType::kNone),
      started_(std::chrono::steady_clock::now()),
      stale_after_ns_(config.stale_quote_threshold.count()),
      monitor_(clock, log,
               {.feed_health = [this] { return feed_health(); },
                .symbol_name = [this](SymbolId symbol) { return pipeline_.symbols().name(symbol); },
                .stats = [this] { return stats(); }},
               {.checks_feeds = config.enable_health_checks,
                .check_interval = config.health_check_interval,
                .stats_interval = sources_.stats_interval}) {}

std::chrono::nanoseconds ServerStatus::uptime() const { return std::chrono::steady_clock::now() - started_; }

SystemStats ServerStatus::stats() const {
  const PipelineStats counted = pipeline_.stats();
  const Pipeline::Latencies latencies = pipeline_.latencies();
  const ProcessUsage usage = read_process_usage();
  SystemStats stats;
  stats.version = sources_.version;
  stats.epoch = pipeline_.epoch();
  stats.uptime = uptime();
  stats.received = counted.received;
  stats.processed = counted.processed;
  stats.dropped = counted.dropped;
  stats.in_flight = counted.in_flight;
  stats.refused = counted.refused;
  stats.out_of_order = counted.out_of_order;
  stats.spikes = counted.spikes;
  stats.late_for_bars = counted.late_for_bars;
  stats.bars_generated = counted.bar_events;
  stats.commits = counted.commits;
  stats.quotes_distributed = sources_.quotes_distributed();
  stats.clients_connected = sources_.connections();
  stats.stale_feeds_detected = monitor_.stale_feeds_detected();
  stats.symbols = view_.symbol_count();
  stats.last_tick_time = view_.newest_event();
  stats.tick = latencies.tick;
  stats.ohlc = latencies.bar;
  const LatencySummary streamed = sources_.stream_latency();
  stats.distribution = streamed.count != 0 ? streamed : latencies.distribution;
  stats.streams = sources_.streams();
  stats.queues = pipeline_.queue_depths();
  stats.sinks = sources_.sinks();
  stats.resident_bytes = usage.resident_bytes;
  stats.cpu_seconds = usage.cpu_seconds;
  stats.workers = workers_;
  return stats;
}

std::vector<SymbolHealth> ServerStatus::feed_health() const {
  std::map<LpId, std::optional<FeedState>> states;
  const FeedHealthRules rules{
      .hours = hours_,
      .stale_quote_threshold = std::chrono::nanoseconds{stale_after_ns_.load(std::memory_order_relaxed)},
      .symbol_name = [this](SymbolId symbol) { return pipeline_.symbols().name(symbol); },
      .feed_state =
          [&](LpId lp) {
            const auto [it, is_new] = states.try_emplace(lp);
            if (is_new) it->second = sources_.feed_of_lp(pipeline_.lps().name(lp));
            return it->second;
          }};
  return judge_feed_health(view_.activity(), rules, clock_.now());
}

ComponentHealth ServerStatus::ingester(const SystemStats& stats, const std::vector<FeedStatus>& feeds) const {
  ComponentHealth health;
  health.name = "ingester";
  std::uint64_t depth = 0;
  std::uint64_t capacity = 0;
  for (const QueueDepth& queue : stats.queues) {
    depth += queue.depth;
    capacity += queue.capacity;
  }
  health.figures = {{"ticks_received", stats.received},
                    {"ticks_dropped", stats.dropped},
                    {"ticks_in_flight", stats.in_flight},
                    {"queue_depth", depth},
                    {"queue_capacity", capacity}};
  for (const FeedStatus& feed : feeds) {
    if (feed.state != FeedState::kFailed) continue;
    health.state = HealthState::kDegraded;
    health.detail = "feed " + feed.name + " has failed: " + feed.detail;
  }
  return health;
}

ComponentHealth ServerStatus::storage(const SystemStats& stats) const {
  ComponentHealth health;
  health.name = "storage";
  health.figures = {{"commits", stats.commits}, {"ticks_stored", is_stored_ ? stats.processed : 0}};
  if (!is_stored_) health.detail = "store.type is none: nothing is kept";
  const std::string failure = pipeline_.failure();
  if (!failure.empty()) {
    health.detail = failure;
    health.state = pipeline_.is_failing() ? HealthState::kUnhealthy : HealthState::kDegraded;
  }
  return health;
}

ComponentHealth ServerStatus::monitor(const std::vector<SymbolHealth>& symbols) const {
  ComponentHealth health;
  health.name = "monitor";
  std::uint64_t counts[4] = {};
  struct LpSymbols {
    std::uint64_t open = 0;  ///< whose market is open
    std::uint64_t silent = 0;
  };
  std::map<LpId, LpSymbols> lps;
  for (const SymbolHealth& symbol : symbols) {
    ++counts[static_cast<std::size_t>(symbol.state)];
    for (const LpHealth& lp : symbol.lps) {
      if (lp.state == FeedHealthState::kClosed) continue;
      ++lps[lp.lp].open;
      if (lp.state != FeedHealthState::kHealthy) ++lps[lp.lp].silent;
    }
  }
  health.figures = {{"symbols_healthy", counts[0]},
                    {"symbols_stale", counts[1]},
                    {"symbols_closed", counts[2]},
                    {"symbols_down", counts[3]},
                    {"stale_feeds_detected", monitor_.stale_feeds_detected()}};
  // One quiet symbol is no incident; a feed all of whose symbols have gone silent is.
  for (const auto& [lp, seen] : lps) {
    const auto feed = sources_.feed_of_lp(pipeline_.lps().name(lp));
    if (seen.silent != seen.open || !feed || *feed == FeedState::kEnded) continue;
    health.state = HealthState::kDegraded;
    health.detail = "nothing new from LP " + std::string(pipeline_.lps().name(lp).view());
  }
  return health;
}

HealthReport ServerStatus::health() const {
  const SystemStats now = stats();
  HealthReport report;
  report.uptime = now.uptime;
  report.feeds = sources_.feeds();
  ComponentHealth ohlc;
  ohlc.name = "ohlc_engine";
  ohlc.figures = {{"bars_generated", now.bars_generated}, {"ticks_late_for_bars", now.late_for_bars}};
  ComponentHealth distributor;
  distributor.name = "distributor";
  distributor.figures = {{"clients_connected", now.clients_connected},
                         {"stream_clients", now.streams.clients},
                         {"quotes_distributed", now.quotes_distributed}};
  report.components = {ingester(now, report.feeds), std::move(ohlc), std::move(distributor), storage(now),
                       monitor(feed_health())};
  for (const SinkStatus& sink : now.sinks) report.components.push_back(health_of(sink));
  for (const ComponentHealth& component : report.components) report.overall = worse(report.overall, component.state);
  return report;
}

}  // namespace tickpipe::internal
