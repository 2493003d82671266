#pragma once

#include <cstdint>
#include <string>

#include "model/system_status.h"
#include "pipeline/pipeline_config.h"
#include "serve/http_server.h"

namespace tickpipe::internal {

class StreamHub;

/// What a node and an edge have in common.

HttpServer::Options http_options(const PipelineConfig& config);
/// Where it listens, as a link.
std::string http_address(const PipelineConfig& config, std::uint16_t port);
SystemStats::Streams stream_stats(const StreamHub& hub);

}  // namespace tickpipe::internal
