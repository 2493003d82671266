// What becomes of an edge and its clients when Redis, its connection or its node goes and comes back.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/edge_fixture.h"
#include "support/event_stream.h"
#include "support/websocket_client.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class EdgeOutagesTest : public EdgeTest {
 protected:
  static void subscribe_all(WebSocketClient& client) {
    client.send_json({{"op", "subscribe"}, {"channel", "quotes"}, {"symbols", {"EURUSD"}}, {"mode", "all"}});
  }
  /// The next tick must be this one.
  static void expect_tick(WebSocketClient& client, std::uint64_t seq, std::uint64_t skipped = 0) {
    const auto tick = client.read("tick");
    ASSERT_TRUE(tick) << "instead of seq " << seq << ": close code " << client.close_code;
    EXPECT_EQ(tick->at("seq"), seq);
    EXPECT_EQ(tick->value("skipped", 0U), skipped) << *tick;
  }
  /// Waits until Redis holds this quote.
  void expect_in_redis(std::uint64_t seq) const {
    const std::string text = "\"seq\":" + std::to_string(seq) + ",";
    EXPECT_TRUE(eventually([&] {
      return redis_->run({"GET", "tick:latest:EURUSD"}).text.find(text) != std::string::npos;
    }));
  }
  void kill_subscribers() const { redis_->run({"CLIENT", "KILL", "TYPE", "pubsub"}); }
};

TEST_F(EdgeOutagesTest, ItServesWhatItHasWhileRedisIsAwayAndCatchesUp) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 10);
  expect_same_market(*node, *edge, {"EURUSD"});
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 10);
  const std::string known = edge->get("/api/quotes/history/EURUSD").body;
  redis_->kill();
  ASSERT_TRUE(becomes(*edge, "degraded"));
  EXPECT_THAT(redis_health(*edge)["detail"].get<std::string>(), HasSubstr(redis_->address()));
  EXPECT_EQ(edge->get("/readyz").status, 200);
  const auto without_stale = [](std::string text) {
    for (std::size_t at = 0; (at = text.find("\"stale\":")) != std::string::npos;)
      text.erase(at, text.find(',', at) - at);
    return text;
  };
  EXPECT_EQ(without_stale(edge->get("/api/quotes/history/EURUSD").body), without_stale(known));
  post_live(*node, "EURUSD", 10);  // goes to nobody
  redis_->start();                 // empty
  ASSERT_TRUE(becomes(*edge, "healthy")) << edge->log();
  expect_same_market(*node, *edge, {"EURUSD"});
  for (std::uint64_t seq = 11; seq <= 20; ++seq) expect_tick(client, seq);
  post_live(*node, "EURUSD", 1);
  expect_tick(client, 21);
  EXPECT_EQ(stat(*edge, "edge_quotes_lost"), 0U);
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, ARedisThatDoesNotAnswerIsNoticed) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 5);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  redis_->pause();
  EXPECT_TRUE(becomes(*edge, "degraded"));
  EXPECT_EQ(edge->get("/api/quotes/latest/EURUSD").status, 200);
  post_live(*node, "EURUSD", 5);
  redis_->resume();
  EXPECT_TRUE(becomes(*edge, "healthy")) << edge->log();
  expect_same_market(*node, *edge, {"EURUSD"});
  redis_->pause();
  edge->stop();  // also while Redis does not answer
  redis_->resume();
  node->stop();
}

