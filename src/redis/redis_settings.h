#pragma once

#include <optional>
#include <string>
#include <vector>

#include "redis/redis_connection.h"

namespace tickpipe::internal {

/// Where Redis is and how to come in.
struct RedisSettings {
  RedisEndpoint address;  ///< not used with sentinels
  std::string username;   ///< empty = the default user
  std::string password;   ///< empty = none is sent
  int database = 0;
  std::vector<RedisEndpoint> sentinels;  ///< empty = a single server
  std::string master_name;               ///< as the sentinels know it
  RedisConnection::Options connection;
};

}  // namespace tickpipe::internal
