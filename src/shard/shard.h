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

#include "core/doorbell.h"
#include "core/many_to_one_ring.h"
#include "core/nap.h"
#include "model/batch_lane.h"
#include "model/quote_inbox.h"
#include "shard/shard_engine.h"

namespace tickpipe {

/// A shard: an inbox, the thread that owns the symbols behind it, and the lane to the committer.
///
/// Life: construct, restore through engine(), start(), push(), stop(). The committer must run until stop() has
/// returned, as the last batch needs a taker.
class Shard final : public QuoteInbox {
 public:
  Shard(ShardRules rules, std::size_t inbox_slots, Doorbell& committer);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start();
  /// Works off the inbox, hands over everything with a checkpoint, ends the thread. Nobody may push any more.
  void stop();

  /// Pushes as many quotes from the front as fit and returns their number; a span that fits stays together. Any thread.
  std::size_t try_push(std::span<const Quote> quotes) noexcept override;
  /// Pushes all, sleeping while the inbox is full. Any thread.
  void push(std::span<const Quote> quotes) override;

  /// Runs `work` on the shard's thread, after everything that was pushed before by this thread, and returns when what
  /// it did has been committed. Must not be called after stop().
  void run_and_commit(const std::function<void(ShardEngine&, EventBatch&)>& work);

  [[nodiscard]] BatchLane& lane() noexcept { return lane_; }
  [[nodiscard]] Doorbell& doorbell() noexcept { return bell_; }
  /// Only while the thread is not running.
  [[nodiscard]] ShardEngine& engine() noexcept { return engine_; }
  [[nodiscard]] const ShardCounters& counters() const noexcept { return engine_.counters(); }

 private:
  struct Work {
    const std::function<void(ShardEngine&, EventBatch&)>* run = nullptr;
    std::optional<std::uint64_t> carried_by;  ///< number of the batch with its effect, once it has run
  };

  void loop();
  std::size_t drain();
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
  std::vector<Work*> work_;
  Nap nap_;
  std::jthread thread_;
};

}  // namespace tickpipe