TEST_F(EdgeOutagesTest, WhatASubscriberMissesIsReadFromTheKeys) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 1);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 1);
  // The edge stands still, so that nothing reaches it before it is cut off.
  edge->signal(SIGSTOP);
  kill_subscribers();
  post_live(*node, "EURUSD", 300);
  expect_in_redis(301);
  edge->signal(SIGCONT);
  for (std::uint64_t seq = 2; seq <= 301; ++seq) expect_tick(client, seq);
  EXPECT_GE(stat(*edge, "edge_quotes_refilled"), 300U);
  EXPECT_EQ(stat(*edge, "edge_gaps"), 0U);
  expect_same_market(*node, *edge, {"EURUSD"});
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, SubscribersThatAreCutUnderLoadMissNothing) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 1);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 1);
  constexpr int kRounds = 60;
  constexpr int kEach = 10;
  std::jthread posting([&] {
    for (int round = 0; round < kRounds; ++round) {
      post_live(*node, "EURUSD", kEach);
      if (round % 10 == 5) kill_subscribers();
    }
  });
  for (std::uint64_t seq = 2; seq <= 1 + kRounds * kEach; ++seq) expect_tick(client, seq);
  posting.join();
  EXPECT_EQ(stat(*edge, "edge_gaps"), 0U);
  EXPECT_GT(stat(*edge, "edge_connections_made"), 1U);
  expect_same_market(*node, *edge, {"EURUSD"});
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, WhatTheKeysDoNotHoldAnyMoreIsAGapThatIsTold) {
  const std::string more = R"("hot_data_retention":20)";
  const auto node = serve_node(more);
  const auto edge = serve_edge(more);
  post_live(*node, "EURUSD", 5);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 5);
  EventStream events(edge->port(), "/api/quotes/stream?symbol=EURUSD");
  EXPECT_EQ(events.next_tick(), "EURUSD 5");
  edge->signal(SIGSTOP);
  kill_subscribers();
  post_live(*node, "EURUSD", 200);
  expect_in_redis(205);
  edge->signal(SIGCONT);
  expect_tick(client, 186, 180);
  for (std::uint64_t seq = 187; seq <= 205; ++seq) expect_tick(client, seq);
  const auto event = events.next_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->json().value("seq", 0), 186);
  EXPECT_EQ(event->json().value("skipped", 0), 180) << event->data;
  EXPECT_EQ(stat(*edge, "edge_gaps"), 1U);
  EXPECT_EQ(stat(*edge, "edge_quotes_lost"), 180U);
  EXPECT_TRUE(edge->logs("180 quotes passed unseen"));
  // Who resumes across the gap is told.
  WebSocketClient late(edge->port());
  late.send_json({{"op", "subscribe"},
                  {"channel", "quotes"},
                  {"symbols", {"EURUSD"}},
                  {"mode", "all"},
                  {"resume", {{"epoch", epoch(*node)}, {"seq", {{"EURUSD", 100}}}}}});
  EXPECT_EQ(late.read("subscribed")->at("recovered"), false);
  EventStream again(edge->port(), "/api/quotes/stream?symbol=EURUSD", epoch(*node) + ":100");
  EXPECT_EQ(again.next_tick(), "reset EURUSD");
  EXPECT_EQ(again.next_tick(), "EURUSD 205");
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, AnotherEpochEndsAllClientsAndIsServedOnTheSamePort) {
  auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 9);
  post_live(*node, "OLDONE", 2);
  expect_same(*node, *edge, "/api/symbols");
  const std::string old_epoch = epoch(*edge);
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 9);
  EventStream events(edge->port(), "/api/quotes/stream?symbol=EURUSD");
  EXPECT_EQ(events.next_tick(), "EURUSD 9");
  const auto served_before = stat(*edge, "stream_messages");

  node->stop();
  std::filesystem::remove_all(data());
  node = serve_node();
  post_live(*node, "EURUSD", 4);
  while (client.read()) {
  }
  EXPECT_EQ(client.close_code, 4001U);
  while (events.next_event()) {
  }
  EXPECT_TRUE(eventually([&] { return epoch(*edge) == epoch(*node); })) << edge->log();
  EXPECT_NE(epoch(*edge), old_epoch);
  expect_same_market(*node, *edge, {"EURUSD"});
  EXPECT_EQ(edge->get("/api/quotes/latest/OLDONE").status, 404);
  EXPECT_FALSE(edge->has_ended());
  EXPECT_GE(stat(*edge, "stream_messages"), served_before);

  WebSocketClient again(edge->port());
  EXPECT_EQ(again.read("welcome")->at("epoch"), epoch(*node));
  subscribe_all(again);
  expect_tick(again, 4);
  post_live(*node, "EURUSD", 1);
  expect_tick(again, 5);
  EventStream back(edge->port(), "/api/quotes/stream?symbol=EURUSD", events.last_id);
  EXPECT_EQ(back.next_tick(), "reset EURUSD");
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, WhileTheNodeWritesAllKeysAnewItWaits) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 6);
  expect_same_market(*node, *edge, {"EURUSD"});
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 6);
  redis_->run({"FLUSHALL"});
  EXPECT_EQ(edge->json("/api/quotes/history/EURUSD").size(), 6U);
  post_live(*node, "EURUSD", 2);
  expect_tick(client, 7);
  expect_tick(client, 8);
  EXPECT_TRUE(becomes(*edge, "healthy")) << edge->log();
  expect_same_market(*node, *edge, {"EURUSD"});
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, ItFollowsTheMasterThatSentinelsName) {
  const auto replica = start_redis("replica");
  replica->run({"REPLICAOF", "127.0.0.1", std::to_string(redis_->port())});
  const std::string folder = folder_ / "sentinel";
  std::filesystem::create_directories(folder);
  const std::uint16_t port = free_port();
  write_file(folder + "/sentinel.conf",
             "port " + std::to_string(port) + "\nbind 127.0.0.1\ndir " + folder +
                 "\nsentinel monitor quotes 127.0.0.1 " + std::to_string(redis_->port()) +
                 " 1\nsentinel down-after-milliseconds quotes 1000\nsentinel failover-timeout quotes 5000\n");
  const Process sentinel({"/usr/bin/redis-server", folder + "/sentinel.conf", "--sentinel"}, folder + "/sentinel");
  const auto asked = [port](const std::vector<std::string>& question) {
    try {
      return RedisClient(port)(question).elements;
    } catch (const std::runtime_error&) {
      return std::vector<RedisClient::Reply>();
    }
  };
  ASSERT_TRUE(eventually([&] { return asked({"SENTINEL", "replicas", "quotes"}).size() == 1; }));
  const std::string more = R"("redis_addr":"","redis_sentinels":["127.0.0.1:)" + std::to_string(port) +
                           R"("],"redis_master":"quotes","worker_count":2)";
  const auto node = serve({"--config", file("node.json", "{" + more + "}")});
  const auto edge =
      spawn({"--data-dir", edge_data(), "--config", file("edge.json", R"({"role":"edge",)" + more + "}")});
  edge->wait_until_ready();
  post_live(*node, "EURUSD", 5);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 5);
  redis_->kill();
  ASSERT_TRUE(eventually([&] {
    const auto master = asked({"SENTINEL", "get-master-addr-by-name", "quotes"});
    return master.size() == 2 && master[1].text == std::to_string(replica->port());
  }));
  post_live(*node, "EURUSD", 3);
  for (std::uint64_t seq = 6; seq <= 8; ++seq) expect_tick(client, seq);
  EXPECT_TRUE(becomes(*edge, "healthy")) << edge->log();
  EXPECT_TRUE(edge->has_logged("Connected to " + replica->address())) << edge->log();
  expect_same(*node, *edge, "/api/quotes/history/EURUSD");
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, WhatANodeCouldNotWriteReachesItOnceTheNextOneDoes) {
  auto node = serve_node();
  const auto edge = serve_edge();
  const std::int64_t now = wall_clock().ns;
  post(*node, quote("EURUSD", now - 3'000'000'000) + quote("USDJPY", now));
  expect_same_market(*node, *edge, {"EURUSD", "USDJPY"});
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 1);
  redis_->run({"CLIENT", "PAUSE", "600000", "WRITE"});
  post(*node, quote("EURUSD", now) + quote("GBPUSD", now));
  node->kill();
  redis_->run({"CLIENT", "UNPAUSE"});
  node = serve_node();
  expect_tick(client, 2);
  expect_same_market(*node, *edge, {"EURUSD", "USDJPY", "GBPUSD"});
  EXPECT_EQ(stat(*edge, "edge_connections_made"), 1U) << "it was to hear of it";
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, WhatANodeWroteAndNeverToldReachesItOnceTheNextOneRuns) {
  redis_->run({"ACL", "SETUSER", "node", "on", ">secret", "~*", "&*", "+@all"});
  const std::string user = R"("redis_username":"node","redis_password":"secret")";
  auto node = serve_node(user);
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 1);
  expect_same_market(*node, *edge, {"EURUSD"});
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 1);
  redis_->run({"ACL", "SETUSER", "node", "resetchannels"});
  post_live(*node, "EURUSD", 1);
  expect_in_redis(2);
  node->kill();
  EXPECT_EQ(edge->json("/api/quotes/latest/EURUSD").at("seq"), 1);
  redis_->run({"ACL", "SETUSER", "node", "allchannels"});
  node = serve_node(user);
  expect_tick(client, 2);
  expect_same_market(*node, *edge, {"EURUSD"});
  edge->stop();
  node->stop();
}

TEST_F(EdgeOutagesTest, ItOutlivesItsNode) {
  auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 6);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient client(edge->port());
  subscribe_all(client);
  expect_tick(client, 6);
  node->kill();
  EXPECT_EQ(edge->json("/api/quotes/history/EURUSD").size(), 6U);
  node = serve_node();
  post_live(*node, "EURUSD", 3);
  for (std::uint64_t seq = 7; seq <= 9; ++seq) expect_tick(client, seq);
  expect_same_market(*node, *edge, {"EURUSD"});
  edge->stop();
  node->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
