#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/decimal.h"
#include "support/redis_server.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {

/// A node and edges beside it, as processes of their own, with a real Redis between them.
class EdgeTest : public ServerTest {
 protected:
  static constexpr std::int64_t kBid = 1'100'000'000;

  void SetUp() override {
    ServerTest::SetUp();
    if (!RedisServer::is_installed()) GTEST_SKIP() << RedisServer::kMissing;
    redis_ = start_redis("redis");
  }

  std::unique_ptr<RedisServer> start_redis(const std::string& name) {
    const std::string folder = folder_ / name;
    std::filesystem::create_directories(folder);
    return std::make_unique<RedisServer>(folder);
  }

  /// The configuration of node and edge; `more` is further members.
  [[nodiscard]] std::string config(const std::string& more = {}) const {
    return R"({"redis_addr":")" + redis_->address() +
           R"(","timeframes":["1s","5s","1m","1d"],"day_close":"17:00 America/New_York","worker_count":2)" +
           (more.empty() ? "" : "," + more) + "}";
  }
  std::unique_ptr<RunningServer> serve_node(const std::string& more = {}) {
    return serve({"--config", file("node" + std::to_string(++configs_) + ".json", config(more))});
  }
  /// `more` as that of its node. It is ready once it has read all keys.
  std::unique_ptr<RunningServer> serve_edge(const std::string& more = {}) {
    auto edge = spawn_edge(more);
    edge->wait_until_ready();
    return edge;
  }
  std::unique_ptr<RunningServer> spawn_edge(const std::string& more = {}) {
    const std::string text = config(R"("role":"edge")" + (more.empty() ? "" : "," + more));
    return spawn({"--data-dir", edge_data(), "--config", file("edge" + std::to_string(++configs_) + ".json", text)});
  }
  /// Must never come into being.
  [[nodiscard]] std::string edge_data() const { return folder_ / "edge_data"; }

  // --- quotes

  static std::string quote(const std::string& symbol, std::int64_t time_ns, std::int64_t bid_units = kBid,
                           const std::string& lp = "LP1", const std::string& more = {}) {
    return R"({"symbol":")" + symbol + R"(","bid":)" + decimal_to_string(bid_units) + R"(,"ask":)" +
           decimal_to_string(bid_units + 20'000) + R"(,"lp":")" + lp + R"(","timestamp_ns":)" +
           std::to_string(time_ns) + more + "}\n";
  }
  static void post(const RunningServer& node, const std::string& lines, bool is_historical = false) {
    const auto reply = node.post(is_historical ? "/api/ingest?historical=true" : "/api/ingest", lines,
                                 "Content-Type: application/x-ndjson\r\n");
    ASSERT_EQ(reply.status, 200) << reply.body;
    ASSERT_NE(reply.body.find(R"("rejected":0)"), std::string::npos) << reply.body;
  }
  /// `count` live quotes, a microsecond apart, the last one now.
  static void post_live(const RunningServer& node, const std::string& symbol, int count) {
    const std::int64_t now = wall_clock().ns;
    std::string lines;
    for (int i = 0; i < count; ++i) {
      lines += quote(symbol, now - (count - 1 - i) * std::int64_t{1000}, kBid + i * 10'000);
    }
    post(node, lines);
  }

  // --- what servers say

  static nlohmann::json stats(const RunningServer& server) { return server.json("/api/pipeline/stats"); }
  static std::uint64_t stat(const RunningServer& server, const std::string& name) {
    return stats(server).at(name).get<std::uint64_t>();
  }
  static std::string epoch(const RunningServer& server) { return stats(server).at("epoch"); }
  static nlohmann::json redis_health(const RunningServer& server) {
    return nlohmann::json::parse(server.get("/api/pipeline/health").body, nullptr, false)["components"]["redis"];
  }
  static bool becomes(const RunningServer& server, const std::string& status) {
    return eventually([&] {
      const auto health = redis_health(server);
      return health.is_object() && health["status"] == status;
    });
  }

  /// Waits until both answer the same to the letter, the link to the next page included.
  static void expect_same(const RunningServer& node, const RunningServer& edge, const std::string& target) {
    HttpReply of_node;
    HttpReply of_edge;
    const bool are_same = eventually([&] {
      of_node = node.get(target);
      of_edge = edge.get(target);
      return of_node.status == of_edge.status && of_node.body == of_edge.body &&
             of_node.header("link") == of_edge.header("link");
    });
    EXPECT_TRUE(are_same) << target << "\nnode " << of_node.status << " " << of_node.header("link") << "\n"
                          << of_node.body.substr(0, 2000) << "\nedge " << of_edge.status << " "
                          << of_edge.header("link") << "\n"
                          << of_edge.body.substr(0, 2000) << "\n"
                          << edge.log();
  }
  /// All that Redis can know of these symbols.
  static void expect_same_market(const RunningServer& node, const RunningServer& edge,
                                 const std::vector<std::string>& symbols) {
    for (const std::string& symbol : symbols) {
      std::string encoded;
      for (const char c : symbol) encoded += c == '/' ? std::string("%2F") : std::string(1, c);
      expect_same(node, edge, "/api/quotes/latest/" + encoded);
      expect_same(node, edge, "/api/quotes/history/" + encoded + "?limit=50");
      expect_same(node, edge, "/api/quotes/history/" + encoded + "?limit=3&order=desc&from=2001-01-01");
      expect_same(node, edge, "/api/ticks/" + encoded + "?limit=7");
      expect_same(node, edge, "/api/ticks/?symbol=" + encoded + "&limit=5&to=2200-01-01");
      for (const char* const timeframe : {"1s", "5s", "1m", "1d"}) {
        const std::string bars = "/api/ohlc/" + encoded + "?timeframe=" + timeframe;
        expect_same(node, edge, bars + "&limit=500");
        expect_same(node, edge, bars + "&limit=3&order=desc");
        expect_same(node, edge, bars + "&closed=true");
        expect_same(node, edge, bars + "&fill=prev&limit=200");
        expect_same(node, edge, "/api/ohlc/latest/" + encoded + "?timeframe=" + timeframe);
      }
    }
    expect_same(node, edge, "/api/quotes/latest");
    expect_same(node, edge, "/api/symbols");
    expect_same(node, edge, "/api/quotes/latest/NOBODY");
    expect_same(node, edge, "/api/ohlc/EURUSD?timeframe=7m");
    expect_same(node, edge, "/api/quotes/history/EURUSD?limit=0");
  }

  std::unique_ptr<RedisServer> redis_;
  int configs_ = 0;
};

}  // namespace tickpipe::internal::testing
