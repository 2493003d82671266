// Start, end, reload, and what is said when it cannot be.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

class ServerLifeTest : public ServerTest {
 protected:
  static std::string quote(const std::string& symbol) {
    return R"({"symbol":")" + symbol + R"(","bid":1.1,"ask":1.2})";
  }
  static std::vector<std::string> lines_with(const std::string& text, const std::string& part) {
    std::vector<std::string> found;
    for (const std::string& line : lines_of(text)) {
      if (line.find(part) != std::string::npos) found.push_back(line);
    }
    return found;
  }
  /// A client in the middle of sending; the server is known to wait for the rest.
  static HttpClient half_a_body(const RunningServer& server) {
    HttpClient client = server.connect();
    client.send(
        "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
    const auto reply = client.read();
    EXPECT_TRUE(reply && reply->status == 100);
    client.send("{");
    return client;
  }
};

TEST_F(ServerLifeTest, EitherSignalEndsItWithZeroAndEachStepIsLogged) {
  for (const auto& [number, name] : {std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"}}) {
    const auto server = serve();
    EXPECT_EQ(server->ingest(quote("EURUSD"))["accepted"], 1);
    server->stop(number);
    const std::string log = server->log();
    std::size_t at = 0;
    for (const std::string& step :
         {std::string("[Storage] Storage manager started"), std::string("[Pipeline] Started with 4 workers"),
          std::string("[Distributor] Started quote distribution workers"),
          std::string("[API] Pipeline endpoints registered"), std::string("[Pipeline] Market data pipeline started"),
          std::string("[API] Listening on "), std::string("[Server] ") + name + ": stopping",
          std::string("[Server] Stopping: no new connections"), std::string("[Server] Stopping: intake is closed"),
          std::string("[Server] Stopping: drained, 1 ticks"),
          std::string("[Pipeline Stats] Received: 1 | Processed: 1"),
          std::string("[Server] Stopping: connections are closed"), std::string("[Server] stopped")}) {
      const std::size_t found = log.find(step, at);
      ASSERT_NE(found, std::string::npos) << "missing or out of order: " << step << "\n" << log;
      at = found;
    }
    EXPECT_NE(log.find("[Monitor] Data quality monitoring started"), std::string::npos);
    EXPECT_TRUE(lines_with(log, " ERROR ").empty()) << log;
    EXPECT_EQ(server->out(), "");
  }
}

TEST_F(ServerLifeTest, ASignalWhileItStartsHarmsNothingAndEndsItWithZeroOnceItsPartsStart) {
  std::mt19937_64 random(8);
  int ended_in_start = 0;
  for (int round = 0; round < 25; ++round) {
    const auto server = spawn({});
    if (round % 2 == 0) {
      ::usleep(static_cast<useconds_t>(random() % 40'000));
    } else {
      while (!server->has_logged("[Storage] Storage manager started") && !server->has_ended()) ::usleep(100);
    }
    server->signal(SIGTERM);
    const int status = server->wait();
    if (server->has_logged("[Storage] Storage manager started")) {
      EXPECT_EQ(status, 0) << server->log();
      EXPECT_TRUE(server->has_logged("[Server] stopped"));
      ++ended_in_start;
    } else {
      EXPECT_EQ(status, 128 + SIGTERM) << server->log();
    }
  }
  EXPECT_GT(ended_in_start, 5);
  serve()->stop();
}

TEST_F(ServerLifeTest, LinesHaveTimeLevelComponentAndMessage) {
  const auto server = serve_with(R"({"health_check_interval":"1s"})");
  EXPECT_EQ(server->ingest(quote("EURUSD"))["accepted"], 1);
  EXPECT_TRUE(server->logs("[Monitor] Feed health check completed: 1 healthy"));
  server->stop();
  for (const std::string& line : lines_of(server->log())) {
    EXPECT_THAT(line, ::testing::MatchesRegex("[0-9-]+T[0-9:]+\\.[0-9]+Z (INFO|WARN) \\[[A-Za-z ]+\\] [ -~]+"));
  }
}

TEST_F(ServerLifeTest, LogsAreJsonInAFileWhenConfigured) {
  const std::string log = folder_ / "server.log";
  const auto config = file("log.json", R"({"log":{"format":"json","file":")" + log + R"("}})");
  // The port must be known, as the line that tells it is not on stderr.
  std::uint16_t port = 0;
  {
    const auto server = serve();
    port = server->port();
    server->stop();
  }
  const auto server = spawn({"--config", config, "--port", std::to_string(port)});
  ASSERT_TRUE(eventually([&] { return read_file(log).find("Listening on") != std::string::npos; })) << server->log();
  server->stop();
  EXPECT_EQ(server->log(), "");
  const auto lines = lines_of(read_file(log));
  EXPECT_GT(lines.size(), 10U);
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << line;
    for (const char* member : {"time", "level", "component", "message"}) EXPECT_TRUE(json.contains(member)) << line;
  }
}

TEST_F(ServerLifeTest, ASecondSignalEndsItAtOnce) {
  const auto server = serve();
  HttpClient slow = half_a_body(*server);  // keeps the graceful end waiting
  server->signal(SIGTERM);
  ASSERT_TRUE(server->logs("SIGTERM: stopping"));
  server->signal(SIGTERM);
  const int status = server->wait();
  if (status == 0) {
    EXPECT_TRUE(server->has_logged("[Server] stopped")) << "the first signal was faster";
  } else {
    EXPECT_EQ(status, 128 + SIGTERM);
  }
  serve()->stop();  // the data is sound
}

TEST_F(ServerLifeTest, ASlowClientDoesNotKeepItFromEnding) {
  const auto server = serve();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(half_a_body(*server));
  server->stop();
}

TEST_F(ServerLifeTest, APortInUseIsOneAndTheRemedyIsNamed) {
  const auto first = serve();
  const std::string port = std::to_string(first->port());
  const Result second = serve_and_end({"--port", port, "--data-dir", folder_ / "other"});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.err.find(port), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("--port"), std::string::npos) << second.err;
  EXPECT_EQ(first->get("/healthz").status, 200);
  first->stop();
}

TEST_F(ServerLifeTest, ADataDirectoryInUseIsOneForServeAndBackfill) {
  const auto first = serve();
  const Result second = serve_and_end({});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.err.find("in use by process"), std::string::npos) << second.err;
  EXPECT_NE(second.err.find(data()), std::string::npos) << second.err;
  const Result loaded = run({"backfill", "--data-dir", data(), file("a.csv", "timestamp,symbol,bid,ask\n")});
  EXPECT_EQ(loaded.status, 1);
  EXPECT_NE(loaded.err.find("in use by process"), std::string::npos) << loaded.err;
  EXPECT_EQ(first->ingest(quote("EURUSD"))["accepted"], 1);
  EXPECT_EQ(lines_of(exported("ticks", "EURUSD")).size(), 2U) << "reading beside it works";
  first->stop();
}

TEST_F(ServerLifeTest, AnAddressThatOthersReachNeedsAllowInsecure) {
  const Result refused = serve_and_end({"--address", "0.0.0.0"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("0.0.0.0"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("http.allow_insecure"), std::string::npos) << refused.err;
  const auto allowed = serve({"--address", "0.0.0.0"}, {"TICKPIPE_HTTP__ALLOW_INSECURE=true"});
  EXPECT_EQ(allowed->get("/healthz").status, 200);
  allowed->stop();
}

TEST_F(ServerLifeTest, ABadConfigurationIsTwoWithLineAndSuggestion) {
  const Result typo = serve_and_end({"--config", file("typo.json", "{\n  \"http\": {\n    \"prot\": 80\n  }\n}")});
  EXPECT_EQ(typo.status, 2);
  EXPECT_NE(typo.err.find("typo.json:3"), std::string::npos) << typo.err;
  EXPECT_NE(typo.err.find("http.prot: unknown key; did you mean \"port\"?"), std::string::npos) << typo.err;
  for (const char* bad :
       {R"({"worker_count":0})", R"({"timeframes":["7m"]})", R"({"http":{"port":70000}})", R"({"feeds":["nonsense"]})",
        R"({"feeds":[{"type":"sim","rate":-1}]})", R"({"store":{"type":"floppy"}})", "{", "[]", ""}) {
    const Result result = serve_and_end({"--config", file("bad.json", bad)});
    EXPECT_EQ(result.status, 2) << bad << "\n" << result.err;
    EXPECT_NE(result.err.find("bad.json"), std::string::npos) << bad << "\n" << result.err;
  }
  EXPECT_EQ(serve_and_end({"--config", folder_ / "missing.json"}).status, 2);
}

TEST_F(ServerLifeTest, WhatIsNotInThisBuildIsTwo) {
  for (const auto& options : {std::vector<std::string>{"--feed", "binance:BTCUSDT"},
                              std::vector<std::string>{"--config", file("auth.json", R"({"auth":{"mode":"api_key",
      "keys":[{"id":"a","sha256":"0000000000000000000000000000000000000000000000000000000000000000","roles":["read"]}]}})")}}) {
    const Result result = serve_and_end(options);
    EXPECT_EQ(result.status, 2) << options[1];
    EXPECT_NE(result.err.find("not in this build"), std::string::npos) << result.err;
  }
}

TEST_F(ServerLifeTest, BadUsageIsTwo) {
  for (const std::vector<std::string>& options : {std::vector<std::string>{"--port", "http"},
                                                  {"--port", "-1"},
                                                  {"--port", "65536"},
                                                  {"--port", ""},
                                                  {"--feed", "nonsense"},
                                                  {"--feed", "sim:not a symbol"},
                                                  {"--nonsense"},
                                                  {"--address", ""},
                                                  {"surplus"}}) {
    const Result result = serve_and_end(options);
    EXPECT_EQ(result.status, 2) << options.front() << "\n" << result.err;
    EXPECT_FALSE(result.err.empty());
  }
}

TEST_F(ServerLifeTest, AReplayWithoutItsFileLeavesADegradedServerThatTellsTheCause) {
  const auto server = serve({"--feed", "replay:/nonexistent/quotes.csv"});
  nlohmann::json health;
  ASSERT_TRUE(eventually([&] {
    health = server->json("/api/pipeline/health");
    return health["feeds"][0]["state"] == "failed";
  })) << health;
  EXPECT_EQ(health["overall_status"], "degraded");
  EXPECT_EQ(health["components"]["ingester"]["status"], "degraded");
  EXPECT_NE(health["components"]["ingester"]["detail"].get<std::string>().find("/nonexistent/quotes.csv"),
            std::string::npos)
      << health;
  EXPECT_EQ(server->get("/readyz").status, 200);
  EXPECT_EQ(server->ingest(quote("EURUSD"))["accepted"], 1);
  EXPECT_FALSE(lines_with(server->log(), "ERROR [Feed] ").empty()) << server->log();
  server->stop();
}

TEST_F(ServerLifeTest, HangupTakesOverSymbolsLogLevelAndFeeds) {
  const auto server = serve_with(R"({"symbols":["EURUSD"]})");
  EXPECT_EQ(server->ingest(quote("EURUSD"))["accepted"], 1);
  EXPECT_EQ(server->ingest(quote("USDJPY"))["errors"][0]["reason"], "unknown_symbol");
  EXPECT_TRUE(server->json("/api/pipeline/health")["feeds"].empty());

  file("server.json", R"({"symbols":["USDJPY","SIMONE"],"worker_count":7,
                          "feeds":[{"type":"sim","symbols":["SIMONE"],"fill":"0s","lp":"MOON"}]})");
  server->signal(SIGHUP);
  ASSERT_TRUE(server->logs("[Config] configuration reloaded"));
  EXPECT_TRUE(server->has_logged("in force from the next start on: worker_count")) << server->log();
  EXPECT_EQ(server->ingest(quote("EURUSD"))["errors"][0]["reason"], "unknown_symbol");
  EXPECT_EQ(server->ingest(quote("USDJPY"))["accepted"], 1);
  EXPECT_TRUE(eventually([&] { return server->get("/api/quotes/latest/SIMONE").status == 200; }));
  EXPECT_EQ(server->json("/api/pipeline/health")["feeds"].size(), 1U);
  EXPECT_EQ(server->json("/api/pipeline/stats")["workers"], 4);

  file("server.json", "{\n\"symbols\": [\"EURUSD\"],\n\"wroker_count\": 4}");
  server->signal(SIGHUP);
  ASSERT_TRUE(server->logs("the old one stays in force"));
  EXPECT_TRUE(server->has_logged("server.json:3")) << server->log();
  EXPECT_EQ(server->ingest(quote("USDJPY"))["accepted"], 1);
  EXPECT_EQ(server->json("/api/pipeline/health")["feeds"].size(), 1U);

  file("server.json", R"({"symbols":["EURUSD"],"auth":{"mode":"api_key","keys":[{"id":"a",
      "sha256":"0000000000000000000000000000000000000000000000000000000000000000","roles":["read"]}]}})");
  server->signal(SIGHUP);
  ASSERT_TRUE(server->logs("not in this build"));
  EXPECT_EQ(server->ingest(quote("USDJPY"))["accepted"], 1);

  file("server.json", R"({"log":{"level":"error"}})");
  server->signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return server->json("/api/pipeline/health")["feeds"].empty(); }));
  EXPECT_EQ(server->ingest(quote("ANYTHING"))["accepted"], 1);
  server->stop();
  EXPECT_FALSE(server->has_logged("[Server] stopped")) << "below the level";
}

