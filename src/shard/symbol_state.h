#pragma once

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

namespace tickpipe {

/// What a shard knows of one LP's quotes of one symbol.
struct LpState {
  LpId lp;
  bool is_selected = true;     ///< part of the selected stream
  bool after_gap = false;      ///< a gap marker came after the newest tick
  UnixNanos newest = kNoTime;  ///< greatest event time ever accepted
  PriceTrack prices;
  DedupWindow window;
};

/// Everything a shard knows of one symbol. A restart restores it from a snapshot and the ticks accepted since.
struct SymbolState {
  SymbolState(SymbolId symbol_id, BarContext& context, const TradingCalendar& calendar)
      : id(symbol_id), bars(context, calendar, symbol_id) {}

  SymbolId id;
  std::uint64_t seq = 0;       ///< of the newest accepted quote
  Tick latest;                 ///< the latest quote; none while its seq is 0
  UnixNanos newest = kNoTime;  ///< greatest event time in the selected stream
  PriceLevel level;            ///< of the symbol, for an LP's first quote
  std::vector<LpState> lps;
  BarBuilder bars;
  Position snapshot_position;  ///< restart only: ticks up to here are in the snapshot
  bool has_unsaved_changes = false;
  bool has_changed_bars = false;

  /// Takes over what an accepted record changes, bars excepted: the same code when it is accepted and when it is
  /// replayed after a restart.
  void apply(LpState& lp, const Tick& tick) noexcept;

  /// The time that every active LP of the selected stream has reached; active means within 60 s of the newest.
  [[nodiscard]] UnixNanos watermark() const noexcept;

  void encode(std::string& out) const;
  /// Throws Error on damaged bytes.
  void decode(std::string_view bytes);
  void encode_without_bars(std::string& out) const;
  void decode_without_bars(std::string_view bytes);

 private:
  void decode_head(ByteReader& in);
};

}  // namespace tickpipe
