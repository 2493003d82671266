#include "publish/committer.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestSleep{1};
constexpr std::chrono::milliseconds kFirstRetry{10};
constexpr std::chrono::milliseconds kLongestRetry{1000};
/// A commit so soon after the one before is not alone: it waits a little for the other shards, as a commit costs about
/// the same for one batch as for all of them.
constexpr std::chrono::milliseconds kBusyWithin{5};
constexpr std::chrono::microseconds kGather{100};

}  // namespace

Committer::Committer(Doorbell& bell, std::vector<Lane> lanes, CommitLog* log, std::vector<BatchListener*> listeners,
                     Options options)
    : bell_(bell),
      lanes_(std::move(lanes)),
      log_(log),
      listeners_(std::move(listeners)),
      options_(options),
      position_(options.start) {}

Committer::~Committer() { stop(); }

void Committer::start() {
  thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), "committer");
    loop();
  });
}

void Committer::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  bell_.ring();
  end_bell_.ring();
  thread_.join();
}

bool Committer::is_ending() const noexcept {
  return stopping_.load(std::memory_order_acquire) || end_announced_ns_.load(std::memory_order_acquire) != 0;
}

void Committer::loop() {
  const auto has_work = [this] {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.lane->has_batch(); });
  };
  SteadyClock::time_point last_commit;
  while (true) {
    if (log_ != nullptr && has_work() && SteadyClock::now() - last_commit < kBusyWithin) {
      std::this_thread::sleep_for(kGather);
    }
    if (commit_all()) {
      last_commit = SteadyClock::now();
      nap_.note_work();
      // Whatever arrives during this pause goes into one commit. Nobody waits for it at the end.
      if (options_.flush_interval.count() != 0) {
        end_bell_.wait_for(options_.flush_interval, [this] { return is_ending(); });
      }
      continue;
    }
    if (stopping_.load(std::memory_order_acquire) && !has_work()) return;
    if (nap_.take()) continue;
    bell_.wait_for(kLongestSleep, [&] { return has_work() || stopping_.load(std::memory_order_acquire); });
  }
}

bool Committer::commit_all() {
  taken_.clear();
  taken_lanes_.clear();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (const EventBatch* batch = lanes_[i].lane->take(*lanes_[i].shard)) {
      taken_.push_back(batch);
      taken_lanes_.push_back(i);
    }
  }
  if (taken_.empty()) return false;

  const Position position{position_.value + 1};
  const bool committed = !has_given_up() && commit_with_retries(position);
  if (committed) {
    position_ = position;
    commits_.fetch_add(1, std::memory_order_relaxed);
  }
  const auto committed_at = listeners_.empty() ? SteadyClock::time_point{} : SteadyClock::now();
  if (committed) {
    for (const EventBatch* batch : taken_) {
      const auto quotes = std::count_if(batch->ticks.begin(), batch->ticks.end(),
                                        [](const Tick& tick) { return tick.kind == RecordKind::kQuote; });
      committed_quotes_.fetch_add(static_cast<std::uint64_t>(quotes), std::memory_order_release);
      // Behind the count: whoever is told by a listener finds it counted.
      for (BatchListener* listener : listeners_) listener->on_committed(*batch, position);
    }
    for (BatchListener* listener : listeners_) listener->on_commit_end();
  }
  const auto published_at = listeners_.empty() ? SteadyClock::time_point{} : SteadyClock::now();
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const EventBatch& batch = *taken_[i];
    // Of live quotes: nobody waits for history.
    const bool has_live = !batch.ticks.empty() && (batch.ticks.back().flags & kHistorical) == 0;
    if (committed && !listeners_.empty() && has_live) {
      publish_latency_.record(published_at - committed_at, batch.ticks.size());
    }
    lanes_[taken_lanes_[i]].lane->done(batch);  // last: whoever waits for it finds it published and counted
  }
  return true;
}

bool Committer::commit_with_retries(Position position) {
  if (log_ == nullptr) return true;
  const auto started = SteadyClock::now();
  std::chrono::milliseconds pause = kFirstRetry;
  for (bool first = true;; first = false) {
    // What is told is why the commit failed; a resume() that fails says only that it is too early to try again.
    if (first || resumed()) {
      try {
        const auto begun = SteadyClock::now();
        log_->commit(position, taken_);
        commit_latency_.record(SteadyClock::now() - begun);
        if (!first) set_failure({});
        return true;
      } catch (const Error& error) {
        set_failure(error.what());
      }
    }
    if (should_give_up(started)) {
      has_given_up_.store(true, std::memory_order_release);
      return false;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestRetry);
  }
}

bool Committer::should_give_up(SteadyClock::time_point failing_since) const {
  const auto now = SteadyClock::now();
  if (options_.give_up_after.count() != 0 && now - failing_since >= options_.give_up_after) return true;
  const SteadyClock::time_point announced{SteadyClock::duration{end_announced_ns_.load(std::memory_order_acquire)}};
  return options_.give_up_at_end_after.count() != 0 && announced != SteadyClock::time_point{} &&
         now - std::max(announced, failing_since) >= options_.give_up_at_end_after;
}

void Committer::announce_end() noexcept {
  std::int64_t not_yet = 0;
  end_announced_ns_.compare_exchange_strong(not_yet, SteadyClock::now().time_since_epoch().count());
  end_bell_.ring();
}

bool Committer::resumed() {
  try {
    log_->resume();
    return true;
  } catch (const Error&) {
    return false;
  }
}

void Committer::set_failure(const std::string& text) {
  if (options_.is_failing != nullptr) options_.is_failing->store(!text.empty(), std::memory_order_release);
  const std::lock_guard lock(failure_mutex_);
  failure_ = text;
}

std::string Committer::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace tickpipe::internal
