#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "redis/redis_commands.h"
#include "redis/redis_connection.h"

namespace tickpipe::internal {

/// Redis understands, but refuses: it is out of memory, a replica, ... Nothing of the transaction was carried out.
class RedisRefusal final : public RedisError {
 public:
  using RedisError::RedisError;
};

/// Commands between MULTI and EXEC: all are carried out, or none, and nothing in between.
///
/// Threads: one. Keeps its memory from run to run.
class RedisTransaction {
 public:
  using Take = std::function<void(RedisReply&&)>;

  RedisTransaction() { clear(); }

  /// What follows is one command more; add it to the commands returned.
  RedisCommands& command() { return commands_; }
  /// The reply of the command that was added last goes to `take`, if the transaction was carried out. An error reply of
  /// a command without one is ignored.
  void on_reply(Take take) { takes_.emplace_back(commands_.count() - 2, std::move(take)); }

  [[nodiscard]] std::size_t bytes() const noexcept { return commands_.bytes().size(); }
  /// Whether there is nothing in it.
  [[nodiscard]] bool empty() const noexcept { return commands_.count() == 1; }

  /// Carries it out, then is empty. Throws RedisRefusal or RedisError.
  void run(RedisConnection& connection);
  void clear();

 private:
  RedisCommands commands_;
  std::vector<std::pair<std::size_t, Take>> takes_;
};

}  // namespace tickpipe::internal
