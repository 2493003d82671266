#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/doorbell.h"
#include "core/nap.h"
#include "core/shared_histogram.h"
#include "model/batch_lane.h"
#include "model/commit_log.h"
#include "model/event_batch.h"

namespace tickpipe::internal {

/// Takes the batches of all shards, commits what there is as one, then publishes it to the listeners: what anyone sees
/// is already stored. Without a log it only publishes.
///
/// Order: per shard, batches are committed and published in the order in which they were handed over.
/// Failure: a commit that fails is tried again unchanged until it succeeds; nothing is published meanwhile, the shards
///          run full and their sources wait. With Options::give_up_after the committer gives up instead: it publishes
///          nothing any more, failure() says why, and the shards' work is discarded so that the process can end.
class Committer {
 public:
  struct Lane {
    BatchLane* lane = nullptr;
    Doorbell* shard = nullptr;
  };
  struct Options {
    Position start;                              ///< of the newest commit
    std::chrono::nanoseconds flush_interval{0};  ///< least time from one commit to the next; 0 = none
    std::chrono::nanoseconds give_up_after{0};   ///< 0 = never
    /// How long a failing commit is tried on once the end was announced; 0 = as long as give_up_after says.
    std::chrono::nanoseconds give_up_at_end_after{0};
    std::atomic<bool>* is_failing = nullptr;  ///< set while commits fail; outlives the committer
  };

  /// `bell` is what shards ring when they hand over. All pointers outlive it; `log` may be null.
  Committer(Doorbell& bell, std::vector<Lane> lanes, CommitLog* log, std::vector<BatchListener*> listeners,
            Options options);
  ~Committer();

  /// Before start().
  void add_listener(BatchListener& listener) { listeners_.push_back(&listener); }
  void start();
  /// Announces that the system ends: Options::give_up_at_end_after counts from now on, and commits do not wait for
  /// Options::flush_interval any more. Any thread; again, nothing changes.
  void announce_end() noexcept;
  /// Commits what the lanes hold and ends the thread. Nobody may hand over any more.
  void stop();

  /// Quotes committed since start.
  [[nodiscard]] std::uint64_t committed_quotes() const noexcept {
    return committed_quotes_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  /// Why the last commit failed, while it is being retried or after giving up; empty when all is well.
  [[nodiscard]] std::string failure() const;
  /// From the commit to the moment when readers can see it. Any thread.
  [[nodiscard]] const SharedHistogram& publish_latency() const noexcept { return publish_latency_; }
  /// How long the store took for a commit, one entry each; empty without a store.
  [[nodiscard]] const SharedHistogram& commit_latency() const noexcept { return commit_latency_; }
  [[nodiscard]] bool has_given_up() const noexcept { return has_given_up_.load(std::memory_order_acquire); }

 private:
  void loop();
  bool commit_all();
  bool commit_with_retries(Position position);
  bool resumed();
  [[nodiscard]] bool is_ending() const noexcept;
  [[nodiscard]] bool should_give_up(std::chrono::steady_clock::time_point failing_since) const;
  void set_failure(const std::string& text);

  Doorbell& bell_;
  std::vector<Lane> lanes_;
  CommitLog* log_;
  std::vector<BatchListener*> listeners_;
  Options options_;
  Position position_;
  std::vector<const EventBatch*> taken_;
  std::vector<std::size_t> taken_lanes_;
  std::atomic<std::uint64_t> committed_quotes_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<bool> has_given_up_{false};
  std::atomic<std::int64_t> end_announced_ns_{0};  ///< of the steady clock; 0 = not yet
  SharedHistogram commit_latency_;
  SharedHistogram publish_latency_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex failure_mutex_;
  std::string failure_;
  Nap nap_;
  Doorbell end_bell_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal
