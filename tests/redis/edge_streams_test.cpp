// Streams of an edge: what its clients get, and how they move from node to edge and back.

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "support/edge_fixture.h"
#include "support/event_stream.h"
#include "support/websocket_client.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

Json subscribe(const std::string& channel, const std::vector<std::string>& symbols, Json more = Json::object()) {
  more["op"] = "subscribe";
  more["channel"] = channel;
  more["symbols"] = symbols;
  return more;
}

class EdgeStreamsTest : public EdgeTest {
 protected:
  /// Reads ticks until one of `symbol` has this seq, or a later one.
  static std::vector<Json> read_until(WebSocketClient& client, const std::string& symbol, std::uint64_t seq) {
    std::vector<Json> ticks;
    while (auto tick = client.read("tick")) {
      ticks.push_back(*tick);
      if (tick->at("symbol") == symbol && tick->at("seq").get<std::uint64_t>() >= seq) return ticks;
    }
    ADD_FAILURE() << "the stream ended before seq " << seq << ", close code " << client.close_code;
    return ticks;
  }
  /// In both modes seq is the previous one + 1 + skipped.
  static void expect_whole(const std::vector<Json>& ticks, std::uint64_t after) {
    for (const Json& tick : ticks) {
      const auto seq = tick.at("seq").get<std::uint64_t>();
      EXPECT_EQ(seq, after + 1 + tick.value("skipped", 0U)) << tick;
      after = seq;
    }
  }
};

