#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "core/clock.h"
#include "model/name_registry.h"
#include "model/quote_inbox.h"
#include "model/reason.h"

namespace tickpipe::internal {

/// What producers count. One writer each, read by anyone; none shares a cache line with another's.
struct alignas(64) IntakeCounters {
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
  /// What may change while producers are at work.
  struct Rules {
    std::vector<Name> symbols;               ///< allow-list; empty = any
    std::chrono::nanoseconds max_future{0};  ///< 0 = no limit
    std::chrono::nanoseconds max_age{0};     ///< of live quotes; 0 = no limit
  };
  /// What is around it; outlives it.
  struct Parts {
    SymbolRegistry& symbols;
    LpRegistry& lps;
    std::vector<QuoteInbox*> inboxes;
    const Clock& clock;
    const std::atomic<bool>* refuse_all = nullptr;  ///< while set, quotes are refused as kStoreUnavailable
  };

  Intake(Rules rules, Parts parts);

  void set_rules(Rules rules);
  [[nodiscard]] bool is_refusing() const noexcept {
    return parts_.refuse_all != nullptr && parts_.refuse_all->load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t inbox_count() const noexcept { return parts_.inboxes.size(); }
  /// Waits until there is room in every inbox, or the timeout. Returns whether there is.
  bool wait_for_room(std::chrono::nanoseconds timeout);

  struct Moment {
    UnixNanos now;       ///< the wall clock, which may be set back
    UnixNanos received;  ///< the same, but never earlier than any it has given before
  };
  Moment take_time() noexcept;

  [[nodiscard]] IntakeTotals totals() const;
  /// Whether quotes of the symbol may come: the allow-list has it, or is empty.
  [[nodiscard]] bool is_allowed(const Name& symbol) const;

 private:
  friend class QuoteProducer;
  IntakeCounters& add_counters();
  /// Keeps what a producer has counted and forgets the producer.
  void retire(const IntakeCounters& counters);

  Parts parts_;
  mutable std::shared_mutex rules_mutex_;
  std::vector<Name> allowed_;
  std::atomic<std::int64_t> max_future_ns_{0};
  std::atomic<std::int64_t> max_age_ns_{0};
  std::atomic<std::uint64_t> rules_version_{0};  ///< producers forget what they know of names when it changes
  std::atomic<std::int64_t> newest_receive_ns_{0};
  mutable std::mutex counters_mutex_;
  std::list<IntakeCounters> counters_;  ///< of the producers there are
  IntakeTotals retired_;                ///< of those that were
};

}  // namespace tickpipe::internal
