#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "redis/redis_commands.h"
#include "redis/redis_error.h"
#include "redis/redis_reply.h"

namespace tickpipe::internal {

struct RedisEndpoint {
  std::string host;  ///< a name or an address; IPv6 without brackets
  std::uint16_t port = 6379;
  friend bool operator==(const RedisEndpoint&, const RedisEndpoint&) = default;
};

/// `host:port` or `[v6]:port`. Nothing when it is neither.
std::optional<RedisEndpoint> parse_redis_endpoint(std::string_view text);
std::string to_string(const RedisEndpoint& endpoint);

/// One connection to a Redis server, used by one thread, which waits.
///
/// Errors:  RedisError, after which the connection is of no use any more. What was sent before may or may not have been
///          carried out.
/// Signals: never raises SIGPIPE.
/// Threads: interrupt() any; the rest one.
class RedisConnection {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{3000};
    /// It is taken for dead when something is awaited and no byte moves for so long.
    std::chrono::milliseconds idle_timeout{5000};
    bool uses_tls = false;
    std::string ca_file;  ///< whom to trust with TLS; empty = whom the system trusts
  };

  /// Not connected yet.
  RedisConnection(RedisEndpoint endpoint, Options options);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  /// Once. Throws RedisError.
  void connect();

  /// Sends all commands, and hands each reply to `take` with the index of its command; errors of Redis are replies too.
  /// Replies are read while it still sends. What `take` throws leaves the connection unusable.
  void exchange(const RedisCommands& commands, const std::function<void(std::size_t, RedisReply&&)>& take);
  /// The reply to a single command.
  RedisReply call(const RedisCommands& command);

  /// For a subscriber: sends without waiting for replies.
  void send(const RedisCommands& commands);
  /// The next reply or pushed message; nothing when none came in time.
  std::optional<RedisReply> receive(std::chrono::nanoseconds timeout);

  /// From now on everything that waits throws. Any thread.
  void interrupt();

  [[nodiscard]] const RedisEndpoint& endpoint() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
