#include "redis/redis_work.h"

#include <algorithm>
#include <utility>

#include "model/market_data.h"

namespace tickpipe::internal {

RedisWork::Symbol& RedisWork::symbol(SymbolId id) {
  if (id.value >= symbols_.size()) symbols_.resize(id.value + std::size_t{1});
  Symbol& symbol = symbols_[id.value];
  if (symbol.bars_seen.empty()) {
    symbol.bars_seen.assign(timeframes_, kUnknown);
    symbol.rewrites_bars.assign(timeframes_, 0);
  }
  return symbol;
}

RedisWork::Symbol& RedisWork::touch(SymbolId id) {
  Symbol& touched = symbol(id);
  if (!std::exchange(touched.is_listed, true)) dirty_.push_back(id);
  return touched;
}

/// Keeps those that are still among the newest once all are in.
void RedisWork::prune(std::vector<Tick>& ticks) const {
  const auto older = [](const Tick& a, const Tick& b) {
    return TickPlace{a.ts_event, a.seq} < TickPlace{b.ts_event, b.seq};
  };
  const auto first_kept = ticks.end() - static_cast<std::ptrdiff_t>(kept_ticks_);
  std::nth_element(ticks.begin(), first_kept, ticks.end(), older);
  ticks.erase(ticks.begin(), first_kept);
}

void RedisWork::add_tick(const Tick& tick) {
  Symbol& symbol = touch(tick.symbol);
  symbol.has_new_quotes = true;
  if (symbol.rewrites_ticks) return;
  symbol.ticks.push_back(tick);
  if (symbol.ticks.size() >= 2 * kept_ticks_) prune(symbol.ticks);
}

void RedisWork::add(const RedisBacklog::Delivery& delivery, bool keeps_quotes) {
  if (!delivery.empty()) has_work_ = true;
  for (const SymbolId id : delivery.overrun) {
    rewrite_all(id);
    symbol(id).publishes_latest = true;
  }
  for (const SymbolId id : delivery.amended) rewrite_ticks(id);
  for (const Tick& tick : delivery.ticks) {
    if (keeps_quotes) {
      add_tick(tick);
    } else if (Symbol& of = touch(tick.symbol); !of.rewrites_ticks || !of.publishes_latest) {
      rewrite_ticks(tick.symbol);
      of.publishes_latest = true;
    }
  }
  for (const SymbolId id : delivery.changed) {
    touch_open_bars(id);
  }
  for (const BarEvent& event : delivery.bars) add_bar(event, false);
}

void RedisWork::add_bar(const BarEvent& event, bool is_published) {
  touch(event.symbol);
  has_work_ = true;
  const BarKey key{event.symbol, event.timeframe_index, event.bar.open_time};
  SeriesBar& bar = bars_[key];
  // Of two states of a bar the later one counts: more ticks are in it, or it was corrected since.
  if (bar.bar.is_closed && bar.bar.revision > event.bar.revision) return;
  bar = {event.bar, is_published};
  if (bars_.size() <= max_bars_) return;
  for (const auto& [listed, state] : bars_) symbol(listed.symbol).rewrites_bars[listed.timeframe_index] = 1;
  bars_.clear();
}

void RedisWork::rewrite_ticks(SymbolId id) {
  Symbol& symbol = touch(id);
  has_work_ = true;
  symbol.has_new_quotes = true;
  symbol.rewrites_ticks = true;
  symbol.ticks.clear();
}

void RedisWork::rewrite_bars(SymbolId id, std::size_t timeframe_index) {
  touch(id).rewrites_bars[timeframe_index] = 1;
  has_work_ = true;
}

void RedisWork::rewrite_all(SymbolId id) {
  rewrite_ticks(id);
  for (std::size_t i = 0; i < timeframes_; ++i) rewrite_bars(id, i);
  touch_open_bars(id);
}

void RedisWork::touch_latest(SymbolId id) {
  touch(id).has_new_quotes = true;
  has_work_ = true;
}

void RedisWork::touch_open_bars(SymbolId id) {
  touch(id).has_open_bars = true;
  has_open_bars_ = true;
}

void RedisWork::announce_all() { has_work_ = announces_all_ = true; }

void RedisWork::forget_seen() {
  for (Symbol& of : symbols_) {
    of.ticks_seen = kUnknown;
    std::fill(of.bars_seen.begin(), of.bars_seen.end(), kUnknown);
    of.latest_written_at = {};
  }
}

void RedisWork::forget_quotes() {
  for (const SymbolId id : dirty_) {
    Symbol& of = symbol(id);
    if (of.ticks.empty()) continue;
    rewrite_ticks(id);
    of.publishes_latest = true;
  }
}

void RedisWork::settle(SymbolId id) {
  Symbol& of = symbol(id);
  of.ticks.clear();
  of.has_new_quotes = of.rewrites_ticks = false;
  std::fill(of.rewrites_bars.begin(), of.rewrites_bars.end(), std::uint8_t{0});
}

void RedisWork::clear_written(bool with_open_bars) {
  bars_.clear();
  has_work_ = announces_all_ = false;
  if (with_open_bars) has_open_bars_ = false;
  std::vector<SymbolId> still;
  for (const SymbolId id : dirty_) {
    settle(id);
    Symbol& of = symbol(id);
    of.publishes_latest = false;
    if (with_open_bars) of.has_open_bars = false;
    of.is_listed = of.has_open_bars;
    if (of.is_listed) still.push_back(id);
  }
  dirty_.swap(still);
}

}  // namespace tickpipe::internal
