#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "feed/price_path.h"
#include "feed/sim_options.h"
#include "feed/sim_symbols.h"

namespace tickpipe::internal {

/// A quote of the simulated market.
struct SimQuote {
  UnixNanos time;
  std::uint32_t symbol = 0;  ///< index into SimMarket::symbols()
  SimPrices prices;
};

/// Which symbols there are and how often each of them ticks. Immutable.
class SimMarket {
 public:
  /// No symbol ticks more often than once per `min_period`.
  SimMarket(const SimOptions& options, std::chrono::nanoseconds min_period);

  [[nodiscard]] const std::vector<SimSymbol>& symbols() const noexcept { return symbols_; }

 private:
  friend class SimStream;
  struct Periods {
    std::int64_t all_open_ns = 0;  ///< mean time between two ticks; 0 = none
    std::int64_t weekend_ns = 0;
  };
  std::vector<SimSymbol> symbols_;
  std::vector<Periods> periods_;
  bool has_sessions_;
};

/// The quotes of a market from some moment on, in time order (equal times by number of symbol). Which quotes there are
/// in a range of time is a pure function of options and range: what came before does not matter.
///
/// A symbol's time is cut into stretches of its mean period, with one tick at a place of each that only its hash tells.
/// Threads: not thread-safe; the market must outlive it. Cost: O(log symbols) and some 100 ns per quote.
class SimStream {
 public:
  SimStream(const SimMarket& market, UnixNanos from);
  /// Each symbol from its own moment on.
  SimStream(const SimMarket& market, const std::vector<UnixNanos>& from);

  /// When the next quote comes; kEndOfTime: never.
  [[nodiscard]] UnixNanos next_time() const noexcept { return heap_.empty() ? kEndOfTime : heap_.front().first; }
  /// Takes the next quote. Precondition: there is one.
  SimQuote pop();

 private:
  using Due = std::pair<UnixNanos, std::uint32_t>;
  struct Segment {
    UnixNanos begin = kNoTime;
    UnixNanos end = kNoTime;
    bool all_open = true;
  };
  UnixNanos first_tick(std::uint32_t symbol, UnixNanos from);
  const Segment& segment_at(UnixNanos time);

  const SimMarket& market_;
  std::vector<PricePath> paths_;
  std::vector<Due> heap_;
  Segment segment_;
};

}  // namespace tickpipe::internal
