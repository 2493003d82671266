// What a call of the library costs the thread of an engine.

#include <benchmark/benchmark.h>
#include <tickpipe/tickpipe.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench_quotes.h"
#include "support/allocations.h"
#include "support/temporary_folder.h"

namespace tickpipe {
namespace {

using internal::bench::require;
using internal::testing::allocations_of_this_thread;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kSymbols = 50;

/// A pipeline with the default settings, on a disk.
class Running {
 public:
  Running() {
    PipelineConfig config;
    config.data_dir = folder_ / "data";
    pipeline_ = std::make_unique<Pipeline>(config);
    pipeline_->start();
    adapter_ = std::make_unique<IntegrationAdapter>(*pipeline_);
    for (std::size_t i = 0; i < kSymbols; ++i) symbols_.push_back("SYM" + std::to_string(i));
  }
  /// The n-th quote of an LP: symbols in turn, prices of a slow saw.
  LpQuoteResult send(const std::string& lp, std::uint64_t n, Timestamp time = std::chrono::system_clock::now()) {
    const double bid = 1.1 + static_cast<double>(n % 1000) * 1e-5;
    return adapter_->process_lp_quote(lp, symbols_[n % kSymbols], bid, bid + 1e-4, time);
  }
  /// Each call was counted once, as what it said.
  void check(std::uint64_t calls, std::uint64_t queued) {
    pipeline_->stop();
    const Statistics stats = pipeline_->stats();
    require(stats.ticks_received == calls, "received");
    require(stats.ticks_processed + stats.ticks_duplicate == queued, "processed");
    require(stats.ticks_received == stats.ticks_processed + stats.ticks_refused + stats.ticks_dropped, "sum");
  }

 private:
  internal::testing::TemporaryFolder folder_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<IntegrationAdapter> adapter_;
  std::vector<std::string> symbols_;
};

double at(std::vector<std::int64_t>& sorted, double share) {
  return static_cast<double>(sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))]);
}

/// 100,000 calls a second, each timed by itself; `clock_ns` is what timing nothing gives, and part of the others.
void ProcessLpQuotePaced(benchmark::State& state) {
  Running running;
  constexpr std::chrono::nanoseconds kPeriod{10'000};
  std::vector<std::int64_t> took;
  took.reserve(4'000'000);
  const std::string lp = "LP1";
  std::uint64_t n = 0;
  std::uint64_t queued = 0;
  for (; n < 10'000; ++n) queued += running.send("LP1", n).is_queued() ? 1U : 0U;
  const std::uint64_t allocations = allocations_of_this_thread();
  auto next = SteadyClock::now();
  for (auto _ : state) {
    next += kPeriod;
    while (SteadyClock::now() < next) {
    }
    const Timestamp time = std::chrono::system_clock::now();
    const auto begin = SteadyClock::now();
    const LpQuoteResult result = running.send(lp, n, time);
    const auto end = SteadyClock::now();
    queued += result.is_queued() ? 1U : 0U;
    ++n;
    const auto nanos = std::chrono::nanoseconds(end - begin).count();
    if (took.size() < took.capacity()) took.push_back(nanos);
    state.SetIterationTime(static_cast<double>(nanos) * 1e-9);
  }
  const std::uint64_t allocated = allocations_of_this_thread() - allocations;
  std::vector<std::int64_t> clock;
  for (int i = 0; i < 10'001; ++i) {
    const auto begin = SteadyClock::now();
    clock.push_back(std::chrono::nanoseconds(SteadyClock::now() - begin).count());
  }
  std::sort(took.begin(), took.end());
  std::sort(clock.begin(), clock.end());
  state.counters["p50_ns"] = at(took, 0.5);
  state.counters["p90_ns"] = at(took, 0.9);
  state.counters["p99_ns"] = at(took, 0.99);
  state.counters["clock_ns"] = at(clock, 0.5);
  state.counters["allocations"] = static_cast<double>(allocated);
  state.counters["dropped"] = static_cast<double>(n - queued);
  running.check(n, queued);
}
BENCHMARK(ProcessLpQuotePaced)->UseManualTime()->Iterations(500'000)->Unit(benchmark::kNanosecond);

/// As fast as it goes; what finds no room is dropped, which costs less.
void ProcessLpQuoteUnpaced(benchmark::State& state) {
  static std::unique_ptr<Running> running;
  static std::atomic<std::uint64_t> calls;
  static std::atomic<std::uint64_t> queued;
  if (state.thread_index() == 0) {
    running = std::make_unique<Running>();
    calls = queued = 0;
  }
  const std::string lp = "LP" + std::to_string(state.thread_index());
  std::uint64_t n = 0;
  std::uint64_t taken = 0;
  for (auto _ : state) taken += running->send(lp, n++).is_queued() ? 1U : 0U;
  calls += n;
  queued += taken;
  state.SetItemsProcessed(static_cast<std::int64_t>(n));
  state.counters["queued_share"] =
      benchmark::Counter(static_cast<double>(taken) / static_cast<double>(n), benchmark::Counter::kAvgThreads);
  if (state.thread_index() == 0) {
    while (calls < static_cast<std::uint64_t>(state.iterations()) * static_cast<std::uint64_t>(state.threads())) {
      std::this_thread::yield();
    }
    running->check(calls, queued);
    running.reset();
  }
}
BENCHMARK(ProcessLpQuoteUnpaced)->Threads(1)->Threads(16)->Iterations(50'000)->UseRealTime();

void ProcessLpQuoteOff(benchmark::State& state) {
  PipelineConfig config;
  config.enabled = false;
  Pipeline pipeline(config);
  IntegrationAdapter off(pipeline);
  IntegrationAdapter* adapter = &off;
  require(adapter->process_lp_quote("LP1", "EURUSD", 1.1, 1.2, Timestamp::none()).status == LpQuoteResult::Status::kOff,
          "off");
  for (auto _ : state) {
    benchmark::DoNotOptimize(adapter);
    benchmark::DoNotOptimize(
        adapter->process_lp_quote("LP1", "EURUSD", Price::from_units(1), Price::from_units(2), Timestamp::none()));
  }
}
BENCHMARK(ProcessLpQuoteOff);

void DecimalFromDouble(benchmark::State& state) {
  require(Decimal(1.16452).units() == 1'164'520'000, "decimal");
  double value = 1.16452;
  for (auto _ : state) {
    benchmark::DoNotOptimize(value);
    benchmark::DoNotOptimize(Decimal(value));
  }
}
BENCHMARK(DecimalFromDouble);

}  // namespace
}  // namespace tickpipe
