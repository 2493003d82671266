#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "redis/redis_settings.h"

namespace tickpipe::internal {

/// Opens connections to a Redis server, or to the master that sentinels name.
/// Threads: interrupt() any; open() one.
class RedisConnector {
 public:
  enum class For { kWriting, kReading };

  explicit RedisConnector(RedisSettings settings);

  /// A connection that is authenticated and has its database selected; `name` is what CLIENT LIST shows. For writing it
  /// must be to a master. Throws RedisError.
  std::shared_ptr<RedisConnection> open(For purpose, const std::string& name);

  /// Everything that waits in a connection of this connector throws, now and in future.
  void interrupt();

 private:
  std::shared_ptr<RedisConnection> connect(const RedisEndpoint& endpoint);
  RedisEndpoint ask_sentinels();
  RedisEndpoint ask_sentinel(const RedisEndpoint& sentinel);

  const RedisSettings settings_;
  std::mutex mutex_;  ///< guards what follows
  bool is_interrupted_ = false;
  std::vector<std::weak_ptr<RedisConnection>> connections_;
};

}  // namespace tickpipe::internal