TEST_F(EdgeStreamsTest, AllAndConflatedQuotesComeWithoutRepeatOrHole) {
  const std::string more = R"("hot_data_retention":5000)";
  const auto node = serve_node(more);
  const auto edge = serve_edge(more);
  post_live(*node, "EURUSD", 3);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  WebSocketClient all(edge->port());
  WebSocketClient conflated(edge->port());
  WebSocketClient of_node(node->port());
  WebSocketClient everything(edge->port());
  all.send_json(subscribe("quotes", {"EURUSD", "NEWONE"}, {{"mode", "all"}}));
  of_node.send_json(subscribe("quotes", {"EURUSD", "NEWONE"}, {{"mode", "all"}}));
  conflated.send_json(subscribe("quotes", {"EURUSD"}, {{"interval_ms", 50}}));
  everything.send_json(subscribe("quotes", {"*"}, {{"mode", "all"}}));
  for (WebSocketClient* const one : {&all, &of_node, &conflated, &everything}) {
    const auto first = one->read("tick");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->at("seq"), 3);
    EXPECT_EQ(first->at("snapshot"), true);
  }
  constexpr int kRounds = 40;
  constexpr int kEach = 25;
  for (int round = 0; round < kRounds; ++round) {
    // Late ones are part of the stream; those that are too old for it are skipped by both.
    if (round % 5 == 2) post(*node, quote("EURUSD", wall_clock().ns - 20'000'000'000 - round));
    if (round % 8 == 3) post(*node, quote("EURUSD", wall_clock().ns - 80'000'000'000 - round));
    post_live(*node, "EURUSD", kEach);
    if (round == kRounds / 2) post_live(*node, "NEWONE", 7);
  }
  const auto last = node->json("/api/quotes/latest/EURUSD").at("seq").get<std::uint64_t>();
  ASSERT_GT(last, kRounds * kEach);
  const auto from_edge = read_until(all, "EURUSD", last);
  const auto from_node = read_until(of_node, "EURUSD", last);
  const auto only = [](const std::vector<Json>& ticks, const char* symbol) {
    std::vector<Json> found;
    for (const Json& tick : ticks) {
      if (tick.at("symbol") == symbol) found.push_back(tick);
    }
    return found;
  };
  EXPECT_EQ(only(from_edge, "EURUSD"), only(from_node, "EURUSD"));
  EXPECT_EQ(only(from_edge, "NEWONE").size(), 7U);
  expect_whole(only(from_edge, "EURUSD"), 3);
  expect_whole(read_until(conflated, "EURUSD", last), 3);
  expect_whole(only(read_until(everything, "EURUSD", last), "EURUSD"), 3);
  EXPECT_EQ(stat(*edge, "edge_quotes_lost"), 0U);
  edge->signal(SIGTERM);
  while (all.read()) {
  }
  EXPECT_EQ(all.close_code, 4001U);
  EXPECT_EQ(edge->wait(), 0) << edge->log();
  node->stop();
}

TEST_F(EdgeStreamsTest, BarsComeOnCloseAndOnRevision) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 1);
  expect_same(*node, *edge, "/api/symbols");
  WebSocketClient client(edge->port());
  client.send_json(subscribe("bars", {"EURUSD"}, {{"timeframe", "1s"}}));
  const std::int64_t time = wall_clock().ns;
  post(*node, quote("EURUSD", time, 2 * kBid));
  const auto read_closed = [&](int revision) {
    while (const auto bar = client.read("bar")) {
      if (bar->at("is_closed") == true && bar->at("revision") == revision && bar->at("high") == 2.20001) return *bar;
    }
    return Json();
  };
  const Json closed = read_closed(0);
  post(*node, quote("EURUSD", time - 1, 2 * kBid - 1'000'000));
  const Json revised = read_closed(1);
  EXPECT_EQ(revised.at("open_time"), closed.at("open_time"));
  EXPECT_EQ(revised.at("tick_count"), closed.at("tick_count").get<int>() + 1);
  edge->stop();
  node->stop();
}

TEST_F(EdgeStreamsTest, AWebSocketClientOfTheNodeResumesAtTheEdge) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 30);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  const std::string name = epoch(*node);
  const auto resume = [&](const RunningServer& at, std::uint64_t seq, const std::string& of_epoch) {
    WebSocketClient client(at.port());
    EXPECT_EQ(client.read("welcome")->at("epoch"), name);
    client.send_json(subscribe("quotes", {"EURUSD"},
                               {{"mode", "all"}, {"resume", {{"epoch", of_epoch}, {"seq", {{"EURUSD", seq}}}}}}));
    const auto answer = client.read("subscribed");
    EXPECT_EQ(answer->at("recovered"), of_epoch == name) << *answer;
    return read_until(client, "EURUSD", 30);
  };
  const auto missed = resume(*edge, 12, name);
  EXPECT_EQ(missed.size(), 18U);
  expect_whole(missed, 12);
  EXPECT_EQ(missed, resume(*node, 12, name));
  const auto afresh = resume(*edge, 12, "0123456789abcdef");
  EXPECT_EQ(afresh.size(), 1U);
  EXPECT_EQ(afresh.front().value("snapshot", false), true);
  EXPECT_EQ(afresh.front().value("recovered", true), false);
  edge->stop();
  node->stop();
}

TEST_F(EdgeStreamsTest, WhoIsAheadOfTheEdgeGoesOnBehindWhatItHas) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 3);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  redis_->pause();
  post_live(*node, "EURUSD", 5);
  WebSocketClient client(edge->port());
  client.send_json(subscribe("quotes", {"EURUSD"},
                             {{"mode", "all"}, {"resume", {{"epoch", epoch(*node)}, {"seq", {{"EURUSD", 7}}}}}}));
  EXPECT_EQ(client.read("subscribed")->at("recovered"), true);
  EventStream events(edge->port(), "/api/quotes/stream?symbol=EURUSD", epoch(*node) + ":7");
  EXPECT_EQ(events.next()->retry, "2000");
  redis_->resume();
  EXPECT_EQ(events.next_tick(), "EURUSD 8");
  const auto tick = client.read("tick");
  ASSERT_TRUE(tick);
  EXPECT_EQ(tick->at("seq"), 8);
  EXPECT_EQ(tick->count("skipped"), 0U);
  EXPECT_EQ(tick->count("snapshot"), 0U);
  edge->stop();
  node->stop();
}

