#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/unix_nanos.h"
#include "model/ingest_door.h"
#include "pipeline/pipeline_config.h"
#include "publish/committer.h"
#include "shard/shard.h"
#include "store/embedded_store.h"

namespace tickpipe::internal {

/// How long what is stored stays; 0 = for ever.
struct RetentionLimits {
  std::chrono::nanoseconds ticks{0};  ///< from the receipt of the last tick of a symbol's UTC day
  std::chrono::nanoseconds bars{0};   ///< from the end of a bar

  static RetentionLimits of(const PipelineConfig& config);
  /// The moment that `retention` ago is, or kNoTime when it is for ever.
  static UnixNanos limit(std::chrono::nanoseconds retention, UnixNanos now) noexcept {
    return retention.count() == 0 ? kNoTime : now - retention;
  }
};

/// Removes what is older than its retention, beside a running pipeline.
///
/// Ticks: a symbol's UTC day goes as a whole when it ended and its last tick was received `ticks` ago:
///   1. the day is sealed: everything its shard had taken is committed, and it takes no further quotes of that day;
///   2. it is looked at again; a tick that came meanwhile keeps the day, and the seal is taken back;
///   3. all shards write a checkpoint, so that no restart folds those ticks again;
///   4. they are removed in one write.
/// After a crash in between the day is sealed and still has its ticks; the next apply() finishes it or unseals it.
///
/// Threads: any; one apply() runs at a time. Memory: a few words per stored day that is old and may not go yet.
class Retention {
 public:
  /// What has just been done.
  enum class Step : std::uint8_t { kLooked, kSealed, kCheckpointed };

  struct Parts {
    EmbeddedStore& store;
    const SymbolRegistry& symbols;
    std::span<const std::unique_ptr<Shard>> shards;
    const Committer& committer;
    std::atomic<std::uint64_t>& checkpoint_round;
    std::function<void(Step)> on_step;  ///< may be empty; for tests that come in between
  };
  explicit Retention(Parts parts) : parts_(std::move(parts)) {}

  /// The shards and the committer run.
  void open();
  /// They are about to stop: ends an apply() that runs, and makes later ones do nothing.
  void close();

  /// Throws Error when the store fails; what was removed until then stays removed.
  Maintenance::CleanupResult apply(const RetentionLimits& limits, UnixNanos now);

 private:
  struct Day {
    SymbolId symbol;
    std::int32_t day = 0;
    friend auto operator<=>(const Day&, const Day&) = default;
  };
  using Days = std::vector<Day>;

  /// Days whose last tick was received at or before `limit`. Adds those to `unsealed` that are sealed, hold ticks and
  /// may not go.
  Days find_due(UnixNanos limit, Days& unsealed);
  /// Whether the day may go, as of now.
  bool is_due(const Day& day, UnixNanos limit);
  void set_sealed(const Days& days, bool is_sealed);
  std::uint64_t remove(const Days& days);
  std::uint64_t remove_bars(UnixNanos limit);
  void throw_if_failing() const;
  void tell(Step step) const {
    if (parts_.on_step) parts_.on_step(step);
  }

  Parts parts_;
  std::mutex mutex_;  ///< held during apply()
  bool is_open_ = false;
  std::atomic<bool> closing_{false};
  std::map<Day, DayContent> looked_at_;
};

}  // namespace tickpipe::internal
