// What an edge answers over REST, compared with its node.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/edge_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class EdgeAnswersTest : public EdgeTest {};

TEST_F(EdgeAnswersTest, TheSimulatedMarketIsTheSameToTheLetter) {
  // `sim` first loads the last hour, which goes over no channel; then it is live.
  const std::string more = R"("feeds":["sim:EURUSD,BTCUSD,USDJPY,XAUUSD"])";
  auto node = serve_node(more);
  const auto edge = serve_edge();
  ASSERT_TRUE(eventually([&] { return stat(*edge, "edge_messages") > 200; })) << edge->log();
  node->stop();
  node = serve_node();
  expect_same_market(*node, *edge, {"EURUSD", "BTCUSD", "USDJPY", "XAUUSD"});
  EXPECT_EQ(epoch(*edge), epoch(*node));
  // One that comes later knows the same.
  const auto second = serve_edge();
  expect_same_market(*node, *second, {"EURUSD", "BTCUSD", "USDJPY", "XAUUSD"});
  EXPECT_FALSE(std::filesystem::exists(edge_data()));
  EXPECT_EQ(stat(*edge, "edge_messages_damaged"), 0);
  for (const RunningServer* const one : {edge.get(), second.get(), node.get()}) one->signal(SIGTERM);
  EXPECT_EQ(edge->wait(), 0) << edge->log();
}

