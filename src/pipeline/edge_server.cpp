#include "pipeline/edge_server.h"

#include <utility>

#include "core/worker_pool.h"
#include "pipeline/edge_sites.h"
#include "pipeline/edge_status.h"
#include "pipeline/redis_parts.h"
#include "pipeline/server_parts.h"
#include "redis/edge_source.h"
#include "serve/http_server.h"

namespace tickpipe::internal {
namespace {

constexpr unsigned kQueryThreads = 2;
/// How long requests under way have to be answered at the end.
constexpr std::chrono::seconds kHttpGrace{5};

EdgeSource::Options source_options(const PipelineConfig& config) {
  return {.redis = redis_settings(config),
          .data = {.timeframes = config.timeframes,
                   .kept_ticks = config.hot_data_retention,
                   .max_symbols = config.max_symbols,
                   .max_lps = config.max_lps},
          .live_tick_age = config.live_tick_age};
}

}  // namespace

/// Everything that runs, in the order of construction: what comes later stands on what comes before.
struct EdgeServer::Impl final : EdgeListener {
  Impl(const PipelineConfig& given, Options options, Log& given_log, const Clock& clock)
      : config(given),
        log(given_log),
        calendars(given.day_close, given.day_close_rules),
        queries("query", kQueryThreads),
        status(given, clock, given_log,
               {.version = std::move(options.version),
                .stats_interval = options.stats_interval,
                .data = [this] { return sites.data(); },
                .totals = [this] { return sites.totals(); },
                .connections = [this] { return http.connections(); },
                .redis = [this] { return source.status(); },
                .quotes_taken = [this] { return source.counters().quotes.load(std::memory_order_relaxed); }}),
        sites(given, calendars,
              {.stats = [this] { return status.stats(); },
               .health = [this] { return status.health(); },
               .feed_health = [this](const EdgeData& data) { return status.feed_health(data); },
               .readiness = [this] { return status.readiness(); }},
              queries, clock, given_log),
        http(http_options(given), sites, given_log),
        source(source_options(given), calendars, *this, given_log) {}

  void on_loaded(std::shared_ptr<EdgeData> data) override {
    sites.on_loaded(std::move(data));
    if (status.readiness() != Readiness::kStarting) return;
    status.set_readiness(Readiness::kReady);
    log.info("Pipeline", "Market data pipeline started");
  }
  void on_committed(const EventBatch& batch, Position position) override { sites.on_committed(batch, position); }

  const PipelineConfig config;
  Log& log;
  const CalendarRules calendars;
  WorkerPool queries;
  EdgeStatus status;
  EdgeSites sites;
  HttpServer http;
  EdgeSource source;
  bool is_running = false;
};

EdgeServer::EdgeServer(const PipelineConfig& config, Options options, Log& log, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, std::move(options), log, clock)) {}

EdgeServer::~EdgeServer() { stop(); }

std::uint16_t EdgeServer::port() const { return impl_->http.port(); }

void EdgeServer::start() {
  Impl& all = *impl_;
  if (all.is_running) return;
  all.http.start();  // first, as it is what may fail; readiness says that it is not time yet
  all.is_running = true;
  all.log.info("Pipeline", "Started as an edge: the market comes from Redis");
  all.log.info("Distributor", "Started quote distribution workers");
  all.status.start();
  all.log.info("API", "Pipeline endpoints registered");
  all.source.start();
  all.log.info("API", "Listening on " + http_address(all.config, port()));
}

void EdgeServer::stop() {
  Impl& all = *impl_;
  if (!all.is_running) return;
  all.is_running = false;
  all.status.set_readiness(Readiness::kDraining);
  all.http.stop_accepting();
  all.log.info("Server", "Stopping: no new connections");
  all.source.stop();
  all.log.info("Server", "Stopping: Redis is left");
  all.status.stop();
  all.queries.stop();
  all.http.stop(kHttpGrace);
  all.log.info("Server", "Stopping: connections are closed");
}

void EdgeServer::reload(const PipelineConfig& config) {
  impl_->sites.reconfigure(config);
  impl_->status.set_stale_after(config.stale_quote_threshold);
}

void EdgeServer::tick() { impl_->sites.tick(); }

}  // namespace tickpipe::internal
