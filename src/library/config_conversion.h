#pragma once

#include <tickpipe/pipeline_config.h>

#include <vector>

#include "pipeline/pipeline_config.h"
#include "pipeline/server.h"

namespace tickpipe::internal {

/// The same settings as the rest of the library knows them. Throws ConfigError, naming the key, for a value that the
/// configuration file could not have either.
PipelineConfig checked_config(const tickpipe::PipelineConfig& config);

/// Throws ConfigError.
std::vector<ConfiguredFeed> checked_feeds(const tickpipe::PipelineConfig& config);

}  // namespace tickpipe::internal
