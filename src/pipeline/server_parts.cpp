#include "pipeline/server_parts.h"

#include "core/safe_text.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {

HttpServer::Options http_options(const PipelineConfig& config) {
  HttpServer::Options options;
  options.address = config.http.address;
  options.port = config.http.port;
  options.allow_insecure = config.http.allow_insecure;
  options.max_connections = config.http.max_connections;
  options.max_body_bytes = config.http.max_body_bytes;
  return options;
}

std::string http_address(const PipelineConfig& config, std::uint16_t port) {
  const bool is_v6 = config.http.address.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + config.http.address + "]" : config.http.address;
  return "http://" + safe_text(host) + ":" + std::to_string(port);
}

SystemStats::Streams stream_stats(const StreamHub& hub) {
  const StreamHub::Counters counters = hub.counters();
  return {.clients = counters.clients,
          .messages = counters.messages,
          .bytes = counters.bytes,
          .encoded = counters.encoded_ticks + counters.encoded_bars + counters.encoded_status,
          .encoded_missed = counters.encoded_missed,
          .overruns = counters.lost_quotes};
}

}  // namespace tickpipe::internal