TEST_F(EdgeAnswersTest, PostedQuotesLateOnesHistoryAndRevisionsAreTheSame) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  const std::int64_t now = wall_clock().ns;
  const std::int64_t second = 1'000'000'000;
  // Three LPs, sizes, a spike, quotes that are late, a name with a slash.
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    const std::string lp = i % 3 == 0 ? "LP1" : i % 3 == 1 ? "lp-2" : "Third.LP";
    lines += quote("EURUSD", now - (40 - i) * second / 4, kBid + i * 12'345, lp,
                   i % 2 == 0 ? R"(,"bid_size":1000000.000000001,"ask_size":0)" : "");
  }
  lines += quote("EURUSD", now - 3 * second, kBid * 5 / 4);
  lines += quote("EURUSD", now - 7 * second, kBid + 7);
  lines += quote("EUR/USD:X", now - second, 1);
  lines += quote("BTCUSD", now, 87'654'321'000'000'001);
  post(*node, lines);
  expect_same_market(*node, *edge, {"EURUSD", "EUR/USD:X", "BTCUSD"});
  // Bars close by the clock; then a late quote corrects one.
  ASSERT_TRUE(eventually(
      [&] { return node->get("/api/ohlc/EURUSD?timeframe=1s&limit=500").body.find("false") == std::string::npos; }));
  post(*node, quote("EURUSD", now - 5 * second + 1, kBid * 11 / 10, "lp-2"));
  ASSERT_TRUE(eventually([&] {
    return node->get("/api/ohlc/EURUSD?timeframe=1s&limit=500").body.find(R"("revision":1)") != std::string::npos;
  }));
  expect_same_market(*node, *edge, {"EURUSD", "EUR/USD:X", "BTCUSD"});
  // History goes over no channel: for a symbol that is there, before and between what it has, and for a new one.
  std::string history;
  for (int i = 0; i < 30; ++i) {
    history += quote("EURUSD", now - (3'600 + i) * second, kBid - i * 1'000, "OLD");
    history += quote("EURUSD", now - 2 * second - i, kBid - i * 1'000, "OLD");
    history += quote("GBPUSD", now - (86'400 + 60 * i) * second, kBid + i, "OLD");
  }
  post(*node, history, true);
  expect_same_market(*node, *edge, {"EURUSD", "GBPUSD", "BTCUSD"});
  // A quote that is too old for `quotes`, and one of history that becomes the latest.
  post(*node, quote("EURUSD", wall_clock().ns - 70 * second, kBid + 99));
  post(*node, quote("GBPUSD", wall_clock().ns - 120 * second, kBid + 98), true);
  expect_same_market(*node, *edge, {"EURUSD", "GBPUSD"});
  const auto second_edge = serve_edge();
  expect_same_market(*node, *second_edge, {"EURUSD", "EUR/USD:X", "BTCUSD", "GBPUSD"});
  edge->stop();
  second_edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, QuotesOutsideTheSelectedStreamAreNeverTheLatest) {
  const std::string more = R"("quote_source":["A"])";
  const auto node = serve_node(more);
  const auto edge = serve_edge(more);
  const std::int64_t now = wall_clock().ns;
  for (int i = 0; i < 10; ++i) {
    post(*node, quote("EURUSD", now + i * 1'000, kBid + i, "B") + quote("EURUSD", now + i * 1'000 + 1, kBid - i, "A") +
                    quote("EURUSD", now + i * 1'000 + 2, kBid + i, "B"));
  }
  expect_same_market(*node, *edge, {"EURUSD"});
  EXPECT_EQ(stat(*edge, "edge_quotes_lost"), 0U);
  const auto second = serve_edge(more);
  expect_same_market(*node, *second, {"EURUSD"});
  edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, OnlyTheNewestQuotesAndBarsAreKnown) {
  const std::string more = R"("hot_data_retention":50)";
  const auto node = serve_node(more);
  const auto edge = serve_edge(more);
  const std::int64_t now = wall_clock().ns;
  std::string lines;
  for (int i = 0; i < 600; ++i) lines += quote("EURUSD", now - (600 - i) * std::int64_t{1'000'000'000}, kBid + i);
  post(*node, lines, true);
  expect_same(*node, *edge, "/api/ohlc/EURUSD?timeframe=1s&limit=500&to=2200-01-01");
  expect_same(*node, *edge, "/api/quotes/history/EURUSD?limit=40&order=desc");
  ASSERT_TRUE(eventually([&] { return edge->json("/api/ohlc/EURUSD?timeframe=1s&limit=1000").size() == 500; }));
  EXPECT_EQ(edge->json("/api/quotes/history/EURUSD?limit=1000").size(), 50U);
  EXPECT_EQ(node->json("/api/quotes/history/EURUSD?limit=1000").size(), 600U);
  edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, WhatWouldChangeSomethingIsSentToTheNode) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  const auto expect_refused = [](const HttpReply& reply) {
    EXPECT_EQ(reply.status, 403) << reply.body;
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    const Json problem = Json::parse(reply.body, nullptr, false);
    EXPECT_EQ(problem["code"], "read_only_edge");
    EXPECT_EQ(problem["title"], "Forbidden");
    EXPECT_THAT(problem["detail"].get<std::string>(), HasSubstr("send it to the node"));
  };
  expect_refused(edge->post("/api/ingest", quote("EURUSD", wall_clock().ns)));
  expect_refused(edge->post("/api/ingest?historical=true", quote("EURUSD", wall_clock().ns)));
  expect_refused(edge->post("/admin/pipeline/cleanup", ""));
  expect_refused(edge->get("/ws/ingest",
                           "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_EQ(edge->get("/api/ingest").status, 405);
  EXPECT_EQ(node->json("/api/symbols").size(), 0U);
  edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, ItSaysOfItselfWhatIsTrue) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post_live(*node, "EURUSD", 20);
  expect_same(*node, *edge, "/api/quotes/latest/EURUSD");
  const Json said = stats(*edge);
  EXPECT_EQ(said["ticks_received"], 20);
  EXPECT_EQ(said["ticks_processed"], 20);
  EXPECT_EQ(said["ticks_invalid"], 0);
  EXPECT_EQ(said["symbols"], 1);
  EXPECT_EQ(said["epoch"], epoch(*node));
  EXPECT_EQ(said["edge_gaps"], 0);
  EXPECT_EQ(said["edge_quotes_refilled"], 0);
  EXPECT_GE(said["edge_quotes"], 20);
  EXPECT_EQ(said["last_tick_time"], stats(*node)["last_tick_time"]);
  const Json health = edge->json("/api/pipeline/health");
  EXPECT_EQ(health["overall_status"], "healthy");
  std::vector<std::string> components;
  for (const auto& [name, component] : health["components"].items()) components.push_back(name);
  EXPECT_THAT(components, ::testing::UnorderedElementsAre("redis", "distributor", "monitor"));
  const std::string metrics = edge->get("/metrics").body;
  for (const char* const line : {"\ntickpipe_edge_gaps_total 0\n", "\ntickpipe_edge_quotes_refilled_total 0\n",
                                 "\ntickpipe_ready 1\n", "tickpipe_component_status{component=\"redis\""}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
  const Json feed = edge->json("/api/pipeline/feed-health")["EURUSD"];
  EXPECT_EQ(feed["status"], node->json("/api/pipeline/feed-health")["EURUSD"]["status"]);
  EXPECT_EQ(feed["tick_count"], 20);
  EXPECT_TRUE(edge->has_logged("[Pipeline] Market data pipeline started"));
  edge->stop();
  EXPECT_TRUE(edge->has_logged("stopped"));
  node->stop();
}

TEST_F(EdgeAnswersTest, ItIsNotReadyBeforeItHasReadEverything) {
  const auto edge = spawn_edge();
  ASSERT_TRUE(edge->logs("tickpipe:sink is absent"));
  edge->wait_until_listening();
  EXPECT_EQ(edge->get("/healthz").status, 200);
  for (const char* const target :
       {"/readyz", "/api/quotes/latest", "/api/symbols", "/api/quotes/stream?symbol=EURUSD"}) {
    EXPECT_EQ(edge->get(target).status, 503) << target;
  }
  const auto health = edge->json("/api/pipeline/health");
  EXPECT_EQ(health["overall_status"], "degraded");
  EXPECT_THAT(health["components"]["redis"]["detail"].get<std::string>(), HasSubstr("tickpipe:sink"));
  const auto node = serve_node();
  edge->wait_until_ready();
  EXPECT_TRUE(becomes(*edge, "healthy"));
  edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, AReloadTakesOverWhatAnEdgeCanChange) {
  const auto node = serve_node();
  const auto edge = serve_edge();
  post(*node, quote("EURUSD", wall_clock().ns - 20'000'000'000));
  ASSERT_TRUE(eventually([&] { return edge->get("/api/quotes/latest/EURUSD").status == 200; }));
  EXPECT_EQ(edge->json("/api/quotes/latest/EURUSD").at("stale"), true);
  write_file(folder_ / "edge2.json",
             config(R"("role":"edge","stale_quote_threshold":"1h","hot_data_retention":7,"price_reject_ratio":9)"));
  edge->signal(SIGHUP);
  ASSERT_TRUE(edge->logs("configuration reloaded")) << edge->log();
  EXPECT_EQ(edge->json("/api/quotes/latest/EURUSD").at("stale"), false);
  EXPECT_TRUE(edge->has_logged("in force from the next start on: price_reject_ratio, hot_data_retention"))
      << edge->log();
  edge->stop();
  node->stop();
}

TEST_F(EdgeAnswersTest, AFeedAskedForByHandIsRefused) {
  const auto result = serve_and_end({"--feed", "sim"}, {"TICKPIPE_ROLE=edge", "REDIS_ADDR=" + redis_->address()});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("give the feed to the node"));
}

}  // namespace
}  // namespace tickpipe::internal::testing
