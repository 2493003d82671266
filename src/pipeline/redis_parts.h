#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/log.h"
#include "model/market_data.h"
#include "pipeline/pipeline.h"
#include "pipeline/pipeline_config.h"
#include "redis/redis_settings.h"
#include "redis/redis_sink.h"

namespace tickpipe::internal {

/// Where Redis is. Throws ConfigError.
RedisSettings redis_settings(const PipelineConfig& config);

/// What was committed after a position; nothing when retention has removed some of it, or when there is so much that
/// writing all keys again is faster. Throws Error.
std::optional<ChangesSince> changes_since(const EmbeddedStore& store, const std::vector<Timeframe>& timeframes,
                                          Position position);

/// The sink that the configuration asks for; null without one. All outlive it. Throws ConfigError.
std::unique_ptr<RedisSink> make_redis_sink(const PipelineConfig& config, Pipeline& pipeline, const MarketData& market,
                                           Log& log);

}  // namespace tickpipe::internal
