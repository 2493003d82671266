#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "model/event_batch.h"
#include "model/market_data.h"
#include "support/memory_history.h"

namespace tickpipe::internal::testing {

/// A MemoryHistory for several threads, with something that happens at the start and end of every read.
class HookedHistory final : public History {
 public:
  explicit HookedHistory(std::vector<Timeframe> timeframes) : inner_(std::move(timeframes)) {}

  UnixNanos scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                 const std::function<bool(const Tick&)>& take) const override {
    run_hook();
    UnixNanos reached;
    {
      const std::lock_guard lock(mutex_);
      reached = inner_.scan(symbol, from, to, take);
    }
    run_hook();
    return reached;
  }
  [[nodiscard]] std::optional<StoredBar> find_bar(SymbolId symbol, Timeframe timeframe,
                                                  UnixNanos open_time) const override {
    const std::lock_guard lock(mutex_);
    return inner_.find_bar(symbol, timeframe, open_time);
  }
  void scan_bars(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to, bool newest_first,
                 const std::function<bool(const Bar&)>& take) const override {
    run_hook();
    {
      const std::lock_guard lock(mutex_);
      inner_.scan_bars(symbol, timeframe, from, to, newest_first, take);
    }
    run_hook();
  }

  Position commit(const EventBatch& batch) {
    const std::lock_guard lock(mutex_);
    return inner_.commit(batch);
  }
  void fail(bool fails) {
    const std::lock_guard lock(mutex_);
    inner_.fails = fails;
  }
  [[nodiscard]] std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return inner_.reads;
  }

  std::function<void()> hook;

 private:
  void run_hook() const {
    if (hook) hook();
  }
  mutable std::mutex mutex_;
  MemoryHistory inner_;
};

/// Makes random batches of one or more symbols and knows, the slow and obvious way, what readers must then see.
class MarketModel {
 public:
  MarketModel(std::uint64_t seed, std::uint32_t symbols, std::vector<Timeframe> timeframes)
      : timeframes_(std::move(timeframes)), random_(seed) {
    for (std::uint32_t i = 0; i < symbols; ++i) symbols_[SymbolId{i}].full.resize(timeframes_.size());
  }

  /// What one commit brings; the model counts it as committed from now on.
  EventBatch next_batch(std::size_t max_ticks = 12) {
    EventBatch batch;
    batch.number = ++number_;
    const std::size_t count = 1 + random_() % max_ticks;
    for (std::size_t i = 0; i < count; ++i) add_tick(batch);
    for (auto& [id, symbol] : symbols_) {
      if (random_() % 4 == 0) close(symbol);
      emit_bars(id, symbol, batch);
      if (symbol.latest.seq != symbol.told_latest) batch.latest.push_back(symbol.latest);
      symbol.told_latest = symbol.latest.seq;
    }
    return batch;
  }

  [[nodiscard]] std::uint64_t newest_seq(SymbolId id) const { return symbols_.at(id).seq; }
  [[nodiscard]] const Tick& latest(SymbolId id) const { return symbols_.at(id).latest; }
  /// Ascending by place.
  [[nodiscard]] std::vector<Tick> quotes(SymbolId id, std::uint64_t max_seq = ~std::uint64_t{0}) const {
    std::vector<Tick> out;
    for (const Tick& tick : symbols_.at(id).quotes) {
      if (tick.seq <= max_seq) out.push_back(tick);
    }
    std::sort(out.begin(), out.end(), [](const Tick& a, const Tick& b) {
      return TickPlace{a.ts_event, a.seq} < TickPlace{b.ts_event, b.seq};
    });
    return out;
  }
  [[nodiscard]] UnixNanos newest_event(SymbolId id) const {
    const auto all = quotes(id);
    return all.empty() ? kNoTime : all.back().ts_event;
  }

