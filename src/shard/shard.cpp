#include "shard/shard.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <utility>

namespace tickpipe {
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

Shard::Shard(ShardRules rules, std::size_t inbox_slots, Doorbell& committer)
    : lane_(rules.shard), engine_(std::move(rules)), inbox_(inbox_slots), committer_(committer) {}

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

void Shard::push(std::span<const Quote> quotes) {
  while (true) {
    quotes = quotes.subspan(try_push(quotes));
    if (quotes.empty()) return;
    // Half empty, not one slot: a producer that is faster than the shard then wakes up once per half inbox.
    room_.wait_for(kLongestSleep, [this] { return inbox_.depth() <= inbox_.capacity() / 2; });
  }
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
    hand_over(false);
    make_room();
    if (drained != 0) continue;
    if (stopping_.load(std::memory_order_acquire) && inbox_.empty()) break;
    if (nap_.take()) continue;
    bell_.wait_for(kLongestSleep, [this] {
      return !inbox_.empty() || stopping_.load(std::memory_order_acquire) ||
             has_work_.load(std::memory_order_acquire) || (has_something_to_hand_over() && lane_.can_hand_over());
    });
  }
  while (!lane_.can_hand_over()) {
    bell_.wait_for(kLongestSleep, [this] { return lane_.can_hand_over(); });
  }
  hand_over(true);
}

std::size_t Shard::drain() {
  EventBatch& batch = lane_.current();
  const std::uint64_t committed = lane_.committed();
  const std::size_t drained =
      inbox_.drain(kDrainAtOnce, [&](const Quote& quote) { engine_.process(quote, batch, committed); });
  if (drained != 0) room_.ring();
  return drained;
}

void Shard::run_work() {
  std::vector<Work*> items;
  {
    const std::lock_guard lock(work_mutex_);
    items.swap(work_);
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
  lane_.hand_over(committer_);
  return true;
}

}  // namespace tickpipe
