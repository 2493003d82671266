#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/worker_pool.h"
#include "model/system_status.h"
#include "pipeline/pipeline_config.h"
#include "redis/edge_source.h"
#include "serve/http.h"

namespace tickpipe::internal {

/// What an edge serves: one site per epoch, which is data, streams and API. The last one is served; clients of those
/// before are told that the server ends, which makes them come again, and a site goes once its last client has gone.
///
/// Place:   HttpServer -> [sites] -> Api, StreamHub; EdgeSource -> [sites].
/// Threads: handle() any; on_loaded() and on_committed() that of the source; tick() one; the streams' calls those of
///          their loops; the rest any.
class EdgeSites final : public HttpHandler, public EdgeListener {
 public:
  /// What the API asks, for one of the sites. Any thread.
  struct Status {
    std::function<SystemStats()> stats;
    std::function<HealthReport()> health;
    std::function<std::vector<SymbolHealth>(const EdgeData&)> feed_health;
    std::function<Readiness()> readiness;
  };
  /// Sums of all sites there are and were.
  struct Totals {
    SystemStats::Streams streams;
    std::uint64_t quotes_served = 0;  ///< in answers of the API
    LatencySummary latency;           ///< of the streams of the present site
  };

  /// All references outlive it. Until the first on_loaded() it serves what `calendars` and the configuration tell.
  EdgeSites(const PipelineConfig& config, const CalendarRules& calendars, Status status, WorkerPool& workers,
            const Clock& clock, Log& log);
  ~EdgeSites() override;

  void handle(HttpRequest&& request, Respond respond) override;
  void shut_down_streams(const IoLoop& loop) override;
  void close_streams(const IoLoop& loop) override;

  void on_loaded(std::shared_ptr<EdgeData> data) override;
  void on_committed(const EventBatch& batch, Position position) override;

  /// Lets go of sites that nobody uses any more. About once a second.
  void tick();
  /// Takes over `stale_quote_threshold` and `live_tick_age`.
  void reconfigure(const PipelineConfig& config);

  /// What is served now. Never null.
  [[nodiscard]] std::shared_ptr<const EdgeData> data() const;
  [[nodiscard]] Totals totals() const;

 private:
  struct Site;

  [[nodiscard]] std::shared_ptr<Site> current() const;
  [[nodiscard]] std::vector<std::shared_ptr<Site>> all_sites() const;
  std::shared_ptr<Site> make_site(std::shared_ptr<EdgeData> data);
  void retire(const std::shared_ptr<Site>& site);

  PipelineConfig config_;
  const Status status_;
  WorkerPool& workers_;
  const Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;  ///< guards what follows, and config_
  std::shared_ptr<Site> current_;
  std::vector<std::shared_ptr<Site>> retired_;
  Totals gone_;
};

}  // namespace tickpipe::internal
