// /api/quotes/stream of the real server, over its socket and through nginx.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/event_stream.h"
#include "support/nginx.h"
#include "support/server_fixture.h"
#include "support/websocket_client.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

class ServerSseTest : public ServerTest {
 protected:
  /// Quotes of one symbol, of now.
  static void put(const RunningServer& server, const std::string& symbol, int count = 1) {
    std::string body;
    for (int i = 0; i < count; ++i) {
      body += R"({"symbol":")" + symbol + R"(","bid":1.5,"ask":2,"lp":"LP1","timestamp_ns":)" +
              std::to_string(wall_clock().ns + i) + "}\n";
    }
    EXPECT_EQ(server.ingest(body).at("accepted"), count);
  }
  static std::string epoch(const RunningServer& server) { return server.json("/api/pipeline/stats").at("epoch"); }
};

TEST_F(ServerSseTest, AnEventHasNameDataAndId) {
  const auto server = serve();
  put(*server, "EURUSD");
  EventStream stream(server->port(), "/api/quotes/stream?symbol=eurusd");
  EXPECT_EQ(stream.head().status, 200);
  EXPECT_EQ(stream.head().header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(stream.head().header("cache-control"), "no-store");
  EXPECT_EQ(stream.head().header("x-accel-buffering"), "no");
  EXPECT_EQ(stream.next()->retry, "2000");
  const auto first = stream.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->event, "tick");
  EXPECT_EQ(first->id, epoch(*server) + ":1");
  EXPECT_EQ(first->json().at("snapshot"), true);
  put(*server, "EURUSD");
  const auto second = stream.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->id, epoch(*server) + ":2");
  Json latest = server->json("/api/quotes/latest/EURUSD");
  latest.erase("stale");
  EXPECT_EQ(second->json(), latest);
  server->signal(SIGTERM);
  const auto goodbye = stream.next();
  ASSERT_TRUE(goodbye);
  EXPECT_EQ(goodbye->comment, "the server is shutting down");
  EXPECT_FALSE(stream.next());
  EXPECT_EQ(server->wait(), 0) << server->log();
}

TEST_F(ServerSseTest, WhoComesBackGetsWhatItMissedAlsoAfterARestart) {
  auto server = serve();
  const std::string target = "/api/quotes/stream?symbol=EURUSD";
  put(*server, "EURUSD", 3);
  std::string id = epoch(*server) + ":1";
  for (int restart = 0; restart < 2; ++restart) {
    EventStream stream(server->port(), target, id);
    EXPECT_EQ(stream.next_tick(), "EURUSD 2");
    EXPECT_EQ(stream.next_tick(), "EURUSD 3");
    put(*server, "GBPUSD");
    if (restart == 0) {
      server->stop();
      server = serve();
    }
  }
  EventStream stream(server->port(), target, epoch(*server) + ":3");
  put(*server, "EURUSD", 2);
  EXPECT_EQ(stream.next_tick(), "EURUSD 4");
  EXPECT_EQ(stream.next_tick(), "EURUSD 5");
  server->stop();
}

TEST_F(ServerSseTest, AnIdOfSeveralSymbolsSpeaksForAllOfThem) {
  auto server = serve();
  const std::string target = "/api/quotes/stream?symbol=EURUSD&symbol=GBPUSD&symbol=NEWONE";
  put(*server, "EURUSD", 2);
  put(*server, "GBPUSD", 5);
  std::string id;
  {
    EventStream stream(server->port(), target);
    EXPECT_EQ(stream.next_tick(), "EURUSD 2");
    EXPECT_EQ(stream.next_tick(), "GBPUSD 5");
    EXPECT_EQ(stream.last_id, epoch(*server) + ":2.5.0");
    put(*server, "EURUSD");
    EXPECT_EQ(stream.next_tick(), "EURUSD 3");
    id = stream.last_id;
  }
  EXPECT_EQ(id, epoch(*server) + ":3.5.0");
  put(*server, "GBPUSD", 2);
  put(*server, "NEWONE", 2);
  server->stop();
  server = serve();
  put(*server, "EURUSD");
  EventStream stream(server->port(), target, id);
  std::multiset<std::string> missed;
  for (int i = 0; i < 5; ++i) missed.insert(stream.next_tick());
  EXPECT_EQ(missed, (std::multiset<std::string>{"EURUSD 4", "GBPUSD 6", "GBPUSD 7", "NEWONE 1", "NEWONE 2"}));
  EXPECT_EQ(stream.last_id, epoch(*server) + ":4.7.2");
  put(*server, "NEWONE");
  EXPECT_EQ(stream.next_tick(), "NEWONE 3");
  server->stop();
}

