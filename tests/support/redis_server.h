#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/patience.h"
#include "support/process.h"

namespace tickpipe::internal::testing {

/// A port of this machine that nobody listened on a moment ago.
inline std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_bound = ::bind(descriptor, generic, size) == 0 && ::getsockname(descriptor, generic, &size) == 0;
  ::close(descriptor);
  if (!is_bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// A client of Redis that is not ours: hiredis. Every call throws when the connection fails.
class RedisClient {
 public:
  struct Reply {
    int type = REDIS_REPLY_NIL;
    long long integer = 0;
    std::string text;
    std::vector<Reply> elements;
  };

  explicit RedisClient(std::uint16_t port) : context_(connect(port)) {
    if (!context_ || context_->err != 0) throw std::runtime_error("no connection to Redis");
  }

  Reply operator()(const std::vector<std::string>& arguments) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& argument : arguments) {
      texts.push_back(argument.data());
      sizes.push_back(argument.size());
    }
    void* const reply = redisCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), sizes.data());
    if (reply == nullptr) throw std::runtime_error("Redis does not answer " + arguments.front());
    return take(reply);
  }
  /// What is pushed next to a subscriber; nothing when that takes longer than `timeout`, after which the client is of
  /// no use.
  std::optional<Reply> next(std::chrono::milliseconds timeout) {
    const timeval limit{timeout.count() / 1000, (timeout.count() % 1000) * 1000};
    redisSetTimeout(context_.get(), limit);
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) return std::nullopt;
    return take(reply);
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  static redisContext* connect(std::uint16_t port) {
    const timeval limit{5, 0};
    redisContext* const context = redisConnectWithTimeout("127.0.0.1", port, limit);
    if (context != nullptr && context->err == 0) redisSetTimeout(context, {kPatience.count(), 0});
    return context;
  }
  static Reply take(void* raw) {
    auto* const reply = static_cast<redisReply*>(raw);
    Reply copy = copied(*reply);
    freeReplyObject(raw);
    return copy;
  }
  static Reply copied(const redisReply& reply) {
    Reply copy;
    copy.type = reply.type;
    copy.integer = reply.integer;
    if (reply.str != nullptr) copy.text.assign(reply.str, static_cast<std::size_t>(reply.len));
    for (std::size_t i = 0; i < reply.elements; ++i) copy.elements.push_back(copied(*reply.element[i]));
    return copy;
  }

  std::unique_ptr<redisContext, Free> context_;
};

/// A real redis-server in a folder of its own, which keeps its files over restarts. Killed with its owner.
class RedisServer {
 public:
  static constexpr const char* kMissing = "redis-server is missing: Debian package redis-server";
  static bool is_installed() { return ::access(kProgram, X_OK) == 0; }

  /// `folder` exists. Without options it keeps nothing over a restart.
  explicit RedisServer(std::string folder, std::vector<std::string> options = {"--save", "", "--appendonly", "no"})
      : folder_(std::move(folder)), options_(std::move(options)), port_(free_port()) {
    start();
  }
  ~RedisServer() {
    if (process_) process_->signal(SIGCONT);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  void start() {
    std::vector<std::string> arguments = {kProgram, "--port", std::to_string(port_), "--bind", "127.0.0.1",
                                          "--dir",  folder_,  "--daemonize",         "no",     "--enable-debug-command",
                                          "yes"};
    arguments.insert(arguments.end(), options_.begin(), options_.end());
    process_ = std::make_unique<Process>(arguments, folder_ + "/redis");
    const bool is_up = eventually([this] { return answers(); });
    if (!is_up) throw std::runtime_error("redis-server does not start: " + process_->out());
  }
  /// SIGKILL: what it has not written to its files is lost.
  void kill() {
    process_->signal(SIGCONT);
    process_->signal(SIGKILL);
    process_->wait();
    process_.reset();
  }
  void pause() { process_->signal(SIGSTOP); }
  void resume() { process_->signal(SIGCONT); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] RedisClient client() const { return RedisClient(port_); }
  RedisClient::Reply run(const std::vector<std::string>& command) const { return client()(command); }

 private:
  static constexpr const char* kProgram = "/usr/bin/redis-server";

  [[nodiscard]] bool answers() const {
    try {
      const auto reply = RedisClient(port_)({"PING"});
      return reply.text == "PONG" || reply.text.find("NOAUTH") == 0;  // with its data loaded
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  const std::string folder_;
  const std::vector<std::string> options_;
  const std::uint16_t port_;
  std::unique_ptr<Process> process_;
};

}  // namespace tickpipe::internal::testing
