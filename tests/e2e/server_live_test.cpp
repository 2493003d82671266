// Quotes of now: bars that the clock closes, late quotes, and what is still there after a restart.

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/decimal.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

class ServerLiveTest : public ServerTest {
 protected:
  static std::string quote(const std::string& symbol, UnixNanos time, const std::string& bid,
                           const std::string& lp = "A") {
    return R"({"symbol":")" + symbol + R"(","bid":)" + bid + R"(,"ask":)" + bid + R"(5,"lp":")" + lp +
           R"(","timestamp_ns":)" + std::to_string(time.ns) + "}";
  }

  static std::uint64_t count(const nlohmann::json& stats, const char* name) { return stats[name].get<std::uint64_t>(); }

  static bool is_closed(const RunningServer& server, const std::string& symbol, const std::string& timeframe) {
    const auto reply = server.get("/api/ohlc/" + symbol + "?closed=true&timeframe=" + timeframe);
    return reply.status == 200 && reply.body != "[]";
  }

  std::vector<std::vector<std::string>> exported_rows(const std::string& what, const std::string& symbol,
                                                      const std::vector<std::string>& options = {}) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : lines_of(exported(what, symbol, options))) rows.push_back(fields_of(line));
    if (!rows.empty()) rows.erase(rows.begin());
    return rows;
  }
};

TEST_F(ServerLiveTest, ABarIsClosedByTheClockWithoutAnotherTick) {
  const auto server = serve_with(R"({"timeframes":["1s","5s","1m"]})");
  const UnixNanos sent = wall_clock();
  EXPECT_EQ(server->ingest(quote("EURUSD", sent, "1.1"))["accepted"], 1);
  EXPECT_TRUE(eventually([&] { return is_closed(*server, "EURUSD", "1s"); }));
  const std::int64_t end = (sent.ns / kNanosPerSecond + 1) * kNanosPerSecond;
  EXPECT_GE(wall_clock().ns, end + 2 * kNanosPerSecond) << "bar_close_grace is two seconds";
  EXPECT_TRUE(eventually([&] { return is_closed(*server, "EURUSD", "5s"); }));
  EXPECT_TRUE(server->logs("[OHLCEngine] Closing bar: EURUSD 1s "));
  EXPECT_TRUE(server->logs("[OHLCEngine] Closing bar: EURUSD 5s "));
  EXPECT_TRUE(server->logs(" O: 1.125 H: 1.125 L: 1.125 C: 1.125 V: 1"));
  EXPECT_EQ(server->get("/api/ohlc/latest/EURUSD?timeframe=1s").status, 404);
  server->stop();
}

