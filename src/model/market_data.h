#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/unix_nanos.h"
#include "model/bar.h"
#include "model/ids.h"
#include "model/tick.h"
#include "model/timeframe.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {

/// A place in the order (ts_event, seq) of a symbol's quotes.
struct TickPlace {
  UnixNanos ts_event;
  std::uint64_t seq = 0;
  friend auto operator<=>(const TickPlace&, const TickPlace&) = default;
};

struct TickQuery {
  SymbolId symbol;
  UnixNanos from = kFirstTickTime;
  UnixNanos to = kEndOfTickTime;  ///< exclusive
  bool newest_first = true;
  std::size_t limit = 100;
  /// Only quotes up to this seq: the pages after the first one show the data of the first.
  std::uint64_t max_seq = std::numeric_limits<std::uint64_t>::max();
  std::optional<TickPlace> after;  ///< start behind this one, in the order of the query
};

struct TickPage {
  std::vector<Tick> ticks;    ///< in the order of the query
  bool has_more = false;      ///< more follow behind the last one
  std::uint64_t max_seq = 0;  ///< to be given with the query for the next page
};

/// How far a symbol has got.
struct QuoteSnapshot {
  Tick latest;                   ///< seq 0 = none yet
  std::uint64_t newest_seq = 0;  ///< of all quotes that are shown; 0 = none yet
};

struct BarQuery {
  SymbolId symbol;
  Timeframe timeframe;
  UnixNanos from = kNoTime;
  UnixNanos to = kEndOfTime;  ///< exclusive, of open times
  std::size_t limit = 100;
  bool closed_only = false;
};

struct LpActivity {
  LpId lp;
  std::uint64_t tick_count = 0;       ///< accepted since start
  UnixNanos last_event = kNoTime;     ///< greatest event time
  UnixNanos last_received = kNoTime;  ///< when its newest quote was received; kNoTime = none since start
};

struct SymbolActivity {
  SymbolId symbol;
  std::uint64_t tick_count = 0;  ///< ever accepted: the newest seq
  UnixNanos last_event = kNoTime;
  UnixNanos last_received = kNoTime;
  std::vector<LpActivity> lps;
};

/// Everything committed, to be read by clients: what is in memory and, beyond that, what is stored. Nothing that is not
/// committed is ever shown. Threads: any. Methods that may read the disk throw Error when it fails.
class MarketData {
 public:
  virtual ~MarketData() = default;

  /// The latest quote; nothing before the first. Memory only.
  [[nodiscard]] virtual std::optional<Tick> latest(SymbolId symbol) const = 0;

  /// The latest quote and the newest seq, of one moment. Memory only.
  [[nodiscard]] virtual QuoteSnapshot snapshot(SymbolId symbol) const = 0;

  /// Memory only.
  [[nodiscard]] virtual std::vector<SymbolActivity> activity() const = 0;

  [[nodiscard]] virtual TickPage ticks(const TickQuery& query) const = 0;
  /// Whether ticks() would answer this from memory, as of now.
  [[nodiscard]] virtual bool ticks_in_memory(const TickQuery& query) const = 0;

  /// The newest `limit` bars of the range, ascending; open ones included unless closed_only.
  [[nodiscard]] virtual std::vector<Bar> bars(const BarQuery& query) const = 0;
  [[nodiscard]] virtual bool bars_in_memory(const BarQuery& query) const = 0;

  /// The open bar with the greatest open time. Memory only.
  [[nodiscard]] virtual std::optional<Bar> active_bar(SymbolId symbol, Timeframe timeframe) const = 0;

  /// All open bars, ascending. Memory only.
  [[nodiscard]] virtual std::vector<Bar> open_bars(SymbolId symbol, Timeframe timeframe) const = 0;

  /// The configured timeframes, ascending.
  [[nodiscard]] virtual const std::vector<Timeframe>& timeframes() const = 0;
  /// The interval of `timeframe` that contains `time`, on the symbol's trading days.
  [[nodiscard]] virtual Interval interval(SymbolId symbol, Timeframe timeframe, UnixNanos time) const = 0;
};

}  // namespace tickpipe::internal
