#include "pipeline/edge_sites.h"

#include <algorithm>
#include <shared_mutex>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "model/ingest_door.h"
#include "pipeline/server_parts.h"
#include "serve/api.h"
#include "serve/problem.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// How long clients of an epoch that is over have to read that; a second more than they are given.
constexpr std::chrono::seconds kFarewell{11};

/// Nothing gets here: EdgeSites answers before.
class NoIntake final : public IngestDoor, public Maintenance {
 public:
  void ingest(std::string /*body*/, QuoteOrigin /*origin*/, std::function<void(IngestAnswer)> done) override {
    IngestAnswer answer;
    answer.outcome = IngestAnswer::Outcome::kStopping;
    done(std::move(answer));
  }
  CleanupResult cleanup() override { return {}; }
};

bool is_read(HttpMethod method) { return method == HttpMethod::kGet || method == HttpMethod::kHead; }

/// Why an edge does not answer that at all; nothing if it does.
std::optional<Problem> refusal(const HttpRequest& request, Readiness readiness) {
  const std::string_view path = request.raw_path();
  const bool is_post = request.method == HttpMethod::kPost;
  if ((is_post && (path == "/api/ingest" || path == "/admin/pipeline/cleanup")) ||
      (is_read(request.method) && path == "/ws/ingest")) {
    return Problem{403, "read_only_edge", "this is an edge (role), which only reads: send it to the node"};
  }
  const bool is_of_market = path.starts_with("/api/") && !path.starts_with("/api/pipeline/");
  if (readiness == Readiness::kStarting && is_of_market && is_read(request.method)) {
    return Problem{503, "starting", "not everything was read from Redis yet; ask again in a moment"};
  }
  return std::nullopt;
}

}  // namespace

struct EdgeSites::Site final : std::enable_shared_from_this<EdgeSites::Site>, SystemStatus {
  Site(EdgeSites& of, const PipelineConfig& config, std::shared_ptr<EdgeData> of_epoch)
      : sites(of),
        data(std::move(of_epoch)),
        streams({.market = data->view,
                 .symbols = data->symbols,
                 .lps = data->lps,
                 .ingest = intake,
                 .clock = sites.clock_,
                 .log = sites.log_,
                 .epoch = data->epoch,
                 .is_allowed =
                     [allowed = config.symbols](const Name& symbol) {
                       return allowed.empty() ||
                              std::find(allowed.begin(), allowed.end(), symbol.view()) != allowed.end();
                     },
                 .stats_json = [this] { return api.stats_json(); },
                 .health_json = [this] { return api.health_json(); },
                 .run_in_background = [this](std::function<void()> work) { run(std::move(work)); },
                 .live_tick_age = config.live_tick_age,
                 .inbox_events = config.distribution_buffer_size,
                 .client_buffer_bytes = config.ws.client_buffer_bytes,
                 .compression = config.ws.compression,
                 .max_ingest_bytes = config.http.max_body_bytes,
                 .may_lag = true}),
        api({.market = data->view,
             .status = *this,
             .ingest = intake,
             .maintenance = intake,
             .symbols = data->symbols,
             .lps = data->lps,
             .clock = sites.clock_,
             .epoch = data->epoch,
             .stale_after = config.stale_quote_threshold,
             .run_in_background = [this](std::function<void()> work) { run(std::move(work)); },
             .streams = &streams}) {}

  void run(std::function<void()> work) {
    sites.workers_.submit([keeps = shared_from_this(), work = std::move(work)] { work(); });
  }

  [[nodiscard]] SystemStats stats() const override {
    SystemStats stats = sites.status_.stats();
    stats.epoch = data->epoch;
    return stats;
  }
  [[nodiscard]] HealthReport health() const override { return sites.status_.health(); }
  [[nodiscard]] std::vector<SymbolHealth> feed_health() const override { return sites.status_.feed_health(*data); }
  [[nodiscard]] Readiness readiness() const override { return sites.status_.readiness(); }

  EdgeSites& sites;
  const std::shared_ptr<EdgeData> data;
  NoIntake intake;
  StreamHub streams;
  Api api;
  std::shared_mutex mutex;  ///< held while a client is taken over
  bool is_retired = false;  ///< guarded by it: no client is taken over any more
  std::chrono::steady_clock::time_point retired_at;
};

EdgeSites::EdgeSites(const PipelineConfig& config, const CalendarRules& calendars, Status status, WorkerPool& workers,
                     const Clock& clock, Log& log)
    : config_(config), status_(std::move(status)), workers_(workers), clock_(clock), log_(log) {
  EdgeData::Options nothing;
  nothing.timeframes = config.timeframes;
  current_ = make_site(std::make_shared<EdgeData>("", nothing, calendars));
}

