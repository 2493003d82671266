#include "pipeline/server.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/safe_text.h"
#include "core/worker_pool.h"
#include "feed/replay_feed.h"
#include "feed/sim_feed.h"
#include "ingest/ingest_service.h"
#include "ingest/quote_file.h"
#include "ingest/verdict_ledger.h"
#include "pipeline/bar_log.h"
#include "pipeline/feed_runner.h"
#include "pipeline/pipeline.h"
#include "pipeline/redis_parts.h"
#include "pipeline/retention.h"
#include "pipeline/server_parts.h"
#include "pipeline/server_status.h"
#include "publish/market_view.h"
#include "serve/api.h"
#include "serve/http_server.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

constexpr unsigned kIngestThreads = 2;
constexpr unsigned kQueryThreads = 2;
/// How long requests under way have to be answered at the end.
constexpr std::chrono::seconds kHttpGrace{5};
/// How long Redis has to take what is left at the end.
constexpr std::chrono::seconds kRedisGrace{5};
/// Retention goes by days; it is looked at every hour, and soon after a start.
constexpr std::chrono::minutes kFirstCleanup{5};
constexpr std::chrono::hours kCleanupInterval{1};

SymbolStart start_of(const SymbolState& state) {
  SymbolStart start;
  start.symbol = state.id;
  start.seq = state.seq;
  start.latest = state.latest;
  for (const LpState& lp : state.lps) {
    if (lp.greatest == kNoTime) continue;
    start.newest = std::max(start.newest, lp.greatest);
    start.lps.push_back({.lp = lp.lp, .tick_count = 0, .last_event = lp.greatest, .last_received = lp.newest_received});
  }
  state.bars.append_open_bars(start.open_bars);
  return start;
}

std::optional<InputFormat> input_format(ReplayFormat format) {
  switch (format) {
    case ReplayFormat::kCsv:
      return InputFormat::kCsv;
    case ReplayFormat::kJsonLines:
      return InputFormat::kJsonLines;
    case ReplayFormat::kAuto:
      break;
  }
  return std::nullopt;
}

}  // namespace

/// Everything that runs, in the order of construction: what comes later stands on what comes before.
struct Server::Impl final : Maintenance {
  Impl(const PipelineConfig& given, Options given_options, Log& given_log, const Clock& given_clock);

  CleanupResult cleanup() override;
  void tick_log() { bar_log.flush(log); }
  void clean_up_when_due();
  void tell_store_changes();
  std::unique_ptr<FeedRunner> make_feed(const FeedSpec& spec);
  void start_feed(const ConfiguredFeed& feed);
  [[nodiscard]] std::vector<FeedStatus> feed_statuses() const;
  [[nodiscard]] std::optional<FeedState> feed_of_lp(const Name& lp) const;
  [[nodiscard]] std::vector<SinkStatus> sink_statuses() const;

  struct RunningFeed {
    std::string text;
    std::unique_ptr<FeedRunner> runner;
  };

  PipelineConfig config;
  std::mutex config_mutex;  ///< guards `config` once it runs
  const Options options;
  Log& log;
  const Clock& clock;
  VerdictLedger ledger;
  Pipeline pipeline;
  MarketView view;
  BarLog bar_log;
  std::unique_ptr<RedisSink> redis;  ///< null: none is configured
  IngestService ingest;
  mutable std::mutex feeds_mutex;
  std::vector<RunningFeed> feeds;
  WorkerPool queries;
  ServerStatus status;
  StreamHub streams;
  LocalStreams local_streams;
  Api api;
  std::optional<HttpServer> http;
  bool is_running = false;
  std::string told_failure;
  std::chrono::steady_clock::time_point next_cleanup = std::chrono::steady_clock::now() + kFirstCleanup;
};

