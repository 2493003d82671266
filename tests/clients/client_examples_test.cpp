// The clients in examples/clients/, as a user would run them, against a real server.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

std::string quotes(const std::string& symbol, int count, int first) {
  std::string body;
  for (int i = 0; i < count; ++i) {
    const std::string price = std::to_string(first + i);
    body += R"({"symbol":")" + symbol + R"(","bid":1.17)" + price + R"(,"ask":2.5,"lp":"LP1","timestamp_ns":)" +
            std::to_string(wall_clock().ns + i) + "}\n";
  }
  return body;
}

void put(const RunningServer& server, const std::string& body) {
  const auto answer = server.ingest(body);
  EXPECT_EQ(answer.at("rejected"), 0) << answer;
}

bool has_ended(const Process& process) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

class ClientExamplesTest : public ServerTest, public ::testing::WithParamInterface<const char*> {
 protected:
  /// Skips the test, and says so, when what the example needs is not installed.
  void SetUp() override {
    const std::string language = GetParam();
    if (language == "JavaScript") {
      for (const char* folder :
           {"/usr/share/nodejs/ws", "/usr/lib/node_modules/ws", "/usr/local/lib/node_modules/ws"}) {
        if (std::filesystem::exists(folder)) module_ = folder;
      }
      if (!succeeds({"/usr/bin/env", "node", "--version"})) GTEST_SKIP() << "node is missing: Debian package nodejs";
      if (module_.empty()) GTEST_SKIP() << "the module ws of node is missing: Debian package node-ws";
    } else if (language == "Python" && !succeeds({"/usr/bin/python3", "-c", "import websockets"})) {
      GTEST_SKIP() << "the module websockets of python3 is missing: Debian package python3-websockets";
    }
  }

  std::unique_ptr<Process> run_client(std::uint16_t port, const std::string& mode, std::size_t count,
                                      const std::vector<std::string>& symbols) {
    const std::string language = GetParam();
    std::vector<std::string> arguments;
    if (language == "C++") {
      arguments = {TICKPIPE_EXAMPLE_QUOTES, "127.0.0.1", std::to_string(port), mode, std::to_string(count)};
    } else {
      arguments = {"/usr/bin/python3", TICKPIPE_EXAMPLES "/quotes.py"};
      if (language == "JavaScript") {
        // Modules are looked for beside the script, where `npm install` puts them.
        std::filesystem::create_directories(folder_ / "node_modules");
        std::filesystem::create_directory_symlink(module_, folder_ / "node_modules/ws");
        std::filesystem::copy_file(TICKPIPE_EXAMPLES "/quotes.mjs", folder_ / "quotes.mjs");
        arguments = {"/usr/bin/env", "node", folder_ / "quotes.mjs"};
      }
      arguments.insert(arguments.end(), {"--url", "ws://127.0.0.1:" + std::to_string(port) + "/ws", "--mode", mode,
                                         "--count", std::to_string(count)});
    }
    arguments.insert(arguments.end(), symbols.begin(), symbols.end());
    return std::make_unique<Process>(arguments, folder_ / "client");
  }
  /// Waits until the client ends, which it must do in order.
  static void expect_success(Process& client) {
    ASSERT_TRUE(eventually([&] { return has_ended(client); })) << client.out() << client.err();
    EXPECT_EQ(client.wait(), 0) << client.err();
  }
  static bool prints(const Process& client, std::size_t lines) {
    return eventually([&] { return lines_of(client.out()).size() >= lines || has_ended(client); }) &&
           lines_of(client.out()).size() >= lines;
  }
  /// The lines of a symbol, as the server's history of it makes them.
  static std::vector<std::string> expected(const RunningServer& server, const std::string& symbol) {
    std::vector<std::string> lines;
    for (RawMembers& quote : whole_history(server, symbol, 1'000)) {
      lines.push_back(symbol + " " + quote["seq"] + " " + quote["bid"] + " " + quote["ask"] + " " +
                      (lines.empty() ? "snapshot" : "skipped=0"));
    }
    return lines;
  }
  static std::vector<std::string> printed(const Process& client, const std::string& symbol) {
    std::vector<std::string> lines = lines_of(client.out());
    std::erase_if(lines, [&](const std::string& line) { return !line.starts_with(symbol + " "); });
    return lines;
  }

 private:
  bool succeeds(std::vector<std::string> arguments) {
    Process process(std::move(arguments), folder_ / "probe");
    return process.wait() == 0;
  }

  std::string module_;
};

TEST_P(ClientExamplesTest, PrintsEveryQuote) {
  const auto server = serve();
  put(*server, quotes("EURUSD", 1, 100));
  const auto client = run_client(server->port(), "all", 101, {"EURUSD", "NEWONE"});
  ASSERT_TRUE(prints(*client, 1)) << client->err();
  for (int i = 0; i < 5; ++i) {
    put(*server, quotes("EURUSD", 10, 101 + i * 10) + quotes("NEWONE", 10, 101 + i * 10));
  }
  expect_success(*client);
  for (const char* symbol : {"EURUSD", "NEWONE"}) EXPECT_EQ(printed(*client, symbol), expected(*server, symbol));
  server->stop();
}

TEST_P(ClientExamplesTest, GoesOnWithoutAHoleAfterARestartOfTheServer) {
  auto server = serve();
  const std::uint16_t port = server->port();
  put(*server, quotes("EURUSD", 1, 100) + quotes("GBPUSD", 1, 100));
  const auto client = run_client(port, "all", 42, {"EURUSD", "GBPUSD"});
  ASSERT_TRUE(prints(*client, 2)) << client->err();
  put(*server, quotes("EURUSD", 10, 101));
  ASSERT_TRUE(prints(*client, 12)) << client->err();
  server->stop();
  server = serve();  // where the client does not look
  ASSERT_NE(server->port(), port);
  put(*server, quotes("EURUSD", 10, 201) + quotes("GBPUSD", 10, 201));
  server->stop();
  server = serve({"--port", std::to_string(port)});
  ASSERT_TRUE(prints(*client, 32)) << client->err();
  put(*server, quotes("EURUSD", 5, 301) + quotes("GBPUSD", 5, 301));
  expect_success(*client);
  for (const char* symbol : {"EURUSD", "GBPUSD"}) EXPECT_EQ(printed(*client, symbol), expected(*server, symbol));
  server->stop();
}

TEST_P(ClientExamplesTest, SaysWhatIsWrongWithASymbol) {
  const auto server = serve();
  put(*server, quotes("EURUSD", 1, 100));
  const auto client = run_client(server->port(), "conflate", 1, {"EURUSD", "no symbol"});
  expect_success(*client);
  EXPECT_NE(client->err().find("bad_symbol"), std::string::npos) << client->err();
  server->stop();
}

INSTANTIATE_TEST_SUITE_P(Languages, ClientExamplesTest, ::testing::Values("JavaScript", "Python", "C++"),
                         [](const auto& language) {
                           return std::string(language.param) == "C++" ? std::string("Cpp") : language.param;
                         });

}  // namespace
}  // namespace tickpipe::internal::testing
