#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

/// A server of REST and streams that knows the market from Redis alone, where a node writes it. It takes no quotes in
/// and keeps nothing.
///
/// Life: construct, start(), stop(). Threads: all from one thread.
class EdgeServer {
 public:
  struct Options {
    std::string version;
    std::chrono::nanoseconds stats_interval = std::chrono::seconds{30};
  };

  /// `log` and `clock` outlive it. Throws ConfigError.
  EdgeServer(const PipelineConfig& config, Options options, Log& log, const Clock& clock);
  ~EdgeServer();
  EdgeServer(const EdgeServer&) = delete;
  EdgeServer& operator=(const EdgeServer&) = delete;

  /// Throws ConfigError or Error, naming the remedy, when it cannot listen. It does not wait for Redis.
  void start();
  /// Closes. Tells each step in the log. Idempotent.
  void stop();

  /// Takes over `stale_quote_threshold` and `live_tick_age`. The rest stays as it is until the next start.
  void reload(const PipelineConfig& config);

  /// To be called about once a second.
  void tick();

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
