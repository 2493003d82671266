#include "app/bench_redis.h"

#include <algorithm>

#include "core/error.h"
#include "pipeline/redis_parts.h"

namespace tickpipe::internal {
namespace {

constexpr std::chrono::milliseconds kLookEvery{20};
constexpr std::chrono::seconds kPatience{60};

}  // namespace

BenchRedis::BenchRedis(const PipelineConfig& config, Pipeline& pipeline)
    : view_(
          {.timeframes = pipeline.timeframes(),
           .hot_ticks = config.hot_data_retention,
           .calendar_of = [&pipeline](SymbolId symbol) -> const TradingCalendar& { return pipeline.calendar(symbol); },
           .history = pipeline.history()}),
      sink_(make_redis_sink(config, pipeline, view_, log_)) {
  if (!sink_) throw ConfigError("--store redis: needs a Redis; add --set redis_addr=localhost:6379");
  pipeline.add_listener(view_);
  pipeline.add_listener(sink_->listener());
}

BenchRedis::~BenchRedis() = default;

void BenchRedis::start() {
  sink_->start();
  watch_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      longest_lag_ = std::max(longest_lag_, sink_->status().lag);
      std::this_thread::sleep_for(kLookEvery);
    }
  });
}

void BenchRedis::finish() {
  const auto start = std::chrono::steady_clock::now();
  watch_ = {};  // which ends it
  sink_->stop(kPatience);
  catch_up_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const SinkStatus status = sink_->status();
  if (status.lag_commits != 0) throw Error("Redis has not got everything: " + status.detail);
}

std::vector<std::pair<std::string, double>> BenchRedis::figures() const {
  std::vector<std::pair<std::string, double>> figures = {
      {"redis_longest_lag_ms", std::chrono::duration<double, std::milli>(longest_lag_).count()},
      {"redis_catch_up_seconds", catch_up_seconds_}};
  for (const auto& [name, value] : sink_->status().counters) {
    figures.emplace_back("redis_" + name, static_cast<double>(value));
  }
  return figures;
}

}  // namespace tickpipe::internal
