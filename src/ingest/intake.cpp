#include "ingest/intake.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal {
namespace {

void add(IntakeTotals& totals, const IntakeCounters& counters) {
  // A refused or dropped quote was received before, so `received` is read last.
  totals.dropped += counters.dropped.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < kReasonCount; ++i)
    totals.refused[i] += counters.refused[i].load(std::memory_order_acquire);
  totals.received += counters.received.load(std::memory_order_acquire);
}

}  // namespace

Intake::Intake(Rules rules, Parts parts) : parts_(std::move(parts)) { set_rules(std::move(rules)); }

void Intake::set_rules(Rules rules) {
  const std::lock_guard lock(rules_mutex_);
  allowed_ = std::move(rules.symbols);
  max_future_ns_.store(rules.max_future.count(), std::memory_order_relaxed);
  max_age_ns_.store(rules.max_age.count(), std::memory_order_relaxed);
  rules_version_.fetch_add(1, std::memory_order_release);
}

bool Intake::wait_for_room(std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (QuoteInbox* inbox : parts_.inboxes) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (!inbox->wait_for_room(std::max(left, std::chrono::steady_clock::duration{0}))) return false;
  }
  return true;
}

Intake::Moment Intake::take_time() noexcept {
  const UnixNanos now = parts_.clock.now();
  std::int64_t newest = newest_receive_ns_.load(std::memory_order_relaxed);
  while (now.ns > newest) {
    if (newest_receive_ns_.compare_exchange_weak(newest, now.ns, std::memory_order_relaxed)) return {now, now};
  }
  return {now, {newest}};
}

bool Intake::is_allowed(const Name& symbol) const {
  const std::shared_lock lock(rules_mutex_);
  return allowed_.empty() || std::find(allowed_.begin(), allowed_.end(), symbol) != allowed_.end();
}

IntakeCounters& Intake::add_counters() {
  const std::lock_guard lock(counters_mutex_);
  return counters_.emplace_back();
}

void Intake::retire(const IntakeCounters& counters) {
  const std::lock_guard lock(counters_mutex_);
  add(retired_, counters);
  counters_.remove_if([&counters](const IntakeCounters& each) { return &each == &counters; });
}

IntakeTotals Intake::totals() const {
  const std::lock_guard lock(counters_mutex_);
  IntakeTotals totals = retired_;
  for (const IntakeCounters& counters : counters_) add(totals, counters);
  return totals;
}

}  // namespace tickpipe::internal
