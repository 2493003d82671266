#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <vector>

#include "bench_quotes.h"
#include "model/trading_calendar.h"
#include "shard/shard_engine.h"

namespace tickpipe::internal {
namespace {

using bench::make_quotes;
using bench::require;

ShardRules rules_for(const TradingCalendar& calendar) {
  ShardRules rules;
  rules.prices = {
      .reject_ratio_units = 5 * kUnitsPerOne, .spike_threshold_units = kUnitsPerOne / 10, .reject_spikes = false};
  for (const char* name : {"1m", "5m", "15m", "1h", "4h", "1d"}) rules.timeframes.push_back(*parse_timeframe(name));
  rules.calendar_of = [&calendar](SymbolId) -> const TradingCalendar& { return calendar; };
  return rules;
}

/// A bare loop with the same arithmetic, for scale: no duplicates, no levels, no LPs; one minute bar and a 64-byte
/// tick.
void BareLoop(benchmark::State& state) {
  const auto quotes = make_quotes(1 << 16);
  std::vector<Tick> ticks(quotes.size());
  for (auto _ : state) {
    std::uint64_t seq = 0;
    std::uint64_t bars = 0;
    Bar bar;
    bar.close_time = kNoTime;
    for (const Quote& quote : quotes) {
      Tick& tick = ticks[seq];
      tick.ts_event = quote.ts_event;
      tick.ts_recv = quote.ts_recv;
      tick.bid = quote.bid;
      tick.ask = quote.ask;
      tick.seq = ++seq;
      if (quote.ts_event >= bar.close_time) {
        bar = {};
        bar.open_time.ns = quote.ts_event.ns / 60'000'000'000 * 60'000'000'000;
        bar.close_time.ns = bar.open_time.ns + 60'000'000'000;
        ++bars;
      }
      bar.add(quote.ts_event, mid_price(quote.bid, quote.ask));
    }
    benchmark::DoNotOptimize(bars);
    benchmark::DoNotOptimize(ticks.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(quotes.size()));
}
BENCHMARK(BareLoop);

/// Everything a shard does with a tick, without inbox and threads. Event time goes on from iteration to iteration.
void ShardEngineInOrder(benchmark::State& state) {
  const TradingCalendar calendar("00:00 UTC");
  auto quotes = make_quotes(1 << 16);
  const std::chrono::nanoseconds span = quotes.back().ts_event - quotes.front().ts_event + std::chrono::seconds{1};
  ShardEngine engine(rules_for(calendar));
  EventBatch batch;
  std::uint64_t accepted = 0;
  for (auto _ : state) {
    batch.clear();
    ++batch.number;
    for (Quote& quote : quotes) {
      engine.process(quote, batch, batch.number - 1);
      quote.ts_event = quote.ts_event + span;
    }
    engine.complete(batch, batch.number - 1, false);
    accepted += quotes.size();
  }
  require(engine.counters().accepted.load() == accepted && engine.counters().out_of_order.load() == 0, "engine");
  require(batch.ticks.back().seq == accepted && !batch.bars.empty(), "engine output");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(quotes.size()));
}
BENCHMARK(ShardEngineInOrder);

}  // namespace
}  // namespace tickpipe::internal
