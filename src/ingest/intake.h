#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <vector>

#include "core/clock.h"
#include "model/name_registry.h"
#include "model/quote_inbox.h"
#include "model/reason.h"

namespace tickpipe {

/// What producers count. One writer each, read by anyone.
struct IntakeCounters {
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> dropped{0};
  std::array<std::atomic<std::uint64_t>, kReasonCount> refused{};
};

/// Totals over all producers that ever were.
struct IntakeTotals {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;
  ReasonCounts refused{};
};

/// What all producers share: names, limits, the inboxes, the receive clock. Place: source -> [intake] -> shards.
/// Threads: any. Outlives its producers.
class Intake {
 public:
  struct Rules {
    std::vector<Name> symbols;               ///< allow-list; empty = any
    std::chrono::nanoseconds max_future{0};  ///< 0 = no limit
  };

  Intake(Rules rules, SymbolRegistry& symbols, LpRegistry& lps, std::vector<QuoteInbox*> inboxes, const Clock& clock);

  /// The wall clock, but never earlier than any time it has given before.
  UnixNanos receive_time() noexcept;

  [[nodiscard]] IntakeTotals totals() const;

 private:
  friend class QuoteProducer;
  [[nodiscard]] bool is_allowed(const Name& symbol) const;
  IntakeCounters& add_counters();
  /// Keeps what a producer has counted and forgets the producer.
  void retire(const IntakeCounters& counters);

  const Rules rules_;
  SymbolRegistry& symbols_;
  LpRegistry& lps_;
  const std::vector<QuoteInbox*> inboxes_;
  const Clock& clock_;
  std::atomic<std::int64_t> newest_receive_ns_{0};
  mutable std::mutex counters_mutex_;
  std::list<IntakeCounters> counters_;  ///< of the producers there are
  IntakeTotals retired_;                ///< of those that were
};

}  // namespace tickpipe
