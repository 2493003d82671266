#include "ingest/intake.h"

#include <algorithm>
#include <utility>

namespace tickpipe {
namespace {

void add(IntakeTotals& totals, const IntakeCounters& counters) {
  // A refused or dropped quote was received before, so `received` is read last.
  totals.dropped += counters.dropped.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < kReasonCount; ++i)
    totals.refused[i] += counters.refused[i].load(std::memory_order_acquire);
  totals.received += counters.received.load(std::memory_order_acquire);
}

}  // namespace

Intake::Intake(Rules rules, SymbolRegistry& symbols, LpRegistry& lps, std::vector<QuoteInbox*> inboxes,
               const Clock& clock)
    : rules_(std::move(rules)), symbols_(symbols), lps_(lps), inboxes_(std::move(inboxes)), clock_(clock) {}

UnixNanos Intake::receive_time() noexcept {
  const std::int64_t now = clock_.now().ns;
  std::int64_t newest = newest_receive_ns_.load(std::memory_order_relaxed);
  while (now > newest) {
    if (newest_receive_ns_.compare_exchange_weak(newest, now, std::memory_order_relaxed)) return {now};
  }
  return {newest};
}

bool Intake::is_allowed(const Name& symbol) const {
  return rules_.symbols.empty() ||
         std::find(rules_.symbols.begin(), rules_.symbols.end(), symbol) != rules_.symbols.end();
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

}  // namespace tickpipe
