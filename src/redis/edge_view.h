#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "model/event_batch.h"
#include "model/market_data.h"
#include "model/name_registry.h"
#include "redis/redis_keys.h"

namespace tickpipe::internal {

/// What an edge knows: of each symbol the latest quote, the newest quotes by (ts_event, seq) and the newest bars of
/// each timeframe. All of it is in memory; there is nothing else.
///
/// Place:   EdgeSource -> [view] -> REST, streams.
/// Bars:    are whole as they come, open ones too; nothing is folded here.
/// Moment:  a reader sees of one symbol all of a batch or nothing.
/// Threads: readers any; apply() one. A symbol has one lock.
class EdgeView final : public MarketData {
 public:
  struct Options {
    std::vector<Timeframe> timeframes;  ///< ascending
    std::size_t kept_ticks = 1000;      ///< a symbol, at least 1
    std::size_t kept_bars = redis_keys::kBarsKept;
    std::function<const TradingCalendar&(SymbolId)> calendar_of;
  };

  explicit EdgeView(Options options);
  ~EdgeView() override;

  /// Takes in `ticks`, `amended`, `latest`, `bars` and `open_bars`. An amended quote takes the place of the one with
  /// its time and seq, or is put in if there is none. Of two states of a bar the later one counts, whatever order they
  /// come in.
  void apply(const EventBatch& batch);

  /// Whether it has this quote, as it is here.
  [[nodiscard]] bool holds(const Tick& tick) const;
  /// Whether this state of a bar is news.
  [[nodiscard]] bool is_news(const BarEvent& event) const;
  /// Whether quotes of this time are kept, or too old for that.
  [[nodiscard]] bool keeps(const Tick& tick) const;

  [[nodiscard]] std::optional<Tick> latest(SymbolId symbol) const override;
  [[nodiscard]] QuoteSnapshot snapshot(SymbolId symbol) const override;
  [[nodiscard]] std::vector<SymbolActivity> activity() const override;
  [[nodiscard]] TickPage ticks(const TickQuery& query) const override;
  [[nodiscard]] bool ticks_in_memory(const TickQuery& /*query*/) const override { return true; }
  [[nodiscard]] std::vector<Bar> bars(const BarQuery& query) const override;
  [[nodiscard]] bool bars_in_memory(const BarQuery& /*query*/) const override { return true; }
  [[nodiscard]] std::optional<Bar> active_bar(SymbolId symbol, Timeframe timeframe) const override;
  [[nodiscard]] std::vector<Bar> open_bars(SymbolId symbol, Timeframe timeframe) const override;
  [[nodiscard]] const std::vector<Timeframe>& timeframes() const override { return options_.timeframes; }
  [[nodiscard]] Interval interval(SymbolId symbol, Timeframe timeframe, UnixNanos time) const override;

  /// Greatest event time of all symbols, kNoTime = no quote yet.
  [[nodiscard]] UnixNanos newest_event() const noexcept { return {newest_event_ns_.load(std::memory_order_relaxed)}; }
  /// Symbols of which there is anything.
  [[nodiscard]] std::size_t symbol_count() const;

 private:
  struct Symbol;
  enum class Part : std::uint8_t { kTick, kAmended, kLatest, kBar, kOpenBar };
  struct Change {
    SymbolId symbol;
    Part part = Part::kTick;
    std::size_t index = 0;
  };

  [[nodiscard]] Symbol* find(SymbolId symbol) const;
  Symbol& find_or_make(SymbolId symbol);
  void change(Symbol& of, const EventBatch& batch, const Change& change);
  void put_tick(Symbol& of, const Tick& tick) const;
  [[nodiscard]] std::optional<std::size_t> index_of(Timeframe timeframe) const;

  const Options options_;
  mutable std::shared_mutex mutex_;  ///< guards the list
  std::deque<std::unique_ptr<Symbol>> symbols_;
  std::atomic<std::int64_t> newest_event_ns_{kNoTime.ns};
  std::vector<Change> changes_;  ///< of the thread that applies
};

/// What an edge has of one epoch.
struct EdgeData {
  struct Options {
    std::vector<Timeframe> timeframes;
    std::size_t kept_ticks = 1000;
    std::size_t max_symbols = 10'000;
    std::size_t max_lps = 256;
  };
  /// `calendars` outlive it.
  EdgeData(std::string of_epoch, const Options& options, const CalendarRules& calendars)
      : epoch(std::move(of_epoch)),
        symbols(options.max_symbols),
        lps(options.max_lps),
        view({.timeframes = options.timeframes,
              .kept_ticks = options.kept_ticks,
              .calendar_of = [this, &calendars](SymbolId id) -> const TradingCalendar& {
                return calendars.for_symbol(symbols.name(id).view());
              }}) {}

  const std::string epoch;  ///< empty: nothing is known yet
  SymbolRegistry symbols;
  LpRegistry lps;
  EdgeView view;
};

}  // namespace tickpipe::internal
