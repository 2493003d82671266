#include "shard/shard.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kDrainAtOnce = 512;
/// A batch that is not taken yet grows to this many ticks or changed bars; then the shard waits, and the inbox fills.
constexpr std::size_t kMaxBatchTicks = 32768;
constexpr std::size_t kMaxBatchBars = 4096;
/// Nothing depends on it: every change rings a bell. It bounds the damage of a lost wake-up.
constexpr std::chrono::seconds kLongestSleep{1};
/// Commands are rare (the end of a backfill), so their caller polls.
constexpr std::chrono::microseconds kWorkPoll{200};

}  // namespace

Shard::Shard(ShardRules rules, const Options& options, Doorbell& committer)
    : lane_(rules.shard),
      engine_(std::move(rules)),
      inbox_(options.inbox_slots),
      committer_(committer),
      clock_(*options.clock),
      closes_by_clock_(options.bar_close_grace.has_value()),
      grace_ns_(options.bar_close_grace.value_or(std::chrono::nanoseconds{0}).count()) {}

Shard::~Shard() { stop(); }

void Shard::start() {
  thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), ("shard-" + std::to_string(lane_.current().shard)).c_str());
    loop();
  });
}

void Shard::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  bell_.ring();
  thread_.join();
}

std::size_t Shard::try_push(std::span<const Quote> quotes) noexcept {
  const std::size_t pushed = inbox_.try_push(quotes);
  if (pushed != 0) bell_.ring();
  return pushed;
}

bool Shard::wait_for_room(std::chrono::nanoseconds timeout) {
  // Half empty, not one slot: a producer that is faster than the shard then wakes up once per half inbox.
  return room_.wait_for(timeout, [this] { return inbox_.depth() <= inbox_.capacity() / 2; });
}

void Shard::set_thresholds(const ShardThresholds& thresholds) {
  {
    const std::lock_guard lock(work_mutex_);
    new_thresholds_ = thresholds;
    has_work_.store(true, std::memory_order_release);
  }
  bell_.ring();
}

void Shard::run_and_commit(const std::function<void(ShardEngine&, EventBatch&)>& work) {
  Work item{.run = &work, .carried_by = std::nullopt};
  {
    const std::lock_guard lock(work_mutex_);
    work_.push_back(&item);
    has_work_.store(true, std::memory_order_release);
  }
  bell_.ring();
  while (true) {
    {
      const std::lock_guard lock(work_mutex_);
      if (item.carried_by && lane_.committed() >= *item.carried_by) return;
    }
    std::this_thread::sleep_for(kWorkPoll);
  }
}

void Shard::loop() {
  while (true) {
    const std::size_t drained = drain();
    if (has_work_.load(std::memory_order_acquire)) run_work();
    if (closes_by_clock_) close_by_clock();
    hand_over(false);
    make_room();
    if (drained != 0) {
      nap_.note_work();
      continue;
    }
    if (stopping_.load(std::memory_order_acquire) && inbox_.empty()) break;
    if (nap_.take()) continue;
    lane_.set_waiting(has_something_to_hand_over());
    bell_.wait_for(longest_sleep(), [this] {
      return !inbox_.empty() || stopping_.load(std::memory_order_acquire) ||
             has_work_.load(std::memory_order_acquire) || (has_something_to_hand_over() && lane_.can_hand_over());
    });
  }
  lane_.set_waiting(true);
  while (!lane_.can_hand_over()) {
    bell_.wait_for(kLongestSleep, [this] { return lane_.can_hand_over(); });
  }
  hand_over(true);
}