TEST_F(ServerSseTest, WhoLeftBeforeAllSymbolsBeganGetsTheRestAsAtFirst) {
  const auto server = serve();
  const std::string target = "/api/quotes/stream?symbol=EURUSD&symbol=GBPUSD";
  put(*server, "EURUSD", 3);
  put(*server, "GBPUSD", 4);
  for (const std::string& last_id : {std::string(), std::string("0123456789abcdef:1.1")}) {
    std::string id;
    {
      EventStream stream(server->port(), target, last_id);
      if (!last_id.empty()) {
        EXPECT_EQ(stream.next_tick(), "reset EURUSD");
      }
      EXPECT_EQ(stream.next_tick(), "EURUSD 3");
      id = stream.last_id;
    }
    EventStream stream(server->port(), target, id);
    if (!last_id.empty()) {
      EXPECT_EQ(stream.next_tick(), "reset GBPUSD");
    }
    EXPECT_EQ(stream.next_tick(), "GBPUSD 4");
    EXPECT_EQ(stream.last_id, epoch(*server) + ":3.4");
  }
  server->stop();
}

TEST_F(ServerSseTest, AStrangeIdIsAResetAndASnapshot) {
  const auto server = serve();
  put(*server, "EURUSD", 3);
  const std::string own = epoch(*server);
  for (const std::string& id : {std::string("0123456789abcdef:1"), own + ":4", own + ":1.1", own + ":x", own + ":",
                                own + ":99999999999999999999", own + ":1.", own + ":1-", std::string("nonsense")}) {
    EventStream stream(server->port(), "/api/quotes/stream?symbol=EURUSD", id);
    EXPECT_EQ(stream.next_tick(), "reset EURUSD") << id;
    const auto tick = stream.next_event();
    ASSERT_TRUE(tick) << id;
    EXPECT_EQ(tick->id, own + ":3") << id;
    EXPECT_EQ(tick->json().at("snapshot"), true) << id;
  }
  server->stop();
}

TEST_F(ServerSseTest, ASymbolThatAppearsWhileOthersAreResumedMixesNothingUp) {
  const auto server = serve();
  constexpr int kRounds = 20;
  put(*server, "EURUSD", 5);
  for (int round = 0; round < kRounds; ++round) {
    const std::string symbol = "NEW" + std::to_string(round);
    std::vector<std::unique_ptr<EventStream>> streams;
    std::thread feeder([&] { put(*server, symbol); });
    for (int i = 0; i < 10; ++i) {
      streams.push_back(std::make_unique<EventStream>(
          server->port(), "/api/quotes/stream?symbol=" + symbol + "&symbol=EURUSD", epoch(*server) + ":0.3"));
    }
    feeder.join();
    for (const auto& stream : streams) {
      std::multiset<std::string> ticks;
      for (int i = 0; i < 3; ++i) ticks.insert(stream->next_tick());
      EXPECT_EQ(ticks, (std::multiset<std::string>{"EURUSD 4", "EURUSD 5", symbol + " 1"}));
    }
  }
  server->stop();
}

