#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "model/event_batch.h"
#include "model/history.h"
#include "model/market_data.h"
#include "publish/bar_cache.h"
#include "publish/symbol_table.h"
#include "publish/symbol_view.h"

namespace tickpipe::internal {

/// What is known of a symbol when the process starts.
struct SymbolStart {
  SymbolId symbol;
  std::uint64_t seq = 0;       ///< of the newest quote; 0 = none
  Tick latest;                 ///< seq 0 = none
  UnixNanos newest = kNoTime;  ///< greatest event time of its quotes; known when `seq` is not 0
  std::vector<LpActivity> lps;
  std::vector<BarEvent> open_bars;  ///< those above the base lack what open base bars hold, as in EventBatch
};

/// The read side: follows what is committed and answers readers.
///
/// Place:   committer -> [view] -> REST, streams, monitor.
/// Ticks:   the newest `hot_ticks` quotes of each symbol are in memory. After a restart they are read from the store
///          when a symbol is first asked for. What they do not provably answer is read from the store.
/// Bars:    all open bars are in memory, and the newest 1,000 closed ones of the series that were asked for; without a
///          store those of every series, as there is nowhere else to read them from.
/// Memory:  HotTicks tells that of quotes; closed bars of all series share `max_cached_bars_bytes`, least recently
///          asked for go first.
/// Moment:  a reader sees of one symbol all of a batch or nothing. A page of ticks has the quotes up to one seq.
/// Threads: readers any; on_committed() and restore() one at a time. A symbol has one lock, which is never held while
///          the store is read.
/// Cost:    latest() tens of ns; on_committed() tens of ns a quote, no allocation once rings have grown.
class MarketView final : public BatchListener, public MarketData {
 public:
  struct Options {
    std::vector<Timeframe> timeframes;  ///< ascending
    std::size_t hot_ticks = 1000;       ///< a symbol, at least 1
    std::size_t max_cached_bars_bytes = std::size_t{256} << 20;
    std::function<const TradingCalendar&(SymbolId)> calendar_of;
    const History* history = nullptr;  ///< outlives the view; null = nothing is stored
  };

  explicit MarketView(Options options);

  /// Call once for each known symbol before the first batch.
  void restore(const SymbolStart& start);

  void on_committed(const EventBatch& batch, Position position) override;

  [[nodiscard]] std::optional<Tick> latest(SymbolId symbol) const override;
  [[nodiscard]] QuoteSnapshot snapshot(SymbolId symbol) const override;
  [[nodiscard]] std::vector<SymbolActivity> activity() const override;
  [[nodiscard]] TickPage ticks(const TickQuery& query) const override;
  [[nodiscard]] bool ticks_in_memory(const TickQuery& query) const override;
  [[nodiscard]] std::vector<Bar> bars(const BarQuery& query) const override;
  [[nodiscard]] bool bars_in_memory(const BarQuery& query) const override;
  [[nodiscard]] std::optional<Bar> active_bar(SymbolId symbol, Timeframe timeframe) const override;
  [[nodiscard]] std::vector<Bar> open_bars(SymbolId symbol, Timeframe timeframe) const override;
  [[nodiscard]] const std::vector<Timeframe>& timeframes() const override { return options_.timeframes; }
  [[nodiscard]] Interval interval(SymbolId symbol, Timeframe timeframe, UnixNanos time) const override;

  /// Any thread, at any time; at least 1.
  void set_hot_ticks(std::size_t count);

  /// Quotes committed since start.
  [[nodiscard]] std::uint64_t quotes_seen() const noexcept { return quotes_seen_.load(std::memory_order_relaxed); }
  /// Greatest event time of all symbols, kNoTime = no quote yet.
  [[nodiscard]] UnixNanos newest_event() const noexcept { return {newest_event_ns_.load(std::memory_order_relaxed)}; }
  [[nodiscard]] std::size_t symbol_count() const noexcept { return table_.size(); }
  /// An estimate of what all of this takes.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// A linked list through the elements of one list of the batch: those of one symbol, in order.
  struct Chain {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t count = 0;
  };
  enum List : std::size_t { kTicks, kClosedBars, kOpenBars, kLatest, kListCount };
  struct Group {
    SymbolView* view = nullptr;
    std::array<Chain, kListCount> chains{};
  };

  SymbolView& view_of(SymbolId symbol);
  template <typename Elements>
  void group(const Elements& elements, List list);
  Group& group_of(SymbolId symbol);
  template <typename Visit>
  void follow(const Group& group, List list, Visit visit) const;
  void apply(const Group& group, const EventBatch& batch);

  [[nodiscard]] HotTicks::Request hot_request(const SymbolView& view, const TickQuery& query) const;
  /// A symbol may have been made while the limit changed; under its lock.
  void apply_hot_limit(SymbolView& view) const;
  void fill_hot(SymbolView& view) const;
  void note_hot_bytes(std::size_t before, std::size_t after) const noexcept {
    if (before != after) hot_bytes_.fetch_add(after - before, std::memory_order_relaxed);
  }

  [[nodiscard]] std::optional<std::size_t> index_of(Timeframe timeframe) const;
  [[nodiscard]] std::vector<Bar> shown_open(const SymbolView& view, std::size_t timeframe_index,
                                            const BarQuery& query) const;
  /// Makes sure that the series is cached; returns the lock of the symbol.
  [[nodiscard]] Lock fill_bars(SymbolView& view, std::size_t timeframe_index) const;
  [[nodiscard]] std::vector<Bar> stored_bars(const BarQuery& query, const std::vector<Bar>& shown_open) const;
  /// Tells the budget what the cache of the series takes now; under the lock of the symbol.
  void settle(SymbolView& view, std::size_t timeframe_index) const;
  /// Frees memory of cached bars while there is too much; under no lock.
  void keep_within_budget() const;
  [[nodiscard]] std::mutex& fill_mutex(const SymbolView& view) const {
    return fill_mutexes_[view.symbol.value % fill_mutexes_.size()];
  }

  const Options options_;
  std::atomic<std::size_t> hot_limit_;
  SymbolTable<SymbolView> table_;
  mutable BarBudget budget_;
  mutable std::array<std::mutex, 64> fill_mutexes_;  ///< one reader fills from the store, others of the symbol wait
  mutable std::atomic<std::size_t> hot_bytes_{0};
  std::atomic<std::uint64_t> quotes_seen_{0};
  std::atomic<std::int64_t> newest_event_ns_{kNoTime.ns};

  // Of the thread that commits.
  std::uint64_t group_number_ = 0;
  std::vector<Group> groups_;
  std::array<std::vector<std::uint32_t>, kListCount> next_;
};

}  // namespace tickpipe::internal
