#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/doorbell.h"
#include "core/many_to_one_ring.h"
#include "core/nap.h"
#include "core/shared_histogram.h"
#include "model/batch_lane.h"
#include "model/quote_inbox.h"
#include "shard/shard_engine.h"

namespace tickpipe::internal {

/// A shard: an inbox, the thread that owns the symbols behind it, and the lane to the committer.
///
/// Life: construct, restore through engine(), start(), push(), stop(). The committer must run until stop() has
/// returned, as the last batch needs a taker.
class Shard final : public QuoteInbox {
 public:
  struct Options {
    std::size_t inbox_slots = 10000;
    const Clock* clock = nullptr;  ///< outlives the shard; measures latency, and closes bars
    /// Bars are closed this long after their end by the wall clock; nothing = never.
    std::optional<std::chrono::nanoseconds> bar_close_grace;
  };

  Shard(ShardRules rules, const Options& options, Doorbell& committer);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start();
  /// Works off the inbox, hands over everything with a checkpoint, ends the thread. Nobody may push any more.
  void stop();

  /// Pushes as many quotes from the front as fit and returns their number; a span that fits stays together. Any thread.
  std::size_t try_push(std::span<const Quote> quotes) noexcept override;
  bool wait_for_room(std::chrono::nanoseconds timeout) override;
  [[nodiscard]] std::size_t depth() const noexcept { return inbox_.depth(); }

  /// Runs `work` on the shard's thread, after everything that was pushed before by this thread, and returns when what
  /// it did has been committed. Must not be called after stop().
  void run_and_commit(const std::function<void(ShardEngine&, EventBatch&)>& work);

  [[nodiscard]] BatchLane& lane() noexcept { return lane_; }
  [[nodiscard]] Doorbell& doorbell() noexcept { return bell_; }
  /// Only while the thread is not running.
  [[nodiscard]] ShardEngine& engine() noexcept { return engine_; }
  /// From the receipt of a live quote to the verdict on it, whatever that is.
  [[nodiscard]] const SharedHistogram& tick_latency() const noexcept { return tick_latency_; }
  /// From the first live quote of a batch to the moment when its bars are complete; each of its quotes counts.
  [[nodiscard]] const SharedHistogram& bar_latency() const noexcept { return bar_latency_; }
  /// Takes effect soon. Any thread.
  void set_thresholds(const ShardThresholds& thresholds);
  [[nodiscard]] ShardEngine::HistoryFailure history_failure() const { return engine_.history_failure(); }
  /// Any thread.
  void set_bar_close_grace(std::chrono::nanoseconds grace) noexcept {
    grace_ns_.store(grace.count(), std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t inbox_capacity() const noexcept { return inbox_.capacity(); }
  [[nodiscard]] const ShardCounters& counters() const noexcept { return engine_.counters(); }

 private:
  struct Work {
    const std::function<void(ShardEngine&, EventBatch&)>* run = nullptr;
    std::optional<std::uint64_t> carried_by;  ///< number of the batch with its effect, once it has run
  };

  void loop();
  std::size_t drain();
  void close_by_clock();
  /// How long to sleep when nothing happens: until bars may have to be closed.
  [[nodiscard]] std::chrono::nanoseconds longest_sleep() const;
  void run_work();
  void make_room();
  [[nodiscard]] bool batch_is_full() noexcept;
  [[nodiscard]] bool has_something_to_hand_over() noexcept;
  bool hand_over(bool force_checkpoint);

  BatchLane lane_;
  ShardEngine engine_;
  ManyToOneRing<Quote> inbox_;
  Doorbell bell_;  ///< wakes the shard: quotes, the committer took a batch, work, stop
  Doorbell room_;  ///< wakes producers: room in the inbox
  Doorbell& committer_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_work_{false};
  std::mutex work_mutex_;
  std::optional<ShardThresholds> new_thresholds_;
  std::vector<Work*> work_;
  Nap nap_;
  const Clock& clock_;
  const bool closes_by_clock_;
  std::atomic<std::int64_t> grace_ns_;
  UnixNanos next_close_check_ = kNoTime;
  UnixNanos first_in_batch_ = kNoTime;  ///< when the first live quote of the current batch was accepted
  SharedHistogram tick_latency_;
  SharedHistogram bar_latency_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal
