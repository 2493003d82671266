#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/unix_nanos.h"
#include "feed/sim_options.h"
#include "feed/sim_stream.h"
#include "model/reason.h"

namespace tickpipe::internal {

/// What a bad line and a bad LP do to quotes: drops, doubles, delays, mutes and garbles them as the options say.
///
/// Place:    SimStream -> [faults] -> SimFeed. What befalls a quote depends on seed, symbol and its time alone; an
///           absurd price needs a sound quote of its symbol since the last one, so that it is never taken for a new
///           level of the market.
/// Threads:  not thread-safe.
class SimFaults {
 public:
  /// What leaves for the pipeline. The time in `quote` is that of the market, also when it leaves later.
  struct Emission {
    SimQuote quote;
    std::optional<Reason> fault;
  };

  /// The market must outlive it.
  SimFaults(const SimOptions& options, const SimMarket& market);

  /// Takes the next quote of the stream and appends what leaves at its time or before. Call in order of time.
  void pass(const SimQuote& quote, std::vector<Emission>& out);
  /// Appends what was held back and leaves at `until` or before.
  void release(UnixNanos until, std::vector<Emission>& out);
  /// When the first quote that is held back leaves; kEndOfTime: there is none.
  [[nodiscard]] UnixNanos next_time() const noexcept { return held_.empty() ? kEndOfTime : held_.front().due; }

 private:
  struct Held {
    UnixNanos due;
    std::uint64_t number = 0;
    SimQuote quote;
  };
  static bool later(const Held& a, const Held& b) noexcept;
  void hold(UnixNanos due, const SimQuote& quote);
  void emit(const SimQuote& quote, std::vector<Emission>& out);
  [[nodiscard]] std::uint64_t roll(const SimQuote& quote, std::uint64_t what) const noexcept;
  [[nodiscard]] bool is_muted(const SimQuote& quote) const noexcept;

  const SimOptions options_;
  const SimMarket& market_;
  const bool any_;
  std::vector<Held> held_;  ///< heap by time, then number
  std::uint64_t held_count_ = 0;
  std::vector<bool> sound_;  ///< per symbol: a sound quote has left since the last absurd one
};

}  // namespace tickpipe::internal
