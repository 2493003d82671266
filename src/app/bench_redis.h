#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/log.h"
#include "pipeline/pipeline.h"
#include "publish/market_view.h"
#include "redis/redis_sink.h"

namespace tickpipe::internal {

/// The Redis sink of a benchmark, watched while it follows the pipeline.
class BenchRedis {
 public:
  /// Listens to the pipeline, which outlives it. Throws ConfigError without a configured Redis.
  BenchRedis(const PipelineConfig& config, Pipeline& pipeline);
  ~BenchRedis();
  BenchRedis(const BenchRedis&) = delete;
  BenchRedis& operator=(const BenchRedis&) = delete;

  void start();
  /// Once the pipeline has stopped: waits until Redis has everything. Throws Error when it does not get there.
  void finish();
  /// Names and values for the report.
  [[nodiscard]] std::vector<std::pair<std::string, double>> figures() const;

 private:
  NullLog log_;
  MarketView view_;
  std::unique_ptr<RedisSink> sink_;
  std::chrono::nanoseconds longest_lag_{0};
  double catch_up_seconds_ = 0;
  std::jthread watch_;
};

}  // namespace tickpipe::internal