  /// The answer of a page that shows what was there up to `max_seq`, of the newest `hot` quotes only if that is not 0.
  [[nodiscard]] TickPage page(const TickQuery& query, std::uint64_t max_seq, std::size_t hot = 0) const {
    auto all = quotes(query.symbol);
    if (hot != 0 && all.size() > hot) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(hot));
    if (query.newest_first) std::reverse(all.begin(), all.end());
    TickPage page;
    page.max_seq = max_seq;
    for (const Tick& tick : all) {
      const TickPlace place{tick.ts_event, tick.seq};
      if (tick.seq > max_seq || tick.ts_event < query.from || tick.ts_event >= query.to) continue;
      if (query.after && (query.newest_first ? place >= *query.after : place <= *query.after)) continue;
      if (page.ticks.size() == query.limit) {
        page.has_more = true;
        break;
      }
      page.ticks.push_back(tick);
    }
    return page;
  }

  [[nodiscard]] std::vector<Bar> bars(const BarQuery& query) const {
    const auto& symbol = symbols_.at(query.symbol);
    std::vector<Bar> out;
    for (const auto& [open_time, bar] : symbol.full[index_of(query.timeframe)]) {
      if (bar.tick_count == 0 || open_time < query.from || open_time >= query.to) continue;
      if (query.closed_only && !bar.is_closed) continue;
      out.push_back(bar);
    }
    if (out.size() > query.limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(query.limit));
    return out;
  }

  /// All open bars as a batch or a restart tells them.
  [[nodiscard]] std::vector<BarEvent> open_bars(SymbolId id) const {
    std::vector<BarEvent> out;
    const Symbol& symbol = symbols_.at(id);
    for (std::uint32_t i = 0; i < timeframes_.size(); ++i) {
      for (const auto& [open_time, bar] : symbol.full[i]) {
        if (!bar.is_closed) out.push_back({id, i, told(symbol, i, bar)});
      }
    }
    return out;
  }

  TickQuery random_tick_query(SymbolId id) {
    TickQuery query;
    query.symbol = id;
    query.newest_first = random_() % 2 == 0;
    query.limit = random_() % 40;
    if (random_() % 2 == 0) query.from = random_time(id);
    if (random_() % 2 == 0) query.to = random_time(id);
    if (random_() % 3 == 0) query.max_seq = random_() % (newest_seq(id) + 2);
    if (random_() % 3 == 0) query.after = TickPlace{random_time(id), random_() % (newest_seq(id) + 2)};
    return query;
  }
  BarQuery random_bar_query(SymbolId id) {
    BarQuery query;
    query.symbol = id;
    query.timeframe = timeframes_[random_() % timeframes_.size()];
    query.limit = random_() % 8 == 0 ? 2000 : random_() % 30;
    query.closed_only = random_() % 3 == 0;
    if (random_() % 3 == 0) query.from = random_time(id);
    if (random_() % 3 == 0) query.to = random_time(id);
    return query;
  }

  std::uint32_t late_one_in = 8;  ///< quotes that are far behind

 private:
  struct Symbol {
    std::uint64_t seq = 0;
    std::uint64_t told_latest = 0;
    Tick latest;
    UnixNanos now{1'767'600'000LL * kNanosPerSecond};
    UnixNanos closed_through = kNoTime;
    std::vector<Tick> quotes;                                ///< in the order of acceptance
    std::vector<std::map<UnixNanos, Bar>> full;              ///< folded tick by tick in every timeframe
    std::set<std::pair<std::size_t, UnixNanos>> changed;     ///< bars
    std::set<std::pair<std::size_t, UnixNanos>> was_closed;  ///< bars that were told as closed
  };

  [[nodiscard]] std::size_t index_of(Timeframe timeframe) const {
    return static_cast<std::size_t>(std::find(timeframes_.begin(), timeframes_.end(), timeframe) - timeframes_.begin());
  }

  UnixNanos random_time(SymbolId id) {
    const auto& quotes = symbols_.at(id).quotes;
    if (quotes.empty()) return kFirstTickTime;
    return {quotes[random_() % quotes.size()].ts_event.ns + static_cast<std::int64_t>(random_() % 3) - 1};
  }

  void add_tick(EventBatch& batch) {
    const SymbolId id{static_cast<std::uint32_t>(random_() % symbols_.size())};
    Symbol& symbol = symbols_.at(id);
    Tick tick;
    tick.symbol = id;
    tick.lp.value = static_cast<std::uint16_t>(random_() % 3);
    symbol.now.ns += static_cast<std::int64_t>(random_() % 30) * kNanosPerSecond;
    tick.ts_event = symbol.now;
    tick.ts_recv = {symbol.now.ns + 5};
    if (random_() % late_one_in == 0) {
      tick.ts_event.ns -= static_cast<std::int64_t>(random_() % (random_() % 4 == 0 ? 20'000 : 100)) * kNanosPerSecond;
      tick.flags = kOutOfOrder;
    }
    tick.bid.units = 1'000'000'000 + static_cast<std::int64_t>(random_() % 1000);
    tick.ask.units = tick.bid.units + 10;
    const std::uint64_t kind = random_() % 16;
    if (id.value != 0 && random_() % 3 == 0) tick.bid_size.units = static_cast<std::int64_t>(random_() % 100);
    tick.kind = kind == 0 ? RecordKind::kTrade : kind == 1 ? RecordKind::kGap : RecordKind::kQuote;
    if (tick.kind == RecordKind::kTrade) tick.bid_size.units = 7;
    if (tick.kind == RecordKind::kQuote) {
      ++symbol.seq;
      tick.seq = symbol.seq;
      symbol.quotes.push_back(tick);
      if (tick.flags == 0) symbol.latest = tick;
    } else {
      tick.seq = symbol.seq;
    }
    batch.ticks.push_back(tick);
    if (tick.kind == RecordKind::kGap) return;
    for (std::size_t i = 0; i < timeframes_.size(); ++i) {
      const std::int64_t length = timeframes_[i].nanos().count();
      const UnixNanos open_time{tick.ts_event.ns / length * length};
      Bar& bar = symbol.full[i][open_time];
      bar.open_time = open_time;
      bar.close_time = open_time + timeframes_[i].nanos();
      bar.is_closed = bar.close_time <= symbol.closed_through;
      if (tick.kind == RecordKind::kTrade) {
        bar.add_trade(tick.bid_size);
      } else {
        bar.add(tick.ts_event, mid_price(tick.bid, tick.ask));
      }
      symbol.changed.insert({i, open_time});
    }
  }

  void close(Symbol& symbol) {
    symbol.closed_through = std::max(
        symbol.closed_through, UnixNanos{symbol.now.ns - static_cast<std::int64_t>(random_() % 90) * kNanosPerSecond});
    for (std::size_t i = 0; i < timeframes_.size(); ++i) {
      for (auto& [open_time, bar] : symbol.full[i]) {
        if (bar.is_closed || bar.close_time > symbol.closed_through) continue;
        bar.is_closed = true;
        symbol.changed.insert({i, open_time});
        for (std::size_t above = 1; i == 0 && above < timeframes_.size(); ++above) {
          const std::int64_t length = timeframes_[above].nanos().count();
          symbol.changed.insert({above, UnixNanos{open_time.ns / length * length}});
        }
      }
    }
  }

  /// An open bar above the base without what open base bars hold.
  [[nodiscard]] Bar told(const Symbol& symbol, std::size_t timeframe_index, const Bar& full) const {
    if (timeframe_index == 0) return full;
    Bar partial;
    partial.open_time = full.open_time;
    partial.close_time = full.close_time;
    for (const auto& [open_time, base] : symbol.full[0]) {
      if (base.is_closed && open_time >= full.open_time && open_time < full.close_time) partial.add(base);
    }
    return partial;
  }

  void emit_bars(SymbolId id, Symbol& symbol, EventBatch& batch) {
    for (const auto& key : symbol.changed) {
      const auto& [i, open_time] = key;
      Bar& bar = symbol.full[i].at(open_time);
      const auto index = static_cast<std::uint32_t>(i);
      if (bar.is_closed) {
        if (!symbol.was_closed.insert(key).second) ++bar.revision;
        batch.bars.push_back({id, index, bar});
        continue;
      }
      const Bar partial = told(symbol, i, bar);
      // Whether an empty one is told is left open.
      if (partial.tick_count != 0 || partial.trade_count != 0 || random_() % 2 == 0) {
        batch.open_bars.push_back({id, index, partial});
      }
    }
    symbol.changed.clear();
  }

  std::vector<Timeframe> timeframes_;
  std::mt19937_64 random_;
  std::uint64_t number_ = 0;
  std::map<SymbolId, Symbol> symbols_;
};

}  // namespace tickpipe::internal::testing
