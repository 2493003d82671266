#include "redis/redis_connector.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

[[noreturn]] void fail(const RedisConnection& connection, const std::string& what) {
  throw RedisError("Redis at " + to_string(connection.endpoint()) + ": " + what);
}

void authenticate(RedisConnection& connection, const RedisSettings& settings) {
  if (settings.password.empty() && settings.username.empty()) return;
  RedisCommands commands;
  if (settings.username.empty()) {
    commands.add("AUTH", settings.password);
  } else {
    commands.add("AUTH", settings.username, settings.password);
  }
  const RedisReply reply = connection.call(commands);
  if (!reply.is_error()) return;
  fail(connection, "it refuses redis_username and redis_password: " + safe_text(reply.text, 128));
}

void select(RedisConnection& connection, const RedisSettings& settings) {
  RedisCommands commands;
  commands.add("SELECT", settings.database);
  const RedisReply reply = connection.call(commands);
  if (reply.is_error("NOAUTH")) fail(connection, "it wants a password; set redis_password");
  if (reply.is_error()) fail(connection, "redis_db cannot be selected: " + safe_text(reply.text, 128));
}

void demand_master(RedisConnection& connection) {
  RedisCommands commands;
  commands.add("ROLE");
  const RedisReply reply = connection.call(commands);
  // Who may not ask finds out with the first write.
  if (reply.elements.empty() || reply.elements[0].text == "master") return;
  fail(connection, "it is a read-only replica; set redis_addr to its master, or redis_sentinels and redis_master");
}

}  // namespace

RedisConnector::RedisConnector(RedisSettings settings) : settings_(std::move(settings)) {}

std::shared_ptr<RedisConnection> RedisConnector::connect(const RedisEndpoint& endpoint) {
  auto connection = std::make_shared<RedisConnection>(endpoint, settings_.connection);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(connections_, [](const auto& each) { return each.expired(); });
    connections_.push_back(connection);
    if (is_interrupted_) connection->interrupt();
  }
  connection->connect();
  return connection;
}

std::shared_ptr<RedisConnection> RedisConnector::open(For purpose, const std::string& name) {
  auto connection = connect(settings_.sentinels.empty() ? settings_.address : ask_sentinels());
  authenticate(*connection, settings_);
  select(*connection, settings_);
  if (purpose == For::kWriting) demand_master(*connection);
  RedisCommands commands;
  commands.add("CLIENT", "SETNAME", name);
  connection->call(commands);  // for whoever looks; it may be forbidden
  return connection;
}

RedisEndpoint RedisConnector::ask_sentinels() {
  std::string failures;
  for (const RedisEndpoint& sentinel : settings_.sentinels) {
    try {
      return ask_sentinel(sentinel);
    } catch (const RedisError& error) {
      failures.append(failures.empty() ? "" : "; ").append(error.what());
    }
  }
  throw RedisError("no sentinel names the master " + safe_text(settings_.master_name) + ": " + failures);
}

RedisEndpoint RedisConnector::ask_sentinel(const RedisEndpoint& sentinel) {
  const auto connection = connect(sentinel);
  RedisCommands commands;
  commands.add("SENTINEL", "get-master-addr-by-name", settings_.master_name);
  const RedisReply reply = connection->call(commands);
  if (reply.is_error()) fail(*connection, safe_text(reply.text, 128));
  if (reply.elements.size() != 2) fail(*connection, "it does not know this master");
  RedisEndpoint master;
  master.host = reply.elements[0].text;
  const std::string& port = reply.elements[1].text;
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), master.port);
  if (ec != std::errc{} || end != port.data() + port.size()) fail(*connection, "it names no port of the master");
  return master;
}

void RedisConnector::interrupt() {
  const std::lock_guard lock(mutex_);
  is_interrupted_ = true;
  for (const auto& each : connections_) {
    if (const auto connection = each.lock()) connection->interrupt();
  }
}

}  // namespace tickpipe::internal
