#include <benchmark/benchmark.h>

#include <chrono>
#include <vector>

#include "bench_quotes.h"
#include "model/trading_calendar.h"
#include "publish/market_view.h"

namespace tickpipe::internal {
namespace {

using bench::make_quotes;
using bench::require;

constexpr std::uint32_t kSymbols = 50;

MarketView::Options options_for(const TradingCalendar& calendar) {
  MarketView::Options options;
  for (const char* name : {"1m", "5m", "15m", "1h", "4h", "1d"}) {
    options.timeframes.push_back(*parse_timeframe(name));
  }
  options.calendar_of = [&calendar](SymbolId) -> const TradingCalendar& { return calendar; };
  return options;
}

/// Batches of `size` quotes of 50 symbols in turn, with what a shard tells beside them: an open minute bar and the
/// latest quote of each symbol.
std::vector<EventBatch> make_batches(std::size_t size, std::size_t count) {
  const auto quotes = make_quotes(size * count);
  std::vector<EventBatch> batches(count);
  std::vector<std::uint64_t> seqs(kSymbols);
  std::size_t at = 0;
  for (EventBatch& batch : batches) {
    for (std::size_t i = 0; i < size; ++i, ++at) {
      const Quote& quote = quotes[at];
      Tick& tick = batch.ticks.emplace_back();
      tick.ts_event = quote.ts_event;
      tick.ts_recv = quote.ts_recv;
      tick.bid = quote.bid;
      tick.ask = quote.ask;
      tick.symbol.value = static_cast<std::uint32_t>((at * 7919) % kSymbols);
      tick.lp.value = static_cast<std::uint16_t>(at % 3);
      tick.seq = ++seqs[tick.symbol.value];
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(size, kSymbols); ++i) {
      const Tick& tick = batch.ticks[size - 1 - i];
      batch.latest.push_back(tick);
      Bar bar;
      bar.open_time.ns = tick.ts_event.ns / 60'000'000'000 * 60'000'000'000;
      bar.close_time.ns = bar.open_time.ns + 60'000'000'000;
      bar.add(tick.ts_event, mid_price(tick.bid, tick.ask));
      batch.open_bars.push_back({tick.symbol, 0, bar});
    }
  }
  return batches;
}

/// What publishing costs per quote. Event time and seq go on from iteration to iteration.
void MarketViewOnCommitted(benchmark::State& state) {
  constexpr std::size_t kQuotes = 1 << 16;
  const auto size = static_cast<std::size_t>(state.range(0));
  const TradingCalendar calendar("00:00 UTC");
  auto batches = make_batches(size, kQuotes / size);
  const std::chrono::nanoseconds span =
      batches.back().ticks.back().ts_event - batches.front().ticks.front().ts_event + std::chrono::seconds{1};
  std::vector<std::uint64_t> per_symbol(kSymbols);
  for (const EventBatch& batch : batches) {
    for (const Tick& tick : batch.ticks) ++per_symbol[tick.symbol.value];
  }
  MarketView view(options_for(calendar));
  std::uint64_t quotes = 0;
  for (auto _ : state) {
    for (EventBatch& batch : batches) view.on_committed(batch, Position{1});
    state.PauseTiming();
    for (EventBatch& batch : batches) {
      quotes += batch.ticks.size();
      for (auto* ticks : {&batch.ticks, &batch.latest}) {
        for (Tick& tick : *ticks) {
          tick.ts_event = tick.ts_event + span;
          tick.seq += per_symbol[tick.symbol.value];
        }
      }
    }
    state.ResumeTiming();
  }
  require(view.quotes_seen() == quotes && view.symbol_count() == kSymbols, "view");
  TickQuery query;
  query.limit = 1000;
  require(view.ticks(query).ticks.size() == 1000, "hot ticks");
  state.SetItemsProcessed(static_cast<std::int64_t>(quotes));
}
BENCHMARK(MarketViewOnCommitted)->Arg(16)->Arg(512)->Arg(8192);

class FilledView {
 public:
  FilledView() : view(options_for(calendar_)) {
    for (const EventBatch& batch : make_batches(512, 200)) view.on_committed(batch, Position{1});
    EventBatch bars;
    for (std::int64_t i = 0; i < 1000; ++i) {
      Bar bar;
      bar.open_time.ns = 1'767'000'000LL * kNanosPerSecond + i * 60 * kNanosPerSecond;
      bar.close_time.ns = bar.open_time.ns + 60 * kNanosPerSecond;
      bar.add(bar.open_time, Price{1'000'000'000});
      bar.is_closed = true;
      bars.bars.push_back({SymbolId{7}, 0, bar});
    }
    view.on_committed(bars, Position{2});
  }

 private:
  const TradingCalendar calendar_{"00:00 UTC"};

 public:
  MarketView view;
};

void MarketViewLatest(benchmark::State& state) {
  FilledView filled;
  std::uint32_t symbol = 0;
  for (auto _ : state) {
    const auto tick = filled.view.latest(SymbolId{symbol});
    require(tick.has_value(), "latest");
    symbol = symbol + 1 == kSymbols ? 0 : symbol + 1;
  }
}
BENCHMARK(MarketViewLatest);

void MarketViewTicks(benchmark::State& state) {
  FilledView filled;
  TickQuery query;
  query.symbol = SymbolId{7};
  query.limit = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const TickPage page = filled.view.ticks(query);
    require(page.ticks.size() == query.limit, "ticks");
  }
}
BENCHMARK(MarketViewTicks)->Arg(100)->Arg(1000);

void MarketViewBars(benchmark::State& state) {
  FilledView filled;
  BarQuery query;
  query.symbol = SymbolId{7};
  query.timeframe = *parse_timeframe("1m");
  query.limit = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const auto bars = filled.view.bars(query);
    require(bars.size() == query.limit, "bars");
  }
}
BENCHMARK(MarketViewBars)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace tickpipe::internal