TEST_F(ServerLifeTest, TheEnvironmentOverridesTheFileAndTheCommandLineTheEnvironment) {
  std::string free_port;
  {
    const auto server = serve();
    free_port = std::to_string(server->port());
    server->stop();
  }
  const auto config = file("env.json", R"({"http":{"port":1},"worker_count":1,"symbols":["EURUSD"]})");
  const std::vector<std::string> environment = {"TICKPIPE_HTTP__PORT=" + free_port, "TICKPIPE_WORKER_COUNT=3",
                                                "PIPELINE_WORKERS=5", "TICKPIPE_SYMBOLS=GBPUSD,USDJPY",
                                                "TICKPIPE_NO__SUCH__KEY=1"};
  {
    // No --port here: it would win.
    RunningServer server({TICKPIPE_EXECUTABLE, "serve", "--config", config, "--data-dir", data(), "--feed", "none"},
                         folder_ / "env", environment);
    server.wait_until_ready();
    EXPECT_EQ(std::to_string(server.port()), free_port);
    EXPECT_EQ(server.json("/api/pipeline/stats")["workers"], 3);
    EXPECT_EQ(server.ingest(quote("EURUSD"))["errors"][0]["reason"], "unknown_symbol");
    EXPECT_EQ(server.ingest(quote("GBPUSD"))["accepted"], 1);
    EXPECT_TRUE(server.has_logged("TICKPIPE_NO__SUCH__KEY")) << server.log();
    server.stop();
  }
  const auto server = serve({"--config", config}, {"TICKPIPE_HTTP__PORT=1", "PIPELINE_WORKERS=5"});
  EXPECT_NE(server->port(), 1);
  EXPECT_EQ(server->json("/api/pipeline/stats")["workers"], 5);
  server->stop();
  EXPECT_EQ(serve_and_end({}, {"TICKPIPE_WORKER_COUNT=many"}).status, 2);
}

TEST_F(ServerLifeTest, ConnectionsThatDribbleDoNotKeepOthersWaiting) {
  const auto server = serve();
  constexpr int kDribblers = 400;
  const std::string head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Filler: " + std::string(4'000, 'x');
  std::vector<HttpClient> dribblers;
  for (int i = 0; i < kDribblers; ++i) dribblers.push_back(server->connect());
  std::atomic<bool> is_over{false};
  std::jthread dribble([&] {
    for (std::size_t at = 0; !is_over; at = (at + 1) % head.size()) {
      for (HttpClient& each : dribblers) each.send(head.substr(at, 1));
    }
  });
  HttpClient client = server->connect();
  for (int i = 0; i < 200; ++i) {
    const auto reply = client.get("/api/pipeline/stats");
    ASSERT_TRUE(reply && reply->status == 200) << "request " << i;
    const auto posted = client.post("/api/ingest", quote("EURUSD"), "Content-Type: application/json\r\n");
    ASSERT_TRUE(posted && posted->status == 200) << "request " << i;
  }
  EXPECT_EQ(server->get("/healthz").status, 200) << "new connections are taken too";
  is_over = true;
  dribble.join();
  dribblers.clear();
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