Server::Impl::Impl(const PipelineConfig& given, Options given_options, Log& given_log, const Clock& given_clock)
    : config(given),
      options(std::move(given_options)),
      log(given_log),
      clock(given_clock),
      ledger(given.worker_count),
      pipeline(given, {.data_dir = options.data_dir,
                       .clock = &clock,
                       .listeners = {},
                       .give_up_after = {},
                       .is_service = true,
                       .verdicts = &ledger}),
      view({.timeframes = pipeline.timeframes(),
            .hot_ticks = given.hot_data_retention,
            .calendar_of = [this](SymbolId symbol) -> const TradingCalendar& { return pipeline.calendar(symbol); },
            .history = pipeline.history()}),
      bar_log(pipeline.symbols(), pipeline.timeframes(), clock),
      redis(make_redis_sink(given, pipeline, view, given_log)),
      ingest({.threads = kIngestThreads,
              .wait_for_room = given.http.ingest_wait,
              .max_line_bytes = given.ingest.max_line_bytes},
             pipeline.intake(), ledger),
      queries("query", kQueryThreads),
      status(given, pipeline, view, clock, log,
             {.version = options.version,
              .stats_interval = options.stats_interval,
              .feeds = [this] { return feed_statuses(); },
              .feed_of_lp = [this](const Name& lp) { return feed_of_lp(lp); },
              .quotes_distributed = [this] { return api.quotes_served() + streams.counters().messages; },
              .connections = [this] { return http ? http->connections() : streams.counters().clients; },
              .streams = [this] { return stream_stats(streams); },
              .stream_latency = [this] { return streams.latency(); },
              .sinks = [this] { return sink_statuses(); }}),
      streams({.market = view,
               .symbols = pipeline.symbols(),
               .lps = pipeline.lps(),
               .ingest = ingest,
               .clock = clock,
               .log = log,
               .epoch = pipeline.epoch(),
               .is_allowed = [this](const Name& symbol) { return pipeline.intake().is_allowed(symbol); },
               .stats_json = [this] { return api.stats_json(); },
               .health_json = [this] { return api.health_json(); },
               .run_in_background = [this](std::function<void()> work) { queries.submit(std::move(work)); },
               .live_tick_age = given.live_tick_age,
               .inbox_events = given.distribution_buffer_size,
               .client_buffer_bytes = given.ws.client_buffer_bytes,
               .compression = given.ws.compression,
               .max_ingest_bytes = given.http.max_body_bytes}),
      local_streams(streams, log),
      api({.market = view,
           .status = status,
           .ingest = ingest,
           .maintenance = *this,
           .symbols = pipeline.symbols(),
           .lps = pipeline.lps(),
           .clock = clock,
           .epoch = pipeline.epoch(),
           .stale_after = given.stale_quote_threshold,
           .run_in_background = [this](std::function<void()> work) { queries.submit(std::move(work)); },
           .streams = &streams}) {
  if (options.listens) http.emplace(http_options(given), api, log);
  pipeline.for_each_symbol([this](const SymbolState& state) { view.restore(start_of(state)); });
  pipeline.add_listener(view);
  pipeline.add_listener(streams);                       // behind the view: see StreamHub
  if (redis) pipeline.add_listener(redis->listener());  // behind the view, which it reads
  pipeline.add_listener(bar_log);
  pipeline.add_listener(ledger);  // last: whoever is told that a quote is committed finds it in the view
}

std::unique_ptr<FeedRunner> Server::Impl::make_feed(const FeedSpec& spec) {
  if (const auto* const sim = std::get_if<SimOptions>(&spec.options)) {
    return std::make_unique<FeedRunner>(std::make_unique<SimFeed>(spec.name, *sim, clock), sim->lp, pipeline, view,
                                        log);
  }
  if (const auto* const replay = std::get_if<ReplayOptions>(&spec.options)) {
    QuoteFile::Options file_options;
    file_options.format = input_format(replay->format);
    file_options.max_line_bytes = config.ingest.max_line_bytes;
    file_options.only_regular = true;  // reading a pipe could not be stopped
    auto open = [path = replay->file, file_options] { return std::make_unique<QuoteFile>(path, file_options); };
    return std::make_unique<FeedRunner>(std::make_unique<ReplayFeed>(spec.name, *replay, std::move(open), clock),
                                        replay->lp, pipeline, view, log);
  }
  return nullptr;
}

