// Nothing is lost silently: the counters add up at every moment, and what was acknowledged survives kill -9.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/decimal.h"
#include "support/brute_force.h"
#include "support/server_fixture.h"
#include "unit/ingest/hostile_lines.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

class ServerAccountingTest : public ServerTest {
 protected:
  static std::uint64_t count(const Json& stats, const char* name) { return stats.at(name).get<std::uint64_t>(); }
  static std::uint64_t refused(const Json& stats) {
    std::uint64_t sum = 0;
    for (const auto& [name, value] : stats.items()) {
      if (name.starts_with("refused_")) sum += value.get<std::uint64_t>();
    }
    return sum;
  }
  static void expect_balance(const Json& stats) {
    EXPECT_EQ(count(stats, "ticks_received"), count(stats, "ticks_processed") + refused(stats) +
                                                  count(stats, "ticks_dropped") + count(stats, "ticks_in_flight"))
        << stats;
    EXPECT_EQ(count(stats, "ticks_duplicate") + count(stats, "ticks_invalid"), refused(stats)) << stats;
  }
};

TEST_F(ServerAccountingTest, CountersAddUpAtEveryMomentUnderHostileBodies) {
  const auto server = serve_with(R"({"tick_buffer_size":64,"timeframes":["1s","1m"]})");
  constexpr int kPosters = 4;
  constexpr int kBodies = 250;
  std::atomic<std::uint64_t> received{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<int> unread{0};
  std::atomic<int> running{kPosters};
  std::vector<std::jthread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&, p] {
      std::mt19937_64 random(static_cast<std::uint64_t>(p));
      HostileLines lines(static_cast<std::uint64_t>(p) + 100);
      HttpClient client = server->connect();
      for (int i = 0; i < kBodies; ++i) {
        const bool is_array = random() % 4 == 0;
        std::string body;
        for (std::uint64_t n = 1 + random() % 60; n > 0; --n) {
          if (!body.empty()) body += is_array ? "," : "\n";
          // Damaged elements would spoil most arrays as a whole.
          if ((is_array && random() % 200 != 0) || random() % 3 == 0) {
            body += R"({"symbol":"S)" + std::to_string(random() % 7) + R"(","bid":1.)" + std::to_string(random() % 90) +
                    R"(,"ask":)" + (random() % 9 == 0 ? "0.5" : "2") + R"(,"timestamp_ns":)" +
                    std::to_string(wall_clock().ns - static_cast<std::int64_t>(random() % 3) * kNanosPerSecond) + "}";
            if (!is_array && random() % 5 == 0) body += "\n" + body.substr(body.rfind('\n') + 1);  // again
          } else {
            body += lines.next();
          }
        }
        if (is_array) body = "[" + body + "]";
        const auto reply = client.post(random() % 2 == 0 ? "/api/ingest" : "/api/ingest?historical=true", body,
                                       "Content-Type: application/x-ndjson\r\n");
        ASSERT_TRUE(reply) << "no answer to " << body;
        ASSERT_TRUE(reply->status == 200 || reply->status == 400) << reply->status << " " << reply->body;
        const auto answer = Json::parse(reply->body);
        if (!answer.contains("received")) {
          ++unread;
          continue;
        }
        received += count(answer, "received");
        accepted += count(answer, "accepted");
        rejected += count(answer, "rejected");
        EXPECT_EQ(count(answer, "received"), count(answer, "accepted") + count(answer, "rejected")) << answer;
        EXPECT_EQ(answer["errors"].size(), std::min<std::uint64_t>(100, count(answer, "rejected")));
        if (reply->status == 400) {
          EXPECT_EQ(answer["code"], "not_well_formed");
        }
      }
      --running;
    });
  }
  int readings = 0;
  int with_work = 0;
  HttpClient reader = server->connect();
  while (running != 0 && !HasFailure()) {
    const auto reply = reader.get("/api/pipeline/stats");
    ASSERT_TRUE(reply && reply->status == 200);
    const auto stats = Json::parse(reply->body);
    expect_balance(stats);
    ++readings;
    if (count(stats, "ticks_in_flight") != 0) ++with_work;
  }
  posters.clear();
  EXPECT_GT(readings, 20);
  EXPECT_GT(with_work, 0) << "nothing was under way at any reading";
  const auto stats = server->json("/api/pipeline/stats");
  expect_balance(stats);
  EXPECT_EQ(count(stats, "ticks_in_flight"), 0U);
  EXPECT_EQ(count(stats, "ticks_received"), received);
  EXPECT_EQ(count(stats, "ticks_processed"), accepted);
  EXPECT_EQ(refused(stats), rejected);
  EXPECT_EQ(count(stats, "ticks_dropped"), 0U);
  for (const char* reason : {"malformed", "bad_price", "bad_symbol", "bad_timestamp", "crossed", "duplicate"}) {
    EXPECT_GT(count(stats, (std::string("refused_") + reason).c_str()), 0U) << reason;
  }
  std::uint64_t stored = 0;
  for (const auto& symbol : server->json("/api/symbols")) stored += count(symbol, "tick_count");
  EXPECT_EQ(stored, accepted);
  server->stop();
}

struct Sent {
  std::string symbol;
  std::int64_t time_ns;
  std::string bid;
  std::string lp;
  friend auto operator<=>(const Sent&, const Sent&) = default;
};

/// How often the server is killed: TICKPIPE_KILL_ROUNDS, else 50, fewer where a sanitizer makes every start slow.
int kill_rounds() {
  if (const char* const rounds = std::getenv("TICKPIPE_KILL_ROUNDS")) return std::stoi(rounds);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 10;
#else
  return 50;
#endif
}

