#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "model/bar.h"
#include "model/event_batch.h"
#include "model/history.h"
#include "model/ids.h"
#include "model/timeframe.h"
#include "model/trading_calendar.h"
#include "shard/closed_bars.h"

namespace tickpipe::internal {

/// What all bar builders of a shard share. Outlives them.
struct BarContext {
  std::vector<Timeframe> timeframes;   ///< ascending; the first is the base, all others are folds of it
  const History* history = nullptr;    ///< null = nothing is stored: bars beyond memory cannot be corrected
  Position run_start;                  ///< newest commit when the process started
  std::vector<std::uint64_t> changed;  ///< distinct bars created or changed since then, per timeframe
};

/// Folds the ticks of one symbol into bars of every timeframe.
///
/// Place:    shard -> [bars] -> batch. Holds no thread, clock or I/O but BarContext::history: same calls, same bars.
/// Open and closed: one time per symbol, closed_through(), divides them: a bar is closed when its interval ends at or
///           before it. It only moves forward.
/// Work:     a tick touches its open base bar and nothing else. When that closes it is folded into the bars above.
///           A tick for a closed base bar corrects it and every bar above it in place; as a Bar knows the times of its
///           first and last tick, that equals folding all its ticks again.
/// Threads:  owned by its shard.
/// Cost:     add() O(1), no allocation, unless it opens a bar or is late.
class BarBuilder {
 public:
  BarBuilder(BarContext& context, const TradingCalendar& calendar, SymbolId symbol);

  /// Makes sure that the bars a tick at `ts` goes to are in memory. May read the store and throw Error; the builder is
  /// unchanged then. Returns false when one of them is no longer known anywhere: the tick is late for bars, and must
  /// not be added.
  bool prepare(UnixNanos ts) {
    if (ts >= current_open_ && ts < current_close_) return true;
    return prepare_slow(ts);
  }

  /// The end of the base bar that a tick at `ts` belongs to, when that is closed; kEndOfTime when it is open.
  [[nodiscard]] UnixNanos closed_base_end(UnixNanos ts) const {
    if (ts >= closed_through_) return kEndOfTime;
    const Interval base = interval(0, ts);
    return is_closed(base) ? base.close : kEndOfTime;
  }

  /// Adds a tick for which prepare() has returned true. Ties in time go by call order.
  void add(UnixNanos ts, Price price);
  /// Adds the size of a trade to the volume of its bars; the same rules as add().
  void add_trade(UnixNanos ts, Quantity size);

  /// Closes every bar that ends at or before `time`; earlier times than before change nothing.
  void close_through(UnixNanos time) {
    if (time >= next_close_) {
      close_slow(time);
    } else if (time > closed_through_) {
      closed_through_ = time;
    }
  }
  [[nodiscard]] UnixNanos closed_through() const noexcept { return closed_through_; }
  /// End of the open bar that ends first; kEndOfTime without one.
  [[nodiscard]] UnixNanos next_close() const noexcept { return next_close_; }

  /// Closed bars that changed since the last emit_changes().
  [[nodiscard]] std::size_t dirty_count() const noexcept { return dirty_.size(); }
  /// Appends the newest state of every closed bar that changed to `batch.bars`: revision 0 when it closed, one more
  /// with each later batch.
  void emit_changes(EventBatch& batch, std::uint64_t committed);

  /// Appends the open bars that changed since the last call to `batch.open_bars`.
  void emit_open_bars(EventBatch& batch);
  /// Appends all open bars as they are kept: those above the base lack what open base bars hold.
  void append_open_bars(std::vector<BarEvent>& out) const;

  /// The open bars of a timeframe, ascending, complete up to the newest tick.
  [[nodiscard]] std::vector<Bar> open_bars(std::size_t timeframe_index) const;

  // Restart: decode() the state of some moment, then replay what was accepted since. Closed bars are in the store as
  // they must be, so only open ones are rebuilt.
  void replay(UnixNanos ts, Price price);
  void replay_trade(UnixNanos ts, Quantity size);
  void replay_close_through(UnixNanos time);

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  struct OpenBar {
    Bar bar;
    bool was_counted = false;
    bool was_changed = true;  ///< since emit_open_bars()
  };
  struct Series {
    std::vector<OpenBar> open;  ///< ascending; a bar above the base holds its closed base bars only
    ClosedBars closed;
    std::size_t looked_at = 0;              ///< bars put into `closed` since the last drop_unchanged()
    UnixNanos forgotten_through = kNoTime;  ///< without a store: closed bars up to here may be unknown
  };
  struct Dirty {
    std::uint32_t timeframe_index = 0;
    UnixNanos open_time;
  };

  [[nodiscard]] bool is_closed(const Interval& interval) const noexcept { return interval.close <= closed_through_; }
  [[nodiscard]] Interval interval(std::size_t timeframe_index, UnixNanos ts) const;
  bool prepare_slow(UnixNanos ts);
  bool load_closed(std::size_t timeframe_index, const Interval& interval);
  /// The open bar for `ts`, made if there is none.
  OpenBar& open_bar(std::size_t timeframe_index, UnixNanos ts);
  void count(std::size_t timeframe_index, bool& was_counted);
  /// Applies `change(Bar&)` to the bars that a record at `ts` belongs to.
  template <typename Change>
  void fold(UnixNanos ts, Change change);
  template <typename Change>
  void replay_fold(UnixNanos ts, Change change);
  void close_slow(UnixNanos time);
  void close_open_bars(UnixNanos time, bool keep);

  BarContext& context_;
  const TradingCalendar& calendar_;
  SymbolId symbol_;
  UnixNanos closed_through_ = kNoTime;
  UnixNanos next_close_ = kEndOfTime;
  // The base bar that was touched last, when it is open: the usual tick is for it.
  UnixNanos current_open_ = kEndOfTime;
  UnixNanos current_close_ = kNoTime;
  std::size_t current_index_ = 0;
  std::vector<Series> series_;
  std::vector<Dirty> dirty_;
};

}  // namespace tickpipe::internal
