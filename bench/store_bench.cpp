#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench_quotes.h"
#include "store/chunk_codec.h"

namespace tickpipe::internal {
namespace {

using bench::make_quotes;
using bench::require;

std::vector<StoredTick> make_ticks(std::size_t count) {
  std::vector<StoredTick> ticks;
  for (const Quote& quote : make_quotes(count)) {
    auto& [tick, position] = ticks.emplace_back();
    position.value = 1 + ticks.size() / 3;
    tick.ts_event = quote.ts_event;
    tick.ts_recv = quote.ts_recv;
    tick.bid = quote.bid;
    tick.ask = quote.ask;
    tick.seq = ticks.size();
  }
  return ticks;
}

void EncodeChunk(benchmark::State& state) {
  const auto ticks = make_ticks(1024);
  std::string bytes;
  encode_chunk(ticks, bytes);
  std::vector<StoredTick> back;
  decode_chunk(bytes, SymbolId{}, Position{}, back);
  require(back == ticks, "chunk");
  state.counters["bytes_per_tick"] = static_cast<double>(bytes.size()) / static_cast<double>(ticks.size());
  for (auto _ : state) {
    bytes.clear();
    encode_chunk(ticks, bytes);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(ticks.size()));
}
BENCHMARK(EncodeChunk);

void DecodeChunk(benchmark::State& state) {
  const auto ticks = make_ticks(1024);
  std::string bytes;
  encode_chunk(ticks, bytes);
  std::vector<StoredTick> back;
  for (auto _ : state) {
    back.clear();
    decode_chunk(bytes, SymbolId{}, Position{}, back);
    benchmark::DoNotOptimize(back.data());
  }
  require(back == ticks, "chunk");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(ticks.size()));
}
BENCHMARK(DecodeChunk);

}  // namespace
}  // namespace tickpipe::internal
