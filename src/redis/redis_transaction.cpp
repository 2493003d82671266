#include "redis/redis_transaction.h"

#include <string>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

std::string explained(const RedisReply& error) {
  const std::string text = safe_text(error.text, 160);
  if (error.is_error("OOM")) {
    return "Redis is out of memory (" + text + "); raise its maxmemory";
  }
  if (error.is_error("READONLY")) {
    return "Redis is a read-only replica; set redis_addr to its master, or redis_sentinels and redis_master";
  }
  if (error.is_error("NOPERM")) return "Redis does not allow what the sink needs, see docs/redis.md (" + text + ")";
  if (error.is_error("MISCONF")) return "Redis cannot save its data and takes no writes (" + text + ")";
  return "Redis refuses a transaction: " + text;
}

}  // namespace

void RedisTransaction::clear() {
  commands_.clear();
  takes_.clear();
  commands_.add("MULTI");
}

void RedisTransaction::run(RedisConnection& connection) {
  commands_.add("EXEC");
  const std::size_t last = commands_.count() - 1;
  RedisReply refusal;
  RedisReply result;
  connection.exchange(commands_, [&](std::size_t index, RedisReply&& reply) {
    if (index == last) {
      result = std::move(reply);
    } else if (reply.is_error() && !refusal.is_error()) {
      refusal = std::move(reply);
    }
  });
  if (refusal.is_error() || result.type != RedisReply::Type::kArray) {
    clear();
    if (refusal.is_error()) throw RedisRefusal(explained(refusal));
    throw RedisRefusal(result.is_error() ? explained(result) : "Redis carried out no transaction");
  }
  for (auto& [index, take] : takes_) {
    if (index < result.elements.size()) take(std::move(result.elements[index]));
  }
  clear();
}

}  // namespace tickpipe::internal
