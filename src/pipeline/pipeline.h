#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "ingest/intake.h"
#include "model/event_batch.h"
#include "model/name_registry.h"
#include "model/system_status.h"
#include "pipeline/bar_settings.h"
#include "pipeline/pipeline_config.h"
#include "pipeline/retention.h"
#include "publish/committer.h"
#include "shard/shard.h"
#include "store/data_directory.h"
#include "store/embedded_store.h"

namespace tickpipe::internal {

/// Counters since start, of one moment: received = processed + refused + dropped + in flight.
struct PipelineStats {
  std::uint64_t received = 0;
  std::uint64_t processed = 0;  ///< accepted and committed
  std::uint64_t dropped = 0;
  ReasonCounts refused{};  ///< duplicates included
  std::uint64_t in_flight = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t spikes = 0;
  std::uint64_t late_for_bars = 0;
  std::uint64_t bar_events = 0;
  std::uint64_t commits = 0;

  [[nodiscard]] std::uint64_t refused_total() const noexcept;
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return refused[index_of(Reason::kDuplicate)]; }
  /// Refused without duplicates.
  [[nodiscard]] std::uint64_t invalid() const noexcept { return refused_total() - duplicates(); }
};

/// The whole engine: intake, shards, committer and store, built, started and stopped in the right order.
///
/// Life: construct (opens and recovers the data), start(), feed it through QuoteProducers on intake(), stop().
/// Threads: start() and stop() from one thread; the rest from any.
class Pipeline {
 public:
  struct Options {
    std::filesystem::path data_dir = "data";    ///< not touched with StoreType::kNone
    const Clock* clock = nullptr;               ///< null = the system clock; outlives the pipeline
    std::vector<BatchListener*> listeners;      ///< outlive the pipeline
    std::chrono::nanoseconds give_up_after{0};  ///< a failing store: see Committer::Options
    /// It runs for long, with readers and live sources: bars are also closed by the wall clock, readers are told of
    /// open bars, and while the store fails quotes are refused as kStoreUnavailable instead of making their sources
    /// wait.
    bool is_service = false;
    VerdictBook* verdicts = nullptr;  ///< for producers with a verdict sink; outlives the pipeline
    std::function<void(Retention::Step)> on_retention_step = {};  ///< see Retention::Parts
  };

  /// Throws Error, or ConfigError when the configuration does not fit the stored data.
  Pipeline(const PipelineConfig& config, const Options& options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Before start(); the listener outlives the pipeline, or at least stop().
  void add_listener(BatchListener& listener) { committer_->add_listener(listener); }
  void start();
  /// Everything that producers flushed before is committed when it returns. Idempotent. Throws Error when the last
  /// sync of the store fails.
  void stop();

  [[nodiscard]] Intake& intake() noexcept { return *intake_; }
  [[nodiscard]] const Clock& clock() const noexcept { return *clock_; }

  /// Closes every bar that ends at or before `time`, after everything this thread has flushed; returns once committed.
  void close_bars_through(UnixNanos time);
  /// Returns once everything this thread has flushed is committed.
  void drain();

  /// Removes what is stored and older than `limits` as of `now`. Nothing without a store, and nothing unless it runs.
  /// Takes long when there is much. Throws Error when the store fails. Any thread.
  Maintenance::CleanupResult apply_retention(const RetentionLimits& limits, UnixNanos now);

  /// From now on stop() gives up on a store that keeps failing. Any thread.
  void announce_end() noexcept { committer_->announce_end(); }

  /// Whether the last commit failed and is being tried again.
  [[nodiscard]] bool is_failing() const noexcept { return is_failing_.load(std::memory_order_acquire); }

  /// Takes over what of the configuration may change while it runs: symbols, limits and thresholds.
  void reconfigure(const PipelineConfig& config);

  // What readers stand on.
  [[nodiscard]] const SymbolRegistry& symbols() const noexcept { return symbols_; }
  [[nodiscard]] const LpRegistry& lps() const noexcept { return lps_; }
  [[nodiscard]] const History* history() const noexcept { return store_.get(); }
  /// For sinks; null without one.
  [[nodiscard]] EmbeddedStore* store() noexcept { return store_.get(); }
  [[nodiscard]] const std::vector<Timeframe>& timeframes() const noexcept { return bar_settings_.timeframes; }
  [[nodiscard]] const TradingCalendar& calendar(SymbolId symbol) const {
    return calendars_.for_symbol(symbols_.name(symbol).view());
  }
  /// Of the data directory, or of this process without a store.
  [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }
  /// The state of every symbol as it was restored. Before start() only.
  void for_each_symbol(const std::function<void(const SymbolState&)>& take) const;

  struct Latencies {
    LatencySummary tick;          ///< received -> verdict
    LatencySummary bar;           ///< accepted -> bar complete
    LatencySummary distribution;  ///< committed -> readers can see it
    LatencySummary commit;        ///< of the store, for a commit
  };
  [[nodiscard]] Latencies latencies() const;
  [[nodiscard]] std::vector<QueueDepth> queue_depths() const;

  [[nodiscard]] PipelineStats stats() const;
  /// Distinct bars created or changed since start, per timeframe, as of the last drain() or stop().
  [[nodiscard]] std::vector<std::pair<Timeframe, std::uint64_t>> changed_bars();
  /// Throws Error, with the cause, once the store has given up: what comes now would be lost. Cheap.
  void throw_if_given_up() const;
  /// Why the store cannot be written, or could not be read; empty when all is well. A failed read counts for a minute
  /// in a service, and until the end otherwise.
  [[nodiscard]] std::string failure() const;

 private:
  void open_store(const Options& options);
  void make_shards();
  void recover(const BarSettings& settings);
  [[nodiscard]] ShardRules shard_rules(std::uint32_t shard, const BarSettings& settings,
                                       const CalendarRules& calendars);
  void sync_loop();

  const PipelineConfig config_;
  SystemClock system_clock_;
  const Clock* clock_;
  BarSettings bar_settings_;
  CalendarRules calendars_;
  SymbolRegistry symbols_;
  LpRegistry lps_;
  std::optional<DataDirectory> directory_;
  std::unique_ptr<EmbeddedStore> store_;
  std::string epoch_;
  const bool is_service_;
  VerdictBook* const verdicts_;
  std::atomic<bool> is_failing_{false};
  std::atomic<std::uint64_t> checkpoint_round_{0};
  Doorbell committer_bell_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Committer> committer_;
  std::optional<Retention> retention_;  ///< with a store
  std::atomic<bool> syncing_{false};
  Doorbell sync_bell_;
  std::jthread sync_thread_;
  std::string sync_failure_;
  mutable std::mutex sync_mutex_;
  bool is_running_ = false;
};

}  // namespace tickpipe::internal