EdgeSites::~EdgeSites() = default;

std::shared_ptr<EdgeSites::Site> EdgeSites::make_site(std::shared_ptr<EdgeData> data) {
  return std::make_shared<Site>(*this, config_, std::move(data));
}

std::shared_ptr<EdgeSites::Site> EdgeSites::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::vector<std::shared_ptr<EdgeSites::Site>> EdgeSites::all_sites() const {
  const std::lock_guard lock(mutex_);
  auto all = retired_;
  all.push_back(current_);
  return all;
}

std::shared_ptr<const EdgeData> EdgeSites::data() const { return current()->data; }

// --- requests -------------------------------------------------------------------------------------------------------

void EdgeSites::handle(HttpRequest&& request, Respond respond) {
  if (const auto problem = refusal(request, status_.readiness())) return respond(to_response(*problem));
  const auto site = current();
  site->api.handle(std::move(request), [site, respond = std::move(respond)](HttpResponse response) {
    if (response.take_over) {
      TakeOver take_over = std::move(response.take_over);
      response.take_over = [site, take_over = std::move(take_over)](HandedOver&& connection) {
        const std::shared_lock lock(site->mutex);
        if (!site->is_retired) take_over(std::move(connection));  // else it closes
      };
    }
    respond(std::move(response));
  });
}

void EdgeSites::shut_down_streams(const IoLoop& loop) {
  for (const auto& site : all_sites()) site->api.shut_down_streams(loop);
}

void EdgeSites::close_streams(const IoLoop& loop) {
  for (const auto& site : all_sites()) site->api.close_streams(loop);
}

// --- epochs ---------------------------------------------------------------------------------------------------------

void EdgeSites::on_loaded(std::shared_ptr<EdgeData> data) {
  std::shared_ptr<Site> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(current_, make_site(std::move(data)));
    retired_.push_back(before);
  }
  retire(before);
}

void EdgeSites::retire(const std::shared_ptr<Site>& site) {
  {
    const std::lock_guard lock(site->mutex);  // behind it no group of clients is made
    site->is_retired = true;
  }
  {
    const std::lock_guard lock(mutex_);
    site->retired_at = std::chrono::steady_clock::now();
  }
  site->streams.shut_down_everywhere(site);
}

void EdgeSites::on_committed(const EventBatch& batch, Position position) {
  // Only this thread exchanges it.
  StreamHub& streams = current()->streams;
  streams.on_committed(batch, position);
  streams.on_commit_end();
}

void EdgeSites::tick() {
  std::vector<std::shared_ptr<Site>> ended;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (auto at = retired_.begin(); at != retired_.end();) {
      Site& site = **at;
      const bool is_told = site.retired_at != std::chrono::steady_clock::time_point{};
      const bool is_over = is_told && (site.streams.counters().clients == 0 || now - site.retired_at > kFarewell);
      if (!is_over) {
        ++at;
        continue;
      }
      gone_.quotes_served += site.api.quotes_served();
      const SystemStats::Streams counted = stream_stats(site.streams);
      gone_.streams.messages += counted.messages;
      gone_.streams.bytes += counted.bytes;
      gone_.streams.encoded += counted.encoded;
      gone_.streams.encoded_missed += counted.encoded_missed;
      gone_.streams.overruns += counted.overruns;
      ended.push_back(*at);
      at = retired_.erase(at);
    }
  }
  for (const auto& site : ended) site->streams.close_everywhere(site);
}

void EdgeSites::reconfigure(const PipelineConfig& config) {
  const std::lock_guard lock(mutex_);
  config_.stale_quote_threshold = config.stale_quote_threshold;
  config_.live_tick_age = config.live_tick_age;
  current_->streams.set_live_tick_age(config.live_tick_age);
  current_->api.set_stale_after(config.stale_quote_threshold);
}

EdgeSites::Totals EdgeSites::totals() const {
  std::vector<std::shared_ptr<Site>> sites;
  Totals totals;
  {
    const std::lock_guard lock(mutex_);  // or a site that goes is counted twice
    sites = retired_;
    sites.push_back(current_);
    totals = gone_;
  }
  for (const auto& site : sites) {
    totals.quotes_served += site->api.quotes_served();
    const SystemStats::Streams counted = stream_stats(site->streams);
    totals.streams.clients += counted.clients;
    totals.streams.messages += counted.messages;
    totals.streams.bytes += counted.bytes;
    totals.streams.encoded += counted.encoded;
    totals.streams.encoded_missed += counted.encoded_missed;
    totals.streams.overruns += counted.overruns;
  }
  totals.latency = sites.back()->streams.latency();
  return totals;
}

}  // namespace tickpipe::internal
