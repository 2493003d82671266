#include "ingest/intake.h"

#include <algorithm>
#include <utility>

namespace tickpipe {

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

IntakeTotals Intake::totals() const {
  const std::lock_guard lock(counters_mutex_);
  IntakeTotals totals;
  // A refused or dropped quote was received before, so `received` is read last.
  for (const IntakeCounters& c : counters_) {
    totals.dropped += c.dropped.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < kReasonCount; ++i) totals.refused[i] += c.refused[i].load(std::memory_order_acquire);
  }
  for (const IntakeCounters& c : counters_) totals.received += c.received.load(std::memory_order_acquire);
  return totals;
}

}  // namespace tickpipe