TEST_F(EdgeStreamsTest, AnEventStreamGoesFromNodeToEdgeAndBack) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 5);
  const std::string target = "/api/quotes/stream?symbol=EURUSD";
  std::string last_id;
  {
    EventStream stream(node->port(), target);
    EXPECT_EQ(stream.next_tick(), "EURUSD 5");
    last_id = stream.last_id;
  }
  for (const RunningServer* const server : {edge.get(), node.get(), edge.get()}) {
    const auto before = node->json("/api/quotes/latest/EURUSD").at("seq").get<int>();
    post_live(*node, "EURUSD", 4);
    expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
    EventStream stream(server->port(), target, last_id);
    for (int seq = before + 1; seq <= before + 4; ++seq) {
      EXPECT_EQ(stream.next_tick(), "EURUSD " + std::to_string(seq));
    }
    last_id = stream.last_id;
  }
  {
    EventStream lost(edge->port(), target, "0123456789abcdef:3");
    EXPECT_EQ(lost.next_tick(), "reset EURUSD");
    EXPECT_EQ(lost.next_tick(), "EURUSD 17");
  }
  edge->stop();
  node->stop();
}

TEST_F(EdgeStreamsTest, WhatIsNoQuoteOfANodeIsSkippedAndCounted) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 3);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  const auto before = stat(*edge, "edge_messages_damaged");
  RedisClient client = redis_->client();
  const std::string good = client({"GET", "tick:latest:EURUSD"}).text;
  std::vector<std::string> bad = {"",
                                  "{",
                                  "{}",
                                  "[]",
                                  "null",
                                  std::string(100'000, '['),
                                  std::string(1'000'000, ' '),
                                  std::string("\0\xff\xfe", 3),
                                  R"({"symbol":"EURUSD","bid":1e400})",
                                  good + good,
                                  good.substr(0, good.size() / 2)};
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"bid\":1", "\"bid\":-1"},
                                                        {"\"seq\":3", "\"seq\":0"},
                                                        {"\"seq\":3", "\"seq\":99999999999999999999"},
                                                        {"\"EURUSD\"", "\"eurusd\""},
                                                        {"\"EURUSD\"", "\"..\""},
                                                        {"\"timestamp\":\"2", "\"timestamp\":\"9"},
                                                        {"{", "{\"bid\":1,"},
                                                        {"\"ask\":", "\"ask\":{\"a\":1},\"b\":"}}) {
    std::string one = good;
    one.replace(one.find(from), from.size(), to);
    bad.push_back(one);
  }
  for (const std::string& message : bad) {
    client({"PUBLISH", "quotes", message});
    client({"PUBLISH", "ohlc", message});
  }
  ASSERT_TRUE(eventually([&] { return stat(*edge, "edge_messages_damaged") == before + 2 * bad.size(); }))
      << stat(*edge, "edge_messages_damaged") - before << " of " << 2 * bad.size();
  // Damaged members and keys of other types are skipped too, when an edge starts.
  client({"ZADD", "ticks:EURUSD", "1", "no quote"});
  client({"SET", "ticks:WRONG", "a text"});
  client({"ZADD", "ohlc:EURUSD:1s", "1", "no bar"});
  client({"SET", "tick:latest:../x", "a text"});
  const auto second = serve_edge();
  EXPECT_GE(stat(*second, "edge_messages_damaged"), 2U);
  post_live(*node, "EURUSD", 3);
  for (const RunningServer* const one : {edge.get(), second.get()}) {
    expect_same(*node, *one, "/api/quotes/latest/EURUSD");
    expect_same(*node, *one, "/api/quotes/history/EURUSD");
    EXPECT_EQ(redis_health(*one)["status"], "healthy");
  }
  edge->stop();
  second->stop();
  node->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