TEST_F(ServerLiveTest, EverythingIsAsBeforeAfterARestart) {
  const std::string config = R"({"timeframes":["1s","5s","1m"]})";
  std::mt19937_64 random(3);
  std::vector<std::string> bodies;
  auto server = serve_with(config);
  UnixNanos time = wall_clock() - std::chrono::seconds{50};
  std::uint64_t accepted = 0;
  while (time < wall_clock()) {
    std::string body;
    for (int i = 0; i < 20; ++i) {
      const UnixNanos late = random() % 4 == 0 ? time - std::chrono::milliseconds{random() % 8'000} : time;
      body += quote(random() % 2 == 0 ? "EURUSD" : "USDJPY", late, "1." + std::to_string(100 + random() % 9),
                    std::string(1, static_cast<char>('A' + random() % 3))) +
              "\n";
      time = time + std::chrono::milliseconds{random() % 200};
      if (time > wall_clock()) break;
    }
    bodies.push_back(body);
    accepted += server->ingest(body)["accepted"].get<std::uint64_t>();
  }
  EXPECT_GT(accepted, 300U);
  EXPECT_GT(count(server->json("/api/pipeline/stats"), "ticks_out_of_order"), 20U);

  struct Seen {
    std::vector<RawMembers> latest, bars, quotes;
  };
  const auto look = [](const RunningServer& at) {
    Seen seen;
    seen.latest = raw_objects(at.get("/api/quotes/latest").body);
    for (const char* symbol : {"EURUSD", "USDJPY"}) {
      for (const char* timeframe : {"1s", "5s", "1m"}) {
        const auto target = std::string("/api/ohlc/") + symbol + "?limit=10000&timeframe=" + timeframe;
        for (RawMembers& bar : raw_objects(at.get(target).body)) seen.bars.push_back(std::move(bar));
      }
      for (RawMembers& each : whole_history(at, symbol, 100)) seen.quotes.push_back(std::move(each));
    }
    for (auto* list : {&seen.latest, &seen.quotes}) {
      for (RawMembers& each : *list) each.erase("stale");  // depends on when it is asked
    }
    return seen;
  };
  const Seen before = look(*server);
  EXPECT_EQ(before.latest.size(), 2U);
  EXPECT_EQ(before.quotes.size(), accepted);
  const auto epoch = server->json("/api/pipeline/stats")["epoch"];
  for (const bool is_killed : {false, true}) {
    if (is_killed) {
      server->kill();
    } else {
      server->stop();
    }
    server = serve_with(config);
    EXPECT_EQ(server->json("/api/pipeline/stats")["epoch"], epoch);
    const Seen after = look(*server);
    EXPECT_EQ(after.latest, before.latest);
    EXPECT_EQ(after.quotes, before.quotes);
    ASSERT_EQ(after.bars.size(), before.bars.size());
    for (std::size_t i = 0; i < after.bars.size(); ++i) {
      RawMembers bar = after.bars[i];
      // The clock may have closed it meanwhile; it opens none again.
      if (before.bars[i].at("is_closed") == "false") bar["is_closed"] = "false";
      EXPECT_EQ(bar, before.bars[i]);
    }
    for (const std::string& body : bodies) EXPECT_EQ(server->ingest(body)["accepted"], 0);
    EXPECT_EQ(look(*server).quotes, before.quotes);
  }
  const auto next = server->ingest(quote("EURUSD", wall_clock(), "1.1"));
  EXPECT_EQ(next["accepted"], 1);
  const auto latest = server->json("/api/quotes/latest/EURUSD");
  const auto seq = std::stoull(before.latest.at(0).at("seq"));
  EXPECT_GT(latest["seq"], seq) << "the numbers go on";
  server->stop();
}

TEST_F(ServerLiveTest, ATickTooLateForItsBarIsMarkedAndHistoryFoldsItIn) {
  const std::string config = R"({"timeframes":["1s","5s"],"bar_revision_window":"5s"})";
  auto server = serve_with(config);
  const UnixNanos now = wall_clock();
  const UnixNanos past{(now.ns / (5 * kNanosPerSecond) - 6) * 5 * kNanosPerSecond};
  const std::string late = quote("EURUSD", past + std::chrono::milliseconds{500}, "1.3");
  EXPECT_EQ(server->ingest(quote("EURUSD", past, "1.1"))["accepted"], 1);
  EXPECT_EQ(server->ingest(quote("EURUSD", now, "1.2"))["accepted"], 1);
  EXPECT_TRUE(is_closed(*server, "EURUSD", "1s"));
  EXPECT_EQ(server->ingest(late)["accepted"], 1);
  EXPECT_EQ(server->json("/api/pipeline/stats")["ticks_late_for_bars"], 1);

  const auto flags_of_late = [this] { return exported_rows("ticks", "EURUSD").at(1).at(6); };
  const auto ticks_in_bar = [this](const char* timeframe) {
    return exported_rows("bars", "EURUSD", {"--timeframe", timeframe}).at(0).at(5);
  };
  const auto expect_marked = [&] {
    EXPECT_EQ(flags_of_late(), "out_of_order|late_for_bars");
    EXPECT_EQ(ticks_in_bar("1s"), "1");
    EXPECT_EQ(ticks_in_bar("5s"), "1");
  };
  expect_marked();
  server->kill();
  server = serve_with(config);
  expect_marked();
  EXPECT_EQ(server->ingest(late)["rejected"], 1) << "live it stays a duplicate";
  expect_marked();

  const auto folded = server->ingest(late, true);
  EXPECT_EQ(folded["accepted"], 0) << folded;
  EXPECT_EQ(folded["errors"][0]["reason"], "duplicate");
  const auto expect_folded = [&] {
    EXPECT_EQ(flags_of_late(), "out_of_order");
    EXPECT_EQ(ticks_in_bar("1s"), "2");
    EXPECT_EQ(ticks_in_bar("5s"), "2");
    EXPECT_EQ(exported_rows("bars", "EURUSD", {"--timeframe", "1s"}).at(0).at(7), "1") << "revised";
  };
  EXPECT_TRUE(eventually([&] { return ticks_in_bar("5s") == "2"; }));
  expect_folded();
  EXPECT_EQ(server->json("/api/ohlc/EURUSD?timeframe=5s")[0]["tick_count"], 2);
  EXPECT_EQ(server->ingest(late, true)["accepted"], 0);
  server->kill();
  server = serve_with(config);
  expect_folded();
  EXPECT_EQ(server->json("/api/ohlc/EURUSD?timeframe=5s")[0]["tick_count"], 2);
  EXPECT_EQ(exported_rows("ticks", "EURUSD").size(), 3U);
  server->stop();
}

TEST_F(ServerLiveTest, AnOldLiveTickIsStoredAndIsNotTheLatest) {
  const auto server = serve_with("{}");
  const UnixNanos now = wall_clock();
  EXPECT_EQ(server->ingest(quote("EURUSD", now - std::chrono::minutes{2}, "1.1"))["accepted"], 1);
  EXPECT_EQ(server->get("/api/quotes/latest/EURUSD").status, 404);
  EXPECT_EQ(server->ingest(quote("EURUSD", now, "1.2"))["accepted"], 1);
  EXPECT_EQ(server->json("/api/quotes/latest/EURUSD")["bid"], 1.2);
  const auto refused = server->ingest(quote("EURUSD", now - std::chrono::minutes{11}, "1.2"));
  EXPECT_EQ(refused["errors"][0]["reason"], "too_old");
  EXPECT_EQ(server->ingest(quote("EURUSD", now - std::chrono::minutes{11}, "1.2"), true)["accepted"], 1);
  for (const bool is_historical : {false, true}) {
    const auto future = server->ingest(quote("EURUSD", wall_clock() + std::chrono::hours{1}, "1.2"), is_historical);
    EXPECT_EQ(future["errors"][0]["reason"], "in_future");
  }
  server->stop();
}

TEST_F(ServerLiveTest, WithoutAStoreItWorksUnderANewEpochEachTime) {
  const std::string config = R"({"store":{"type":"none"},"timeframes":["1s","1m"]})";
  std::string epoch;
  for (int i = 0; i < 2; ++i) {
    const auto server = serve_with(config);
    const auto stats = server->json("/api/pipeline/stats");
    EXPECT_NE(stats["epoch"], epoch);
    epoch = stats["epoch"];
    EXPECT_EQ(server->get("/api/quotes/latest/EURUSD").status, 404) << "nothing was kept";
    const UnixNanos now = wall_clock();
    EXPECT_EQ(server->ingest(quote("EURUSD", now, "1.1") + "\n" + quote("EURUSD", now, "1.1"))["accepted"], 1);
    EXPECT_EQ(server->json("/api/quotes/latest/EURUSD")["seq"], 1);
    EXPECT_EQ(server->json("/api/quotes/history/EURUSD").size(), 1U);
    EXPECT_TRUE(eventually([&] { return is_closed(*server, "EURUSD", "1s"); }));
    EXPECT_EQ(server->json("/api/ohlc/EURUSD").size(), 1U);
    server->stop();
  }
}

}  // namespace
}  // namespace tickpipe::internal::testing
