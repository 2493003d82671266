// What it costs to mirror each tick by itself into Redis, the plain way: one pipelined connection, for each tick the
// same commands. The sink of tickpipe is measured against it with `tickpipe bench --store redis`.
//
// TICKPIPE_BENCH_REDIS=127.0.0.1:6379 names a Redis that may be overwritten.

#include <benchmark/benchmark.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

namespace tickpipe::internal::bench {
namespace {

constexpr int kSymbols = 50;
constexpr int kKept = 1'000;
constexpr int kInFlight = 1'000;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

Context connect() {
  const char* const address = std::getenv("TICKPIPE_BENCH_REDIS");
  if (address == nullptr) return nullptr;
  const std::string text = address;
  const std::size_t colon = text.rfind(':');
  Context context(redisConnect(text.substr(0, colon).c_str(), std::stoi(text.substr(colon + 1))));
  return context && context->err == 0 ? std::move(context) : nullptr;
}

std::string quote_json(const std::string& symbol, long seq, long ms) {
  const std::string time = "2026-01-15T10:00:00." + std::to_string(100'000'000 + ms % 100'000'000) + "Z";
  return R"({"symbol":")" + symbol + R"(","bid":1.17363,"ask":1.17367,"spread":0.00004,"timestamp":")" + time +
         R"(","source":"SIM","tick_id":")" + symbol + "-" + std::to_string(seq) + R"(","seq":)" + std::to_string(seq) +
         R"(,"received_at":")" + time + "\"}";
}

void mirror_each_tick(benchmark::State& state) {
  const Context context = connect();
  if (!context) {
    state.SkipWithError("TICKPIPE_BENCH_REDIS names no Redis that answers, as in 127.0.0.1:6379");
    return;
  }
  freeReplyObject(redisCommand(context.get(), "FLUSHALL"));
  long ticks = 0;
  int waiting = 0;
  const auto collect = [&] {
    for (; waiting > 0; --waiting) {
      void* reply = nullptr;
      if (redisGetReply(context.get(), &reply) != REDIS_OK) return false;
      freeReplyObject(reply);
    }
    return true;
  };
  for (auto _ : state) {
    const std::string symbol = "SYM" + std::to_string(ticks % kSymbols);
    const std::string json = quote_json(symbol, ticks / kSymbols + 1, ticks / kSymbols);
    redisAppendCommand(context.get(), "ZADD ticks:%s %ld %b", symbol.c_str(), ticks / kSymbols, json.data(),
                       json.size());
    redisAppendCommand(context.get(), "ZREMRANGEBYRANK ticks:%s 0 %d", symbol.c_str(), -1 - kKept);
    redisAppendCommand(context.get(), "SET tick:latest:%s %b EX 3600", symbol.c_str(), json.data(), json.size());
    redisAppendCommand(context.get(), "PUBLISH quotes %b", json.data(), json.size());
    redisAppendCommand(context.get(), "PUBLISH quotes:%s %b", symbol.c_str(), json.data(), json.size());
    waiting += 5;
    ++ticks;
    if (waiting >= 5 * kInFlight && !collect()) {
      state.SkipWithError("Redis does not answer");
      return;
    }
  }
  collect();
  auto* const reply = static_cast<redisReply*>(redisCommand(context.get(), "ZCARD ticks:SYM0"));
  const long long kept = reply != nullptr ? reply->integer : -1;
  freeReplyObject(reply);
  const long long wanted = std::min<long long>(kKept, (ticks + kSymbols - 1) / kSymbols);
  if (kept != wanted) state.SkipWithError("Redis does not hold what was written");
  state.SetItemsProcessed(ticks);
}
BENCHMARK(mirror_each_tick)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tickpipe::internal::bench
