#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.h"
#include "model/tick.h"
#include "shard/bar_builder.h"
#include "shard/dedup_window.h"
#include "shard/price_gate.h"
#include "shard/sealed_days.h"

namespace tickpipe::internal {

/// What a shard knows of one LP's quotes of one symbol.
struct LpState {
  /// Consecutive live ticks behind the newest after which a clock that was ahead is believed no more.
  static constexpr std::uint8_t kClockEscape = 10;

  LpId lp;
  bool is_selected = true;              ///< part of the selected stream
  bool after_gap = false;               ///< a gap marker came after the newest tick
  UnixNanos greatest = kNoTime;         ///< greatest event time ever accepted
  UnixNanos newest = kNoTime;           ///< what in-order is measured by: `greatest`, unless a clock was ahead
  UnixNanos newest_received = kNoTime;  ///< receive time of the tick that set `newest`
  /// Greatest time that bars may be closed through for this LP: the earlier of event and receive time when live.
  UnixNanos reached = kNoTime;
  std::uint8_t behind_count = 0;  ///< consecutive live ticks behind `newest` while that was ahead of its receive time
  UnixNanos behind_newest = kNoTime;
  PriceTrack prices;

  /// Takes over the times of an accepted quote. Returns whether it brought `newest` back.
  bool take_times(const Tick& tick) noexcept;
  DedupWindow window;
};

/// Everything a shard knows of one symbol. A restart restores it from a snapshot and the ticks accepted since.
struct SymbolState {
  SymbolState(SymbolId symbol_id, BarContext& context, const TradingCalendar& calendar)
      : id(symbol_id), bars(context, calendar, symbol_id) {}

  SymbolId id;
  std::uint64_t seq = 0;                     ///< of the newest accepted quote
  Tick latest;                               ///< the latest quote; none while its seq is 0
  UnixNanos newest = kNoTime;                ///< newest event time in the selected stream
  UnixNanos last_received = kNoTime;         ///< receive time of the newest accepted quote of the selected stream
  bool newest_was_timely = false;            ///< the quote that set `newest` was received within 60 s of its event time
  std::uint64_t late_ticks = 0;              ///< stored quotes that are late for bars
  SealedDays sealed_days;                    ///< not part of the snapshot: the store keeps them by themselves
  UnixNanos bars_removed_through = kNoTime;  ///< closed bars that ended by then may be removed; kept like sealed_days
  PriceLevel level;                          ///< of quotes that did not come live, for an LP's first one
  std::vector<LpState> lps;
  BarBuilder bars;
  Position snapshot_position;  ///< restart only: ticks up to here are in the snapshot
  bool has_unsaved_changes = false;
  bool has_changed_bars = false;
  bool is_touched = false;             ///< something that readers see may have changed since the last batch
  std::uint64_t published_latest = 0;  ///< seq of the latest quote that readers know

  /// Takes over what an accepted record changes, bars excepted: the same code when it is accepted and when it is
  /// replayed after a restart.
  /// A live quote older than `live_tick_age` when it was received does not become the latest one.
  void apply(LpState& lp, const Tick& tick, std::chrono::nanoseconds live_tick_age) noexcept;

  /// The time that every active LP of the selected stream has reached; active means within 60 s of the newest.
  [[nodiscard]] UnixNanos watermark() const noexcept;

  void encode(std::string& out) const;
  /// Whether the clock may close its bars: it is live, or has received nothing for 60 s.
  [[nodiscard]] bool follows_clock(UnixNanos now) const noexcept;

  /// Throws Error on damaged bytes.
  void decode(std::string_view bytes);
  void encode_without_bars(std::string& out) const;
  void decode_without_bars(std::string_view bytes);

 private:
  void take_newest(const Tick& tick, bool was_brought_back) noexcept;
  void take_latest(const Tick& tick, bool is_in_order, std::chrono::nanoseconds live_tick_age) noexcept;
  void decode_head(ByteReader& in);
};

}  // namespace tickpipe::internal
