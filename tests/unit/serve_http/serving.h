#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"
#include "serve/http_server.h"
#include "support/http_client.h"

namespace tickpipe::internal::testing {

/// Answers with what it was asked: `METHOD-NUMBER TARGET BODY-SIZE`, or as the test says.
class EchoHandler final : public HttpHandler {
 public:
  void handle(HttpRequest&& request, Respond respond) override {
    std::function<void(HttpRequest&&, Respond)> act;
    {
      const std::lock_guard lock(mutex_);
      act = act_;
    }
    if (act) return act(std::move(request), std::move(respond));
    respond(echo(request));
  }
  void will(std::function<void(HttpRequest&&, Respond)> act) {
    const std::lock_guard lock(mutex_);
    act_ = std::move(act);
  }
  static HttpResponse echo(const HttpRequest& request) {
    HttpResponse response;
    response.body = std::to_string(static_cast<int>(request.method)) + ' ' + request.target + ' ' +
                    std::to_string(request.body.size());
    return response;
  }

 private:
  std::mutex mutex_;
  std::function<void(HttpRequest&&, Respond)> act_;
};

/// Keeps requests unanswered until the test takes their Respond.
class Parking {
 public:
  std::function<void(HttpRequest&&, Respond)> act() {
    return [this](HttpRequest&&, Respond respond) {
      const std::lock_guard lock(mutex_);
      parked_.push_back(std::move(respond));
      arrived_.notify_all();
    };
  }
  /// The next parked request, or an empty function after the patience of a test.
  Respond take() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return !parked_.empty(); })) return {};
    Respond first = std::move(parked_.front());
    parked_.erase(parked_.begin());
    return first;
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return parked_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Respond> parked_;
};

/// Keeps lines for the test to look at.
class LineLog final : public Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*component*/, std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(message);
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// A server on a free port of 127.0.0.1 with an EchoHandler.
class ServingTest : public ::testing::Test {
 protected:
  ServingTest() {
    options_.port = 0;
    options_.threads = 2;
  }
  void serve() {
    server_.emplace(options_, handler_, log_);
    server_->start();
  }
  [[nodiscard]] HttpClient client() const { return HttpClient(server_->port()); }
  /// Waits until the server has noticed what the test did.
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 20'000; ++i) {
      if (condition()) return true;
      ::usleep(1000);
    }
    return false;
  }

  LineLog log_;
  EchoHandler handler_;
  HttpServer::Options options_;
  std::optional<HttpServer> server_;
};

}  // namespace tickpipe::internal::testing