TEST_F(ServerSseTest, AnUnknownSymbolIsWaitedForAndAWrongOneRefused) {
  const auto server = serve_with(R"({"symbols": ["EURUSD", "GBPUSD"]})");
  EventStream stream(server->port(), "/api/quotes/stream?symbol=EURUSD");
  EXPECT_EQ(stream.head().status, 200);
  put(*server, "EURUSD", 2);
  EXPECT_EQ(stream.next_tick(), "EURUSD 1");
  EXPECT_EQ(stream.next_tick(), "EURUSD 2");
  const std::pair<const char*, const char*> cases[] = {{"", "missing_parameter"},
                                                       {"?symbol=", "bad_symbol"},
                                                       {"?symbol=a%20b", "bad_symbol"},
                                                       {"?symbol=USDJPY", "unknown_symbol"},
                                                       {"?symbol=EURUSD&limit=1", "unknown_parameter"}};
  for (const auto& [query, code] : cases) {
    const HttpReply reply = server->get(std::string("/api/quotes/stream") + query);
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(Json::parse(reply.body).at("code"), code) << query;
  }
  std::string many = "/api/quotes/stream?symbol=EURUSD";
  for (int i = 0; i < 100; ++i) many += "&symbol=S" + std::to_string(i);
  EXPECT_EQ(server->get(many).status, 400);
  server->stop();
}

TEST_F(ServerSseTest, ASilentStreamShowsThatItIsAlive) {
  const auto server = serve();
  EventStream stream(server->port(), "/api/quotes/stream?symbol=EURUSD");
  ASSERT_TRUE(stream.next());
  const auto start = std::chrono::steady_clock::now();
  const auto heartbeat = stream.next();
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->comment, "heartbeat");
  EXPECT_GT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
  server->stop();
}

class ServerNginxTest : public ServerSseTest {
 protected:
  void SetUp() override {
    if (!Nginx::is_installed()) GTEST_SKIP() << Nginx::kMissing;
  }
};

TEST_F(ServerNginxTest, EventsComeThroughNginxAtOnceAndAgainAfterARestart) {
  auto server = serve();
  const std::uint16_t server_port = server->port();
  const Nginx nginx(folder_.path(), server_port);
  put(*server, "EURUSD");
  const std::string target = "/api/quotes/stream?symbol=EURUSD";
  EventStream stream(nginx.port(), target);
  EXPECT_EQ(stream.head().header("server").substr(0, 5), "nginx");
  for (int seq = 1; seq <= 20; ++seq) {  // a proxy that collects would keep the first back
    EXPECT_EQ(stream.next_tick(), "EURUSD " + std::to_string(seq));
    put(*server, "EURUSD");
  }
  server->stop();
  while (stream.next()) {
  }
  const std::string id = stream.last_id;
  server = serve({"--port", std::to_string(server_port)});
  put(*server, "EURUSD");
  ASSERT_TRUE(eventually([&] { return nginx.status_of("/readyz") == 200; }));
  EventStream again(nginx.port(), target, id);
  const int last = std::stoi(id.substr(id.find(':') + 1));
  for (int seq = last + 1; seq <= 22; ++seq) EXPECT_EQ(again.next_tick(), "EURUSD " + std::to_string(seq));
  server->stop();
}

TEST_F(ServerNginxTest, WebSocketsComeThroughNginx) {
  const auto server = serve();
  const Nginx nginx(folder_.path(), server->port());
  WebSocketClient client(nginx.port());
  ASSERT_EQ(client.handshake().status, 101);
  ASSERT_TRUE(client.read("welcome"));
  client.send_json({{"op", "subscribe"}, {"channel", "quotes"}, {"symbols", {"EURUSD"}}, {"mode", "all"}});
  ASSERT_TRUE(client.read("subscribed"));
  put(*server, "EURUSD", 2);
  EXPECT_EQ(client.read("tick")->at("seq"), 1);
  EXPECT_EQ(client.read("tick")->at("seq"), 2);
  server->signal(SIGTERM);
  EXPECT_FALSE(client.read());
  EXPECT_EQ(client.close_code, 4001U);
  EXPECT_EQ(server->wait(), 0) << server->log();
}

}  // namespace
}  // namespace tickpipe::internal::testing
