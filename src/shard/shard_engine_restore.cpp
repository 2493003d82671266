// How an engine comes back to where it was: snapshots, the records behind them, and a fold under other bar settings.

#include <algorithm>
#include <string>

#include "shard/shard_engine.h"

namespace tickpipe::internal {

void ShardEngine::restore(SymbolId symbol, Position position, std::string_view snapshot) {
  SymbolState& restored = state(symbol);
  restored.decode(snapshot);
  restored.snapshot_position = position;
}

void ShardEngine::finish_restore() {
  for (const auto& symbol : symbols_) {
    if (!symbol) continue;
    for (LpState& lp : symbol->lps) {
      const bool is_selected = rules_.is_selected(lp.lp);
      if (is_selected != lp.is_selected) note_unsaved(*symbol);
      lp.is_selected = is_selected;
    }
    symbol->published_latest = symbol->latest.seq;
  }
}

void ShardEngine::replay(const Tick& tick, Position position) {
  SymbolState& symbol = state(tick.symbol);
  if (position <= symbol.snapshot_position) return;
  LpState& lp = lp_state(symbol, tick.lp);
  lp.is_selected = !(tick.flags & kUnselected);  // as it was then: bars closed by it
  symbol.apply(lp, tick, rules_.live_tick_age);
  lp.window.assume_stored_through(lp.greatest);
  if (tick.kind == RecordKind::kTrade) {
    symbol.bars.replay_trade(tick.ts_event, tick.bid_size);
  } else if (tick.kind == RecordKind::kQuote && !(tick.flags & (kUnselected | kLateForBars | kFoldedLater))) {
    symbol.bars.replay(tick.ts_event, rules_.bar_price(tick.bid, tick.ask));
    symbol.bars.replay_close_through(symbol.watermark());
  }
  note_unsaved(symbol);
}

void ShardEngine::replay(const CloseMark& mark, Position position) {
  SymbolState& symbol = state(mark.symbol);
  if (position <= symbol.snapshot_position) return;
  symbol.bars.replay_close_through(mark.closed_through);
  note_unsaved(symbol);
}

void ShardEngine::replay_amended(const Tick& tick, Position position) {
  SymbolState& symbol = state(tick.symbol);
  if (position <= symbol.snapshot_position) return;
  if (symbol.late_ticks != 0) --symbol.late_ticks;
  symbol.bars.replay(tick.ts_event, rules_.bar_price(tick.bid, tick.ask));
  note_unsaved(symbol);
}

void ShardEngine::begin_rebuild(const SymbolState& old_state) {
  SymbolState& symbol = state(old_state.id);
  std::string bytes;
  old_state.encode_without_bars(bytes);
  symbol.decode_without_bars(bytes);
  context_.history = nullptr;  // what is stored was cut by the old settings
  note_unsaved(symbol);
}

void ShardEngine::rebuild(const Tick& tick) {
  if (tick.flags & (kUnselected | kLateForBars)) return;
  SymbolState& symbol = state(tick.symbol);
  const std::size_t before = symbol.bars.dirty_count();
  symbol.bars.add(tick.ts_event, rules_.bar_price(tick.bid, tick.ask));
  symbol.bars.close_through(std::min(tick.ts_event, symbol.watermark()));
  note_changed_bars(symbol, before);
}

void ShardEngine::end_rebuild(const SymbolState& old_state) {
  SymbolState& symbol = state(old_state.id);
  const std::size_t before = symbol.bars.dirty_count();
  symbol.bars.close_through(old_state.bars.closed_through());
  note_changed_bars(symbol, before);
  context_.history = rules_.history;
}

}  // namespace tickpipe::internal
