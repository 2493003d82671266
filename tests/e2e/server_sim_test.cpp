// The simulated market in a running server.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/timestamp_text.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

class ServerSimTest : public ServerTest {
 protected:
  static bool is_live(const RunningServer& server) {
    return eventually([&] { return server.json("/api/pipeline/health")["feeds"][0]["state"] == "live"; });
  }
  static std::string sim(const std::string& more) {
    return R"({"feeds":[{"type":"sim","sessions":false)" + more + "}]}";
  }
  static std::uint64_t count(const nlohmann::json& stats, const char* name) { return stats[name].get<std::uint64_t>(); }

  struct Tick {
    std::int64_t time_ns;
    std::string bid;
    std::uint64_t seq;
  };
  std::vector<Tick> ticks(const std::string& symbol) {
    std::vector<Tick> ticks;
    const auto lines = lines_of(exported("ticks", symbol));
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const auto fields = fields_of(lines[i]);
      EXPECT_EQ(fields.at(4), "SIM");
      ticks.push_back({std::stoll(fields.at(0)), fields.at(2), std::stoull(fields.at(5))});
    }
    return ticks;
  }
};

TEST_F(ServerSimTest, FiftySymbolsAreServedWithAnHourOfHistory) {
  const auto server = serve_with(sim(""));
  EXPECT_TRUE(eventually([&] { return server->json("/api/quotes/latest").size() == 50; }));
  ASSERT_TRUE(is_live(*server));
  EXPECT_EQ(server->json("/api/symbols").size(), 50U);
  nlohmann::json bars;
  ASSERT_TRUE(eventually([&] {
    bars = server->json("/api/ohlc/BTCUSD?limit=50");
    return bars.size() == 50;
  }));
  for (std::size_t i = 1; i < bars.size(); ++i) {
    EXPECT_EQ(parse_timestamp(bars[i]["open_time"].get<std::string>())->ns -
                  parse_timestamp(bars[i - 1]["open_time"].get<std::string>())->ns,
              60 * kNanosPerSecond)
        << "no hole";
  }
  const auto before = count(server->json("/api/pipeline/stats"), "ticks_received");
  EXPECT_TRUE(eventually([&] { return count(server->json("/api/pipeline/stats"), "ticks_received") > before + 50; }));
  const auto stats = server->json("/api/pipeline/stats");
  EXPECT_EQ(count(stats, "ticks_invalid"), 0U) << stats;
  EXPECT_EQ(count(stats, "ticks_duplicate"), 0U) << stats;
  EXPECT_EQ(count(stats, "ticks_dropped"), 0U) << stats;
  EXPECT_EQ(count(stats, "abnormal_spikes_detected"), 0U) << stats;
  EXPECT_EQ(server->json("/api/pipeline/health")["overall_status"], "healthy");
  server->stop();
}

TEST_F(ServerSimTest, StartedWithNothingItSimulates) {
  RunningServer server({TICKPIPE_EXECUTABLE, "serve", "--port", "0", "--data-dir", data()}, folder_ / "bare", {});
  server.wait_until_ready();
  const auto feeds = server.json("/api/pipeline/health")["feeds"];
  ASSERT_EQ(feeds.size(), 1U);
  EXPECT_EQ(feeds[0]["name"], "sim");
  EXPECT_TRUE(eventually([&] { return server.get("/api/quotes/latest/BTCUSD").status == 200; }));
  server.stop();
}

TEST_F(ServerSimTest, ARestartFillsInOnlyWhatIsMissing) {
  const std::vector<std::string> options = {"--feed", "sim:BTCUSD,ETHUSD"};
  std::size_t stored = 0;
  for (const bool is_killed : {false, true, false}) {
    const auto before = stored == 0 ? std::vector<Tick>{} : ticks("BTCUSD");
    const auto server = serve(options);
    ASSERT_TRUE(is_live(*server));
    ASSERT_TRUE(eventually([&] { return count(server->json("/api/pipeline/stats"), "ticks_in_flight") == 0; }));
    ASSERT_TRUE(eventually([&] { return count(server->json("/api/pipeline/stats"), "ticks_processed") > 20; }));
    const auto stats = server->json("/api/pipeline/stats");
    EXPECT_EQ(count(stats, "ticks_duplicate"), 0U);
    EXPECT_EQ(count(stats, "ticks_invalid"), 0U);
    if (is_killed) {
      server->kill();
    } else {
      server->stop();
    }
    auto after = ticks("BTCUSD");
    ASSERT_GT(after.size(), before.size());
    EXPECT_GT(after.size(), 3'000U) << "an hour, at most one a second";
    std::set<std::int64_t> times;
    for (const Tick& tick : after) EXPECT_TRUE(times.insert(tick.time_ns).second) << "twice";
    for (std::size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(after[i].time_ns, before[i].time_ns) << "new ticks come after the old ones";
      EXPECT_EQ(after[i].seq, before[i].seq);
    }
    for (std::size_t i = 1; i < after.size(); ++i) {
      EXPECT_LT(after[i].time_ns - after[i - 1].time_ns, 60 * kNanosPerSecond) << "no hole";
    }
    stored = after.size();
  }
}

TEST_F(ServerSimTest, TheSameSeedIsTheSameMarketAndAnotherIsNot) {
  std::vector<std::map<std::int64_t, std::string>> markets;
  for (const char* seed : {"7", "7", "8"}) {
    std::filesystem::remove_all(data());
    const auto server = serve_with(sim(R"(,"symbols":["EURUSD","GBPUSD"],"seed":)" + std::string(seed)));
    ASSERT_TRUE(is_live(*server));
    server->stop();
    auto& market = markets.emplace_back();
    for (const Tick& tick : ticks("EURUSD")) market[tick.time_ns] = tick.bid;
  }
  const auto common = [](const auto& a, const auto& b) {
    std::size_t same_time = 0;
    std::size_t same_price = 0;
    for (const auto& [time_ns, bid] : a) {
      const auto found = b.find(time_ns);
      if (found == b.end()) continue;
      ++same_time;
      if (found->second == bid) ++same_price;
    }
    return std::pair{same_time, same_price};
  };
  const auto [times, prices] = common(markets[0], markets[1]);
  EXPECT_GT(times, 3'000U);
  EXPECT_EQ(prices, times);
  EXPECT_LT(common(markets[0], markets[2]).second, 100U);
}

}  // namespace
}  // namespace tickpipe::internal::testing
