#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "bench_quotes.h"
#include "serve/api.h"

namespace tickpipe::internal {
namespace {

using bench::make_quotes;
using bench::require;

/// One symbol with a latest quote, history and bars in memory; answers cost nothing but their copy.
class MemoryMarket final : public MarketData {
 public:
  MemoryMarket() {
    for (const Quote& quote : make_quotes(60'000)) {
      Tick tick;
      tick.ts_event = quote.ts_event;
      tick.ts_recv = quote.ts_recv;
      tick.bid = quote.bid;
      tick.ask = quote.ask;
      tick.seq = ++seq_;
      page_.ticks.push_back(tick);
      const Interval interval = calendar_.interval(Timeframe{}, quote.ts_event);
      if (bars_.empty() || bars_.back().open_time != interval.open) {
        Bar& bar = bars_.emplace_back();
        bar.open_time = interval.open;
        bar.close_time = interval.close;
        bar.is_closed = true;
      }
      bars_.back().add(quote.ts_event, mid_price(quote.bid, quote.ask));
    }
    latest_ = page_.ticks.back();
    page_.ticks.resize(100);
    bars_.resize(100);
  }
  std::optional<Tick> latest(SymbolId) const override { return latest_; }
  QuoteSnapshot snapshot(SymbolId) const override { return {.latest = latest_.value_or(Tick{}), .newest_seq = seq_}; }
  std::vector<SymbolActivity> activity() const override { return {}; }
  TickPage ticks(const TickQuery&) const override { return page_; }
  bool ticks_in_memory(const TickQuery&) const override { return true; }
  std::vector<Bar> bars(const BarQuery&) const override { return bars_; }
  bool bars_in_memory(const BarQuery&) const override { return true; }
  std::optional<Bar> active_bar(SymbolId, Timeframe) const override { return std::nullopt; }
  std::vector<Bar> open_bars(SymbolId, Timeframe) const override { return {}; }
  const std::vector<Timeframe>& timeframes() const override { return timeframes_; }
  Interval interval(SymbolId, Timeframe timeframe, UnixNanos time) const override {
    return calendar_.interval(timeframe, time);
  }

 private:
  TradingCalendar calendar_{"00:00 UTC"};
  std::vector<Timeframe> timeframes_{Timeframe{}};
  std::uint64_t seq_ = 0;
  std::optional<Tick> latest_;
  TickPage page_;
  std::vector<Bar> bars_;
};

class NoStatus final : public SystemStatus {
 public:
  SystemStats stats() const override { return {}; }
  HealthReport health() const override { return {}; }
  std::vector<SymbolHealth> feed_health() const override { return {}; }
  Readiness readiness() const override { return Readiness::kReady; }
};

class NoDoor final : public IngestDoor, public Maintenance {
 public:
  void ingest(std::string, QuoteOrigin, std::function<void(IngestAnswer)> done) override { done({}); }
  CleanupResult cleanup() override { return {}; }
};

/// Asks the API for `target` over and over; the answer must contain `expected` and hold `objects` objects.
void ask(benchmark::State& state, const std::string& target, const std::string& expected, std::size_t objects) {
  const MemoryMarket market;
  const NoStatus status;
  NoDoor door;
  SymbolRegistry symbols(100);
  LpRegistry lps(10);
  symbols.intern(*parse_symbol("EURUSD"));
  lps.intern(*parse_lp("LP1"));
  const SystemClock clock;
  Api api({market, status, door, door, symbols, lps, clock, "epoch", std::chrono::seconds{10},
           [](const std::function<void()>& work) { work(); }});
  std::string body;
  const auto once = [&] {
    HttpRequest request;
    request.target = target;
    api.handle(std::move(request), [&body](HttpResponse response) { body = std::move(response.body); });
  };
  once();
  std::size_t found = 0;
  for (const char c : body) found += c == '{' ? 1 : 0;
  require(found == objects && body.find(expected) != std::string::npos, target.c_str());
  for (auto _ : state) {
    once();
    benchmark::DoNotOptimize(body.data());
  }
  state.counters["bytes"] = static_cast<double>(body.size());
  state.SetItemsProcessed(state.iterations());
}

void AnswerLatestQuote(benchmark::State& state) {
  ask(state, "/api/quotes/latest/EURUSD", R"("tick_id":"EURUSD-60000","seq":60000)", 1);
}
BENCHMARK(AnswerLatestQuote);

void AnswerBars(benchmark::State& state) {
  ask(state, "/api/ohlc/EURUSD?limit=100", R"("timeframe":"1m","open_time":"2026-01-05T08:00:00.000Z")", 100);
}
BENCHMARK(AnswerBars);

void AnswerHistory(benchmark::State& state) {
  ask(state, "/api/quotes/history/EURUSD?limit=100", R"("tick_id":"EURUSD-100",)", 100);
}
BENCHMARK(AnswerHistory);

}  // namespace
}  // namespace tickpipe::internal