std::size_t Shard::drain() {
  if (inbox_.empty()) return 0;
  EventBatch& batch = lane_.current();
  const std::uint64_t committed = lane_.committed();
  // Quotes of one read share their receive time. When there are many reads the last ones count as the one before them.
  struct Run {
    UnixNanos received;
    std::uint64_t length = 0;
  };
  std::array<Run, 64> runs;
  std::size_t run_count = 0;
  const std::size_t drained = inbox_.drain(kDrainAtOnce, [&](const Quote& quote) {
    engine_.process(quote, batch, committed);
    if ((quote.marks & kLiveQuote) == 0) return;  // nobody waits for history
    if (run_count == 0 || (quote.ts_recv != runs[run_count - 1].received && run_count < runs.size())) {
      runs[run_count++] = {quote.ts_recv, 0};
    }
    ++runs[run_count - 1].length;
  });
  if (drained == 0) return 0;
  room_.ring();
  const UnixNanos now = clock_.now();
  for (std::size_t i = 0; i < run_count; ++i) tick_latency_.record(now - runs[i].received, runs[i].length);
  if (first_in_batch_ == kNoTime && run_count != 0 && !batch.ticks.empty()) first_in_batch_ = now;
  return drained;
}

void Shard::close_by_clock() {
  const UnixNanos now = clock_.now();
  // A check that is further ahead than one can be was planned by a clock that has been set back.
  if (now < next_close_check_ && next_close_check_ - now <= kLongestSleep) return;
  const std::chrono::nanoseconds grace{grace_ns_.load(std::memory_order_relaxed)};
  engine_.close_by_clock(now, grace, lane_.current());
  // Bars end on whole seconds, so this is when the next ones are due.
  const std::int64_t since_due = (now - grace).ns % kNanosPerSecond;
  next_close_check_ = now + std::chrono::nanoseconds{kNanosPerSecond - since_due};
}

std::chrono::nanoseconds Shard::longest_sleep() const {
  if (!closes_by_clock_) return kLongestSleep;
  const std::chrono::nanoseconds until_check = next_close_check_ - clock_.now();
  return std::clamp<std::chrono::nanoseconds>(until_check, std::chrono::milliseconds{1}, kLongestSleep);
}

void Shard::run_work() {
  std::vector<Work*> items;
  {
    const std::lock_guard lock(work_mutex_);
    items.swap(work_);
    if (new_thresholds_) engine_.set_thresholds(*new_thresholds_);
    new_thresholds_.reset();
    has_work_.store(false, std::memory_order_relaxed);
  }
  // What was pushed before an item was added is in the inbox by now; what comes later may wait.
  for (std::size_t rest = inbox_.depth(); rest > 0;) {
    const std::size_t drained = drain();
    make_room();
    if (drained == 0) std::this_thread::yield();  // a producer is between claim and stamp
    rest -= std::min(rest, drained);
  }
  for (Work* item : items) {
    EventBatch& batch = lane_.current();
    (*item->run)(engine_, batch);
    // An empty batch is not handed over; then the one before it is what there is to wait for.
    const std::uint64_t carried_by = has_something_to_hand_over() ? batch.number : batch.number - 1;
    const std::lock_guard lock(work_mutex_);
    item->carried_by = carried_by;
  }
}

void Shard::make_room() {
  while (batch_is_full() && !hand_over(false)) {
    lane_.set_waiting(true);
    bell_.wait_for(kLongestSleep, [this] { return lane_.can_hand_over(); });
  }
}

bool Shard::batch_is_full() noexcept {
  return lane_.current().ticks.size() >= kMaxBatchTicks || engine_.changed_bars() >= kMaxBatchBars;
}

bool Shard::has_something_to_hand_over() noexcept {
  return !lane_.current().empty() || engine_.changed_bars() != 0 || engine_.checkpoint_due();
}

bool Shard::hand_over(bool force_checkpoint) {
  if (!force_checkpoint && !has_something_to_hand_over()) return false;
  if (!lane_.can_hand_over()) return false;
  engine_.complete(lane_.current(), lane_.committed(), force_checkpoint);
  if (lane_.current().empty()) return false;
  if (first_in_batch_ != kNoTime) {
    bar_latency_.record(clock_.now() - first_in_batch_, lane_.current().ticks.size());
    first_in_batch_ = kNoTime;
  }
  lane_.hand_over(committer_);
  return true;
}

}  // namespace tickpipe::internal
