#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/http_client.h"
#include "support/patience.h"
#include "support/process.h"
#include "support/tickpipe_fixture.h"

namespace tickpipe::internal::testing {

/// `tickpipe serve` as a process of its own, killed with its owner.
class RunningServer {
 public:
  RunningServer(std::vector<std::string> arguments, const std::string& files,
                const std::vector<std::string>& environment)
      : process_(std::move(arguments), files, "/dev/null", environment) {}

  /// Waits until it has told its port. Throws with its log when it ends instead.
  void wait_until_listening() {
    const bool is_listening = eventually([this] { return find_port() || has_ended(); });
    if (!is_listening || port_ == 0) throw std::runtime_error("the server does not listen: " + log());
  }
  /// Waits until it takes quotes.
  void wait_until_ready() {
    wait_until_listening();
    const bool is_ready = eventually([this] { return get("/readyz").status == 200 || has_ended(); });
    if (!is_ready || has_ended()) throw std::runtime_error("the server does not get ready: " + log());
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] HttpClient connect() const {
    HttpClient client(port_);
    client.patience = kPatience;
    return client;
  }

  /// One request on a connection of its own; status 0 when no answer came.
  [[nodiscard]] HttpReply get(std::string_view target, std::string_view headers = {}) const {
    return connect().get(target, headers).value_or(HttpReply{});
  }
  [[nodiscard]] HttpReply post(std::string_view target, std::string_view body,
                               std::string_view headers = "Content-Type: application/json\r\n") const {
    return connect().post(target, body, headers).value_or(HttpReply{});
  }
  /// The JSON of an answer that must be 200.
  [[nodiscard]] nlohmann::json json(std::string_view target) const {
    const HttpReply reply = get(target);
    EXPECT_EQ(reply.status, 200) << target << ": " << reply.body;
    auto value = nlohmann::json::parse(reply.body, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << target << ": " << reply.body;
    return value;
  }
  [[nodiscard]] nlohmann::json ingest(std::string_view body, bool is_historical = false) const {
    const HttpReply reply = post(is_historical ? "/api/ingest?historical=true" : "/api/ingest", body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return nlohmann::json::parse(reply.body, nullptr, false);
  }

  void signal(int number) const { process_.signal(number); }
  /// Whether it has ended by itself; its status is still to be fetched.
  [[nodiscard]] bool has_ended() const {
    if (status_) return true;
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(process_.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }
  /// Waits for its end; -1 if it does not end.
  int wait() {
    if (!status_) {
      if (!eventually([this] { return has_ended(); })) return -1;
      status_ = process_.wait();
    }
    return *status_;
  }
  /// Ends it gracefully, which must work.
  void stop(int number = SIGTERM) {
    signal(number);
    EXPECT_EQ(wait(), 0) << log();
  }
  void kill() {
    signal(SIGKILL);
    EXPECT_EQ(wait(), 128 + SIGKILL) << log();
  }

  [[nodiscard]] std::string log() const { return process_.err(); }
  [[nodiscard]] std::string out() const { return process_.out(); }
  [[nodiscard]] bool has_logged(std::string_view text) const { return log().find(text) != std::string::npos; }
  [[nodiscard]] bool logs(std::string_view text) const {
    return eventually([&] { return has_logged(text); });
  }

 private:
  bool find_port() {
    constexpr std::string_view kBefore = "[API] Listening on http://";
    const std::string text = log();
    const std::size_t line = text.find(kBefore);
    const std::size_t end = text.find('\n', line);
    if (line == std::string::npos || end == std::string::npos) return false;
    port_ = static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':', end) + 1)));
    return true;
  }

  Process process_;
  std::uint16_t port_ = 0;
  std::optional<int> status_;
};

/// Runs the real server, by default on a free port, over data() and without a feed.
class ServerTest : public TickpipeTest {
 protected:
  /// A server that takes quotes. Without `--feed` or `--config` among the options there is no feed.
  std::unique_ptr<RunningServer> serve(const std::vector<std::string>& options = {},
                                       const std::vector<std::string>& environment = {}) {
    auto server = spawn(options, environment);
    server->wait_until_ready();
    return server;
  }
  /// One with this configuration. Its feeds count.
  std::unique_ptr<RunningServer> serve_with(const std::string& config) {
    return serve({"--config", file("server.json", config)});
  }
  /// One that may end by itself.
  std::unique_ptr<RunningServer> spawn(const std::vector<std::string>& options,
                                       const std::vector<std::string>& environment = {}) {
    std::vector<std::string> arguments = {TICKPIPE_EXECUTABLE, "serve"};
    const auto has = [&options](const char* name) {
      return std::find(options.begin(), options.end(), name) != options.end();
    };
    if (!has("--data-dir")) arguments.insert(arguments.end(), {"--data-dir", data()});
    if (!has("--port")) arguments.insert(arguments.end(), {"--port", "0"});
    if (!has("--feed") && !has("--config")) arguments.insert(arguments.end(), {"--feed", "none"});
    arguments.insert(arguments.end(), options.begin(), options.end());
    return std::make_unique<RunningServer>(std::move(arguments), folder_ / "server" + std::to_string(++servers_),
                                           environment);
  }
  /// Runs one that must end by itself.
  Result serve_and_end(const std::vector<std::string>& options, const std::vector<std::string>& environment = {}) {
    const auto server = spawn(options, environment);
    Result result;
    result.status = server->wait();
    result.out = server->out();
    result.err = server->log();
    return result;
  }

 private:
  int servers_ = 0;
};

/// The members of a flat JSON object as they were written, texts without quotes: so prices can be compared digit for
/// digit. Values must hold no escapes, braces or commas.
using RawMembers = std::map<std::string, std::string>;

/// Splits an array of flat objects.
inline std::vector<RawMembers> raw_objects(std::string_view text) {
  std::vector<RawMembers> objects;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at)) {
    const std::size_t end = text.find('}', at);
    std::string_view rest = text.substr(at + 1, end - at - 1);
    RawMembers& members = objects.emplace_back();
    while (!rest.empty()) {
      const std::size_t name_end = rest.find("\":");
      const std::string name(rest.substr(1, name_end - 1));
      rest.remove_prefix(name_end + 2);
      const std::size_t list_end = rest.starts_with('[') ? rest.find(']') : 0;
      std::string_view value = rest.substr(0, rest.find(',', list_end));
      rest.remove_prefix(std::min(value.size() + 1, rest.size()));
      if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
      members[name] = value;
    }
    at = end;
  }
  return objects;
}

/// All quotes of a symbol, page after page.
inline std::vector<RawMembers> whole_history(const RunningServer& server, const std::string& symbol, int page) {
  std::vector<RawMembers> quotes;
  HttpClient client = server.connect();
  std::string target = "/api/quotes/history/" + symbol + "?order=asc&limit=" + std::to_string(page);
  while (!target.empty()) {
    const auto reply = client.get(target);
    if (!reply || reply->status != 200) {
      ADD_FAILURE() << target << ": " << (reply ? reply->body : "no answer");
      break;
    }
    for (RawMembers& quote : raw_objects(reply->body)) quotes.push_back(std::move(quote));
    const std::string link = reply->header("link");
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  return quotes;
}

}  // namespace tickpipe::internal::testing
