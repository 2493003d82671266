#include "pipeline/pipeline.h"

#include <pthread.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random_id.h"
#include "pipeline/recovery.h"

namespace tickpipe::internal {
namespace {

/// How long the end waits for a store that fails. What is not committed then was never answered for or shown.
constexpr std::chrono::seconds kGiveUpAtEndAfter{10};
constexpr std::chrono::minutes kReadFailureCounts{1};

Intake::Rules intake_rules(const PipelineConfig& config) {
  Intake::Rules rules;
  rules.max_future = std::chrono::seconds{config.max_future_seconds};
  rules.max_age = std::chrono::seconds{config.max_tick_age_seconds};
  for (const std::string& text : config.symbols) {
    const auto symbol = parse_symbol(text);
    if (!symbol) throw ConfigError("symbols: \"" + text + "\" is not a symbol");
    rules.symbols.push_back(*symbol);
  }
  return rules;
}

PriceGate::Rules price_rules(const PipelineConfig& config) {
  return {.reject_ratio_units = config.price_reject_ratio_units,
          .spike_threshold_units = config.price_sanity_threshold_units,
          .reject_spikes = config.price_sanity_action == PriceSanityAction::kReject};
}

std::vector<ShardEngine*> engines_of(const std::vector<std::unique_ptr<Shard>>& shards) {
  std::vector<ShardEngine*> engines;
  engines.reserve(shards.size());
  for (const auto& shard : shards) engines.push_back(&shard->engine());
  return engines;
}

/// Other settings would fold the bars again, from ticks that retention has removed.
ConfigError cannot_rebuild(const BarSettings& stored, const BarSettings& wanted) {
  return ConfigError(BarSettings::changed_keys(stored, wanted) +
                     " differ from what the stored bars were made with, and the ticks of some of their days were "
                     "removed after warm_data_retention_days: set them back, or start with a fresh data directory and "
                     "load the history again");
}

}  // namespace

std::uint64_t PipelineStats::refused_total() const noexcept {
  return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

Pipeline::Pipeline(const PipelineConfig& config, const Options& options)
    : config_(config),
      clock_(options.clock != nullptr ? options.clock : &system_clock_),
      bar_settings_(BarSettings::of(config)),
      calendars_(bar_settings_.calendars()),
      symbols_(config.max_symbols),
      lps_(config.max_lps),
      is_service_(options.is_service),
      verdicts_(options.verdicts) {
  if (config_.store.type == StoreType::kEmbedded) open_store(options);
  epoch_ = store_ ? store_->epoch() : random_id();
  make_shards();
  if (store_) recover(bar_settings_);

  std::vector<QuoteInbox*> inboxes;
  std::vector<Committer::Lane> lanes;
  for (const auto& shard : shards_) {
    inboxes.push_back(shard.get());
    lanes.push_back({&shard->lane(), &shard->doorbell()});
  }
  intake_ = std::make_unique<Intake>(intake_rules(config_),
                                     Intake::Parts{.symbols = symbols_,
                                                   .lps = lps_,
                                                   .inboxes = std::move(inboxes),
                                                   .clock = *clock_,
                                                   .refuse_all = is_service_ ? &is_failing_ : nullptr});
  Committer::Options committer_options;
  committer_options.give_up_after = options.give_up_after;
  if (is_service_) committer_options.give_up_at_end_after = kGiveUpAtEndAfter;
  committer_options.is_failing = &is_failing_;
  if (store_) {
    committer_options.start = store_->newest_position();
    committer_options.flush_interval = config_.store.flush_interval;
  }
  committer_ = std::make_unique<Committer>(committer_bell_, std::move(lanes), store_.get(), options.listeners,
                                           committer_options);
  if (store_) {
    retention_.emplace(Retention::Parts{.store = *store_,
                                        .symbols = symbols_,
                                        .shards = shards_,
                                        .committer = *committer_,
                                        .checkpoint_round = checkpoint_round_,
                                        .on_step = options.on_retention_step});
  }
}

Pipeline::~Pipeline() {
  try {
    stop();
  } catch (const Error&) {
    // stop() by hand tells; what it could not sync is as safe as after a crash of the machine.
  }
}

void Pipeline::open_store(const Options& options) {
  directory_.emplace(DataDirectory::lock(options.data_dir));
  store_ =
      std::make_unique<EmbeddedStore>(EmbeddedStore::Options{.database = directory_->database(),
                                                             .read_only = false,
                                                             .sync_commits = config_.store.fsync_interval.count() == 0,
                                                             .timeframes = bar_settings_.timeframes},
                                      symbols_, lps_);
}

ShardRules Pipeline::shard_rules(std::uint32_t shard, const BarSettings& settings, const CalendarRules& calendars) {
  ShardRules rules;
  rules.shard = shard;
  rules.shard_count = config_.worker_count;
  rules.deduplicate = config_.enable_deduplication;
  rules.dedup_window = config_.dedup_window;
  rules.flag_out_of_order = config_.enable_out_of_order_check;
  rules.prices = price_rules(config_);
  rules.live_tick_age = config_.live_tick_age;
  rules.bar_revision_window = config_.bar_revision_window;
  rules.tell_readers = is_service_;
  rules.verdicts = verdicts_;
  rules.bar_price = bar_price_function(settings.bar_price);
  rules.timeframes = settings.timeframes;
  rules.calendar_of = [this, &calendars](SymbolId symbol) -> const TradingCalendar& {
    return calendars.for_symbol(symbols_.name(symbol).view());
  };
  rules.is_selected = [this](LpId lp) {
    const auto& selected = config_.quote_source;
    return selected.empty() || std::find(selected.begin(), selected.end(), lps_.name(lp).view()) != selected.end();
  };
  rules.history = store_.get();
  rules.run_start = store_ ? store_->newest_position() : Position{};
  rules.checkpoint_round = &checkpoint_round_;
  return rules;
}

void Pipeline::make_shards() {
  for (std::uint32_t i = 0; i < config_.worker_count; ++i) {
    Shard::Options options;
    options.inbox_slots = config_.tick_buffer_size;
    options.clock = clock_;
    if (is_service_) options.bar_close_grace = config_.bar_close_grace;
    shards_.push_back(std::make_unique<Shard>(shard_rules(i, bar_settings_, calendars_), options, committer_bell_));
  }
}

void Pipeline::recover(const BarSettings& settings) {
  const auto engines = engines_of(shards_);
  const std::string wanted = settings.encode();
  const std::string stored = store_->bar_settings();
  if (stored == wanted && !store_->is_rebuilding()) {
    if (restore_engines(*store_, engines) != 0) commit_checkpoint(*store_, engines);
  } else if (stored.empty()) {
    store_->end_rebuild(wanted);  // a new store
  } else {
    const BarSettings old_settings = BarSettings::decode(stored);
    store_->retention().for_each_sealed_day(
        [&](SymbolId, std::int32_t) { throw cannot_rebuild(old_settings, settings); });
    const CalendarRules old_calendars = old_settings.calendars();
    ShardRules old_rules = shard_rules(0, old_settings, old_calendars);
    old_rules.shard_count = 1;
    ShardEngine old_engine(old_rules);
    ShardEngine* const old_engines[] = {&old_engine};
    if (restore_engines(*store_, old_engines) != 0) commit_checkpoint(*store_, old_engines);
    store_->begin_rebuild();
    rebuild_bars(*store_, old_engines, engines, settings.timeframes);
    store_->end_rebuild(wanted);
  }
  restore_retention(*store_, engines);
  for (ShardEngine* engine : engines) engine->finish_restore();
}

void Pipeline::start() {
  if (is_running_) return;
  is_running_ = true;
  committer_->start();
  for (const auto& shard : shards_) shard->start();
  if (store_ && config_.store.fsync_interval.count() != 0) {
    syncing_.store(true, std::memory_order_release);
    sync_thread_ = std::jthread([this] {
      pthread_setname_np(pthread_self(), "fsync");
      sync_loop();
    });
  }
  if (retention_) retention_->open();
}

void Pipeline::stop() {
  if (!is_running_) return;
  is_running_ = false;
  announce_end();
  if (retention_) retention_->close();
  for (const auto& shard : shards_) shard->stop();
  committer_->stop();
  if (sync_thread_.joinable()) {
    syncing_.store(false, std::memory_order_release);
    sync_bell_.ring();
    sync_thread_.join();
  }
  if (store_ && !committer_->has_given_up()) store_->sync();
}

void Pipeline::sync_loop() {
  std::uint64_t synced = 0;
  while (!sync_bell_.wait_for(config_.store.fsync_interval,
                              [this] { return !syncing_.load(std::memory_order_acquire); })) {
    const std::uint64_t commits = committer_->commits();
    if (commits == synced) continue;
    std::string failure;
    try {
      store_->sync();
      synced = commits;
    } catch (const Error& error) {
      failure = error.what();
    }
    const std::lock_guard lock(sync_mutex_);
    sync_failure_ = failure;
  }
}

void Pipeline::close_bars_through(UnixNanos time) {
  for (const auto& shard : shards_) {
    shard->run_and_commit([time](ShardEngine& engine, EventBatch& batch) { engine.close_through(time, batch); });
  }
}

void Pipeline::drain() {
  for (const auto& shard : shards_) shard->run_and_commit([](ShardEngine&, EventBatch&) {});
}

Maintenance::CleanupResult Pipeline::apply_retention(const RetentionLimits& limits, UnixNanos now) {
  return retention_ ? retention_->apply(limits, now) : Maintenance::CleanupResult{};
}

PipelineStats Pipeline::stats() const {
  PipelineStats stats;
  // Against the flow: whatever is counted at a later stage is then also counted at the earlier ones.
  stats.processed = committer_->committed_quotes();
  stats.commits = committer_->commits();
  for (const auto& shard : shards_) {
    const ShardCounters& counters = shard->counters();
    stats.out_of_order += counters.out_of_order.load(std::memory_order_relaxed);
    stats.spikes += counters.spikes.load(std::memory_order_relaxed);
    stats.late_for_bars += counters.late_for_bars.load(std::memory_order_relaxed);
    stats.bar_events += counters.bar_events.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kReasonCount; ++i) {
      stats.refused[i] += counters.refused[i].load(std::memory_order_acquire);
    }
  }
  const IntakeTotals totals = intake_->totals();
  for (std::size_t i = 0; i < kReasonCount; ++i) stats.refused[i] += totals.refused[i];
  stats.dropped = totals.dropped;
  stats.received = totals.received;
  stats.in_flight = stats.received - stats.processed - stats.refused_total() - stats.dropped;
  return stats;
}

std::vector<std::pair<Timeframe, std::uint64_t>> Pipeline::changed_bars() {
  std::vector<std::pair<Timeframe, std::uint64_t>> changed;
  changed.reserve(bar_settings_.timeframes.size());
  for (const Timeframe timeframe : bar_settings_.timeframes) changed.emplace_back(timeframe, 0);
  const auto add = [&changed](const ShardEngine& engine) {
    for (std::size_t i = 0; i < changed.size(); ++i) changed[i].second += engine.changed_bars_by_timeframe()[i];
  };
  for (const auto& shard : shards_) {
    if (is_running_) {
      shard->run_and_commit([&add](ShardEngine& engine, EventBatch&) { add(engine); });
    } else {
      add(shard->engine());
    }
  }
  return changed;
}

void Pipeline::throw_if_given_up() const {
  if (committer_->has_given_up()) throw Error(committer_->failure());
}

std::string Pipeline::failure() const {
  if (std::string failure = committer_->failure(); !failure.empty()) return failure;
  {
    const std::lock_guard lock(sync_mutex_);
    if (!sync_failure_.empty()) return sync_failure_;
  }
  for (const auto& shard : shards_) {
    ShardEngine::HistoryFailure failure = shard->history_failure();
    if (failure.text.empty()) continue;
    if (!is_service_ || std::chrono::steady_clock::now() - failure.at < kReadFailureCounts) return failure.text;
  }
  return {};
}

void Pipeline::reconfigure(const PipelineConfig& config) {
  intake_->set_rules(intake_rules(config));
  const ShardThresholds thresholds{.prices = price_rules(config),
                                   .live_tick_age = config.live_tick_age,
                                   .bar_revision_window = config.bar_revision_window};
  for (const auto& shard : shards_) {
    shard->set_bar_close_grace(config.bar_close_grace);
    shard->set_thresholds(thresholds);
  }
}

void Pipeline::for_each_symbol(const std::function<void(const SymbolState&)>& take) const {
  for (const auto& shard : shards_) shard->engine().for_each_symbol(take);
}

Pipeline::Latencies Pipeline::latencies() const {
  LatencyTotals tick;
  LatencyTotals bar;
  LatencyTotals distribution;
  for (const auto& shard : shards_) {
    shard->tick_latency().add_to(tick);
    shard->bar_latency().add_to(bar);
  }
  committer_->publish_latency().add_to(distribution);
  return {tick.summary(), bar.summary(), distribution.summary(), committer_->commit_latency().summary()};
}

std::vector<QueueDepth> Pipeline::queue_depths() const {
  std::vector<QueueDepth> depths;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    depths.push_back({"shard_" + std::to_string(i), shards_[i]->depth(), shards_[i]->inbox_capacity()});
  }
  return depths;
}

}  // namespace tickpipe::internal