void Server::Impl::start_feed(const ConfiguredFeed& feed) {
  auto runner = make_feed(feed.spec);
  if (!runner) return;  // `none`
  runner->start();
  const std::lock_guard lock(feeds_mutex);
  feeds.push_back({feed.text, std::move(runner)});
}

std::vector<FeedStatus> Server::Impl::feed_statuses() const {
  const std::lock_guard lock(feeds_mutex);
  std::vector<FeedStatus> statuses;
  statuses.reserve(feeds.size());
  for (const RunningFeed& feed : feeds) statuses.push_back(feed.runner->status());
  return statuses;
}

std::optional<FeedState> Server::Impl::feed_of_lp(const Name& lp) const {
  const std::lock_guard lock(feeds_mutex);
  std::optional<FeedState> state;
  for (const RunningFeed& feed : feeds) {
    // Of several feeds that carry an LP the best one counts.
    if (feed.runner->has_sent(lp)) state = std::min(state.value_or(FeedState::kFailed), feed.runner->status().state);
  }
  return state;
}

std::vector<SinkStatus> Server::Impl::sink_statuses() const {
  if (!redis) return {};
  return {redis->status()};
}

Maintenance::CleanupResult Server::Impl::cleanup() {
  const RetentionLimits limits = [this] {
    const std::lock_guard lock(config_mutex);
    return RetentionLimits::of(config);
  }();
  const CleanupResult result = pipeline.apply_retention(limits, clock.now());
  if (result.removed_ticks != 0 || result.removed_bars != 0) {
    log.info("Storage", "Retention removed " + std::to_string(result.removed_ticks) + " ticks and " +
                            std::to_string(result.removed_bars) + " bars");
  }
  return result;
}

void Server::Impl::clean_up_when_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_cleanup) return;
  next_cleanup = now + kCleanupInterval;
  queries.submit([this] {
    try {
      cleanup();
    } catch (const Error& error) {
      log.error("Storage", "Retention could not be applied: " + safe_text(error.what(), 512));
    }
  });
}

Server::Server(const PipelineConfig& config, Options options, Log& log, const Clock& clock)
    : impl_(std::make_unique<Impl>(config, std::move(options), log, clock)) {}

Server::~Server() {
  try {
    stop();
  } catch (const Error&) {
    // stop() by hand tells.
  }
}

std::unique_ptr<LocalSubscription> Server::subscribe(std::vector<Name> symbols, const QuoteOptions& options,
                                                     QuoteHandler handler) {
  return impl_->local_streams.subscribe(std::move(symbols), options, std::move(handler));
}

std::uint16_t Server::port() const { return impl_->http ? impl_->http->port() : std::uint16_t{0}; }
void Server::write_stats() { impl_->status.write_stats(); }
HttpHandler& Server::api() noexcept { return impl_->api; }
Intake& Server::intake() noexcept { return impl_->pipeline.intake(); }
VerdictLedger& Server::ledger() noexcept { return impl_->ledger; }
const MarketData& Server::market() const noexcept { return impl_->view; }
const SystemStatus& Server::status() const noexcept { return impl_->status; }
const SymbolRegistry& Server::symbols() const noexcept { return impl_->pipeline.symbols(); }
const LpRegistry& Server::lps() const noexcept { return impl_->pipeline.lps(); }

