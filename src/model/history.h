#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "model/bar.h"
#include "model/ids.h"
#include "model/tick.h"
#include "model/timeframe.h"

namespace tickpipe::internal {

/// A bar as it is stored, and the commit that wrote it last.
struct StoredBar {
  Bar bar;
  Position position;
};

/// What a shard asks of everything committed so far. Any thread. Throws Error when the disk fails or the data is
/// damaged.
class History {
 public:
  virtual ~History() = default;

  /// Hands quotes of a symbol with from <= ts_event < to, ascending by (ts_event, seq), to `take` until it returns
  /// false. Returns the time up to which everything was handed over: `to`, or the ts_event at which `take` stopped.
  virtual UnixNanos scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                         const std::function<bool(const Tick&)>& take) const = 0;

  [[nodiscard]] virtual std::optional<StoredBar> find_bar(SymbolId symbol, Timeframe timeframe,
                                                          UnixNanos open_time) const = 0;

  /// Hands closed bars with from <= open_time < to to `take` until it returns false: ascending, or descending with
  /// `newest_first`.
  virtual void scan_bars(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to, bool newest_first,
                         const std::function<bool(const Bar&)>& take) const = 0;
};

}  // namespace tickpipe::internal