TEST_F(ServerAccountingTest, WhatWasAcknowledgedIsThereOnceAfterKill9AndBarsFit) {
  const std::string config = R"({"timeframes":["1s","5s","1m"],"bar_revision_window":"3s","worker_count":2})";
  std::mt19937_64 random(20'260'101);
  std::set<Sent> acknowledged;
  std::uint64_t late = 0;
  const int rounds = kill_rounds();
  for (int round = 0; round < rounds; ++round) {
    const auto server = serve_with(config);
    std::mutex mutex;
    std::atomic<bool> is_over{false};
    std::atomic<std::size_t> acknowledged_now{0};
    std::vector<std::jthread> posters;
    for (int p = 0; p < 4; ++p) {
      posters.emplace_back([&, p, seed = random(), client = server->connect()]() mutable {
        std::mt19937_64 own(seed);
        const std::string lp = "LP" + std::to_string(p);
        std::int64_t last = 0;
        while (!is_over) {
          std::vector<Sent> batch;
          std::string body;
          for (std::uint64_t n = 1 + own() % 20; n > 0; --n) {
            last = std::max(last + 1, wall_clock().ns);
            Sent sent;
            sent.symbol = own() % 2 == 0 ? "EURUSD" : "USDJPY";
            sent.time_ns = own() % 8 == 0 ? last - static_cast<std::int64_t>(own() % 12'000) * kNanosPerMilli : last;
            sent.bid = decimal_to_string(1'100'000'000 + static_cast<std::int64_t>(own() % 10'000'000));
            sent.lp = lp;
            body += R"({"symbol":")" + sent.symbol + R"(","bid":)" + sent.bid + R"(,"ask":1.2,"lp":")" + lp +
                    R"(","timestamp_ns":)" + std::to_string(sent.time_ns) + "}\n";
            batch.push_back(std::move(sent));
          }
          const auto reply = client.post("/api/ingest", body, "Content-Type: application/x-ndjson\r\n");
          if (!reply) return;  // killed
          ASSERT_EQ(reply->status, 200) << reply->body;
          ASSERT_EQ(Json::parse(reply->body)["accepted"], batch.size()) << reply->body;
          const std::lock_guard lock(mutex);
          acknowledged.insert(batch.begin(), batch.end());
          acknowledged_now += batch.size();
        }
      });
    }
    // Of every five, one dies soon after its start, with what it still recovers from the round before.
    const std::size_t enough = round % 5 == 3 ? 0 : 200;
    EXPECT_TRUE(eventually([&] { return acknowledged_now > enough; }));
    ::usleep(static_cast<useconds_t>(random() % 300'000));
    server->kill();
    is_over = true;
    posters.clear();

    if (round % 5 != 4 && round + 1 != rounds) continue;  // the next round starts on what is there now
    const auto again = serve_with(config);
    for (const char* symbol : {"EURUSD", "USDJPY"}) {
      struct Row {
        std::uint64_t seq;
        PricePoint point;
        bool is_late;
      };
      std::vector<Row> rows;
      std::set<Sent> stored;
      auto lines = lines_of(exported("ticks", symbol));
      for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto fields = fields_of(lines[i]);
        const std::int64_t time_ns = std::stoll(fields.at(0));
        EXPECT_TRUE(stored.insert({symbol, time_ns, fields.at(2), fields.at(4)}).second) << "twice: " << lines[i];
        const Price mid = mid_price(Price{parse_decimal(fields.at(2)).units}, Price{parse_decimal(fields.at(3)).units});
        rows.push_back({std::stoull(fields.at(5)),
                        {UnixNanos{time_ns}, mid},
                        fields.at(6).find("late_for_bars") != std::string::npos});
      }
      for (const Sent& sent : acknowledged) {
        if (sent.symbol == symbol) {
          EXPECT_TRUE(stored.contains(sent)) << "lost: " << sent.time_ns << " " << sent.lp;
        }
      }
      std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.seq < b.seq; });
      std::vector<PricePoint> in_bars;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(rows[i].seq, i + 1);
        if (rows[i].is_late) {
          ++late;
        } else {
          in_bars.push_back(rows[i].point);
        }
      }
      const TradingCalendar calendar("00:00 UTC");
      for (const char* timeframe : {"1s", "5s", "1m"}) {
        const auto wanted = fold_brute_force(in_bars, *parse_timeframe(timeframe), calendar);
        const auto got =
            raw_objects(again->get(std::string("/api/ohlc/") + symbol + "?limit=10000&timeframe=" + timeframe).body);
        lines = lines_of(exported("bars", symbol, {"--timeframe", timeframe}));
        ASSERT_EQ(lines.size(), wanted.size() + 1) << symbol << " " << timeframe;
        ASSERT_EQ(got.size(), wanted.size());
        std::size_t i = 0;
        for (const auto& [open_time, bar] : wanted) {
          const auto fields = fields_of(lines[i + 1]);
          ASSERT_EQ(fields.at(0), std::to_string(open_time.ns / kNanosPerMilli));
          const std::vector<std::string> figures = {decimal_to_string(bar.open.units),
                                                    decimal_to_string(bar.high.units), decimal_to_string(bar.low.units),
                                                    decimal_to_string(bar.close.units), std::to_string(bar.tick_count)};
          ASSERT_EQ((std::vector<std::string>(fields.begin() + 1, fields.begin() + 6)), figures) << timeframe;
          const RawMembers& rest = got[i++];
          ASSERT_EQ(
              (std::vector{rest.at("open"), rest.at("high"), rest.at("low"), rest.at("close"), rest.at("tick_count")}),
              figures);
        }
      }
    }
    again->stop();
  }
  EXPECT_GT(acknowledged.size(), 1'000U);
  EXPECT_GT(late, 0U) << "no tick was late: nothing was tested of them";
}

}  // namespace
}  // namespace tickpipe::internal::testing