void Server::start() {
  Impl& all = *impl_;
  if (all.is_running) return;
  if (all.http) all.http->start();  // first, as it is what may fail; readiness says that it is not time yet
  all.is_running = true;
  const bool is_stored = all.config.store.type != StoreType::kNone;
  all.log.info("Storage", is_stored ? "Storage manager started: " + safe_text(all.options.data_dir.string(), 4096)
                                    : "Storage manager started: nothing is kept (store.type is none)");
  all.pipeline.start();
  all.log.info("Pipeline", "Started with " + std::to_string(all.config.worker_count) + " workers");
  all.ingest.start();
  all.log.info("Distributor", "Started quote distribution workers");
  if (all.redis) all.redis->start();
  all.status.start();
  all.log.info("API", "Pipeline endpoints registered");
  for (const ConfiguredFeed& feed : all.options.feeds) all.start_feed(feed);
  all.status.set_readiness(Readiness::kReady);
  all.log.info("Pipeline", "Market data pipeline started");
  if (all.http) all.log.info("API", "Listening on " + http_address(all.config, port()));
}

void Server::stop() {
  Impl& all = *impl_;
  if (!all.is_running) return;
  all.is_running = false;
  all.status.set_readiness(Readiness::kDraining);
  if (all.http) {
    all.http->stop_accepting();
    all.log.info("Server", "Stopping: no new connections");
  }
  for (const auto& feed : all.feeds) feed.runner->request_stop();
  for (const auto& feed : all.feeds) feed.runner->join();
  all.ingest.stop();
  all.log.info("Server", "Stopping: intake is closed, " + std::to_string(all.pipeline.stats().in_flight) +
                             " ticks are under way");
  all.pipeline.announce_end();
  std::string sync_failure;
  try {
    all.pipeline.stop();
  } catch (const Error& error) {
    sync_failure = error.what();
  }
  const PipelineStats stats = all.pipeline.stats();
  all.log.info("Server", "Stopping: drained, " + std::to_string(stats.processed) + " ticks committed since start");
  if (all.redis) all.redis->stop(kRedisGrace);
  all.ingest.give_up();  // only what a failing store kept from being committed is left
  all.local_streams.stop();
  all.status.stop();
  all.tick_log();
  all.queries.stop();
  if (all.http) {
    all.http->stop(kHttpGrace);
    all.log.info("Server", "Stopping: connections are closed");
  }
  if (stats.in_flight != 0) {
    throw Error(std::to_string(stats.in_flight) + " accepted ticks could not be stored; none of them was " +
                "acknowledged or shown: " + all.pipeline.failure());
  }
  if (!sync_failure.empty()) throw Error(sync_failure);
}

void Server::Impl::tell_store_changes() {
  std::string failure = pipeline.failure();
  if (failure == told_failure) return;
  if (failure.empty()) {
    log.info("Storage", "The store works again");
  } else {
    log.error("Storage", safe_text(failure, 512) + "; ticks are refused as store_unavailable until it can be written");
  }
  told_failure = std::move(failure);
}

void Server::tick() {
  impl_->tell_store_changes();
  impl_->tick_log();
  impl_->clean_up_when_due();
}

void Server::reload(const PipelineConfig& config, std::vector<ConfiguredFeed> feeds) {
  Impl& all = *impl_;
  all.pipeline.reconfigure(config);
  all.view.set_hot_ticks(config.hot_data_retention);
  all.streams.set_live_tick_age(config.live_tick_age);
  all.api.set_stale_after(config.stale_quote_threshold);
  all.status.set_stale_after(config.stale_quote_threshold);
  std::vector<Impl::RunningFeed> ending;
  {
    const std::lock_guard lock(all.feeds_mutex);
    for (auto it = all.feeds.begin(); it != all.feeds.end();) {
      const auto wanted =
          std::find_if(feeds.begin(), feeds.end(), [&](const auto& feed) { return feed.text == it->text; });
      if (wanted != feeds.end()) {
        feeds.erase(wanted);  // it goes on
        ++it;
      } else {
        ending.push_back(std::move(*it));
        it = all.feeds.erase(it);
      }
    }
  }
  for (const auto& feed : ending) feed.runner->request_stop();
  ending.clear();
  for (const ConfiguredFeed& feed : feeds) all.start_feed(feed);
  const std::lock_guard lock(all.config_mutex);
  all.config = config;
}

}  // namespace tickpipe::internal
