// What a server writes to Redis: keys, channels, and what becomes of them over restarts and outages.

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/decimal.h"
#include "support/redis_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string quote(const std::string& symbol, std::int64_t time_ns, std::int64_t bid_units,
                  const std::string& lp = "LP1") {
  return R"({"symbol":")" + symbol + R"(","bid":)" + decimal_to_string(bid_units) + R"(,"ask":)" +
         decimal_to_string(bid_units + 20'000) + R"(,"lp":")" + lp + R"(","timestamp_ns":)" + std::to_string(time_ns) +
         "}\n";
}

constexpr std::int64_t kBid = 1'100'000'000;
constexpr const char* kLines = "Content-Type: application/x-ndjson\r\n";

void post(const RunningServer& server, const std::string& lines, bool is_historical = false) {
  const auto reply = server.post(is_historical ? "/api/ingest?historical=true" : "/api/ingest", lines, kLines);
  ASSERT_EQ(reply.status, 200) << reply.body;
}

/// Posts `count` live quotes of a symbol, a millisecond apart, the last one now.
void post_live(const RunningServer& server, const std::string& symbol, int count, std::int64_t first_bid = kBid) {
  const std::int64_t now = wall_clock().ns;
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += quote(symbol, now - (count - 1 - i) * kNanosPerMilli, first_bid + i * 10'000);
  }
  post(server, lines);
}

/// Messages of the channels, collected by a thread of its own until it goes.
class Subscriber {
 public:
  explicit Subscriber(const RedisServer& redis, const std::string& pattern = "*") : client_(redis.client()) {
    client_({"PSUBSCRIBE", pattern});
    client_({"SUBSCRIBE", kEnd});
    thread_ = std::jthread([this] {
      while (const auto message = client_.next(kPatience)) {
        if (message->elements.size() == 3) return;  // of the channel, not of the pattern: the end
        messages_.emplace_back(message->elements.at(2).text, message->elements.at(3).text);
      }
      ADD_FAILURE() << "the subscriber was cut off";
    });
  }
  /// What came until now.
  std::vector<std::pair<std::string, std::string>> take(const RedisServer& redis) {
    redis.run({"PUBLISH", kEnd, ""});
    thread_.join();
    std::erase_if(messages_, [](const auto& message) { return message.first == kEnd; });
    return messages_;
  }

 private:
  static constexpr const char* kEnd = "the end of the test";
  RedisClient client_;
  std::vector<std::pair<std::string, std::string>> messages_;
  std::jthread thread_;
};

class RedisSinkTest : public RedisTest {};

TEST_F(RedisSinkTest, KeysSayWhatRestSays) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  post_live(*server, "EURUSD", 150);
  post_live(*server, "BTC/USD", 30);
  const std::int64_t then = wall_clock().ns - 3'600 * kNanosPerSecond;
  std::string history;
  for (int i = 0; i < 40; ++i) history += quote("EUR:USD", then + i * 700 * kNanosPerMilli, kBid + i * 100'000);
  post(*server, history, true);
  expect_keys_fit(*server, *redis, {"EURUSD", "BTC/USD", "EUR:USD"});
  EXPECT_EQ(redis->run({"ZCARD", "ticks:EURUSD"}).integer, 100);
  EXPECT_EQ(redis->run({"HGET", "tickpipe:sink", "position"}).text,
            std::to_string(server->json("/api/pipeline/stats")["redis_position"].get<std::uint64_t>()));
  server->stop();
}

TEST_F(RedisSinkTest, OfOneMillisecondTheNewestQuotesAreKept) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  const std::int64_t start = (wall_clock().ns / kNanosPerMilli - 50) * kNanosPerMilli;
  // 150 within one millisecond, their texts in no order, then some more in small posts.
  std::string lines;
  for (int i = 0; i < 150; ++i) lines += quote("EURUSD", start + i * 6'000, kBid + (i * 37 % 150) * 10'000);
  post(*server, lines);
  expect_keys_fit(*server, *redis, {"EURUSD"});
  for (int i = 0; i < 5; ++i) {
    post(*server, quote("EURUSD", start + 950'000 + i * 3'000, kBid + (i * 7 % 5) * 10'000));
    expect_keys_fit(*server, *redis, {"EURUSD"});
  }
  server->stop();
}

TEST_F(RedisSinkTest, ALateQuoteReplacesTheBarAndLeavesTheLatestQuote) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  const std::int64_t start = wall_clock().ns / kNanosPerSecond * kNanosPerSecond - 30 * kNanosPerSecond;
  for (int i = 0; i < 20; ++i) post(*server, quote("EURUSD", start + i * kNanosPerSecond, kBid));
  expect_keys_fit(*server, *redis, {"EURUSD"});
  const std::string second = std::to_string((start + 3 * kNanosPerSecond) / kNanosPerSecond);
  post(*server, quote("EURUSD", start + 3 * kNanosPerSecond + 500, kBid + 5'000'000));
  expect_keys_fit(*server, *redis, {"EURUSD"});
  const auto bar = redis->run({"ZRANGEBYSCORE", "ohlc:EURUSD:1s", second, second});
  ASSERT_EQ(bar.elements.size(), 1U);
  EXPECT_THAT(bar.elements[0].text, HasSubstr(R"("is_closed":true,"revision":1)"));
  server->stop();
}

TEST_F(RedisSinkTest, ChannelsCarryEachLiveQuoteAndClosedBarOnce) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  ASSERT_TRUE(is_in_step(*server));
  Subscriber subscriber(*redis);
  const std::int64_t start = wall_clock().ns - 20 * kNanosPerSecond;
  for (int i = 0; i < 40; ++i) post(*server, quote("EURUSD", start + i * 500 * kNanosPerMilli, kBid + i * 10'000));
  post(*server, quote("EURUSD", start + 3'100 * kNanosPerMilli, kBid));  // late: a revision
  ASSERT_TRUE(is_in_step(*server));
  expect_keys_fit(*server, *redis, {"EURUSD"});
  std::map<std::string, std::vector<std::string>> by_channel;
  for (const auto& [channel, text] : subscriber.take(*redis)) by_channel[channel].push_back(text);
  EXPECT_EQ(by_channel["quotes"], by_channel["quotes:EURUSD"]);
  // All of it was told by other channels. An audit that comes just then may write series anew that have no bar yet.
  EXPECT_LE(by_channel["tickpipe:rewritten"].size(), 1U);
  std::vector<std::uint64_t> seqs;
  for (const std::string& text : by_channel["quotes"]) {
    const auto json = Json::parse(text);
    EXPECT_FALSE(json.contains("skipped")) << text;
    seqs.push_back(json["seq"]);
  }
  std::vector<std::uint64_t> wanted(41);
  std::iota(wanted.begin(), wanted.end(), 1);
  EXPECT_EQ(seqs, wanted);
  // Each closed bar is told as often as it has revisions, in order.
  std::map<std::string, std::vector<int>> revisions;
  std::size_t bars = 0;
  for (const char* const timeframe : {"1s", "5s", "1m"}) {
    for (const std::string& text : by_channel[std::string("ohlc:EURUSD:") + timeframe]) {
      const auto json = Json::parse(text);
      EXPECT_EQ(json["timeframe"], timeframe);
      ++bars;
      if (json["is_closed"]) {
        revisions[std::string(timeframe) + json["open_time"].get<std::string>()].push_back(json["revision"]);
      }
    }
  }
  EXPECT_EQ(by_channel["ohlc"].size(), bars);
  std::size_t revised = 0;
  for (const auto& [bar, numbers] : revisions) {
    for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<int>(i)) << bar;
    revised += numbers.size() > 1 ? 1U : 0U;
  }
  EXPECT_GE(revised, 1U);
  server->stop();
}

TEST_F(RedisSinkTest, HistoryIsWrittenToKeysAndOnlyItsLatestQuoteIsTold) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  ASSERT_TRUE(is_in_step(*server));
  Subscriber subscriber(*redis, "quotes");
  Subscriber announcements(*redis, "tickpipe:rewritten");
  const std::int64_t start = wall_clock().ns - 7'200 * kNanosPerSecond;
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += quote("EURUSD", start + i * kNanosPerSecond, kBid + i * 1'000);
  post(*server, lines, true);
  expect_keys_fit(*server, *redis, {"EURUSD"});
  const auto messages = subscriber.take(*redis);
  ASSERT_GE(messages.size(), 1U);
  EXPECT_LE(messages.size(), 5U) << "history went over the channel quote by quote";
  EXPECT_EQ(Json::parse(messages.back().second)["seq"], 500);
  const auto announced = announcements.take(*redis);
  ASSERT_GE(announced.size(), 1U);
  for (const auto& [channel, text] : announced) EXPECT_EQ(text, "EURUSD");
  server->stop();
}

TEST_F(RedisSinkTest, OnlyTheNamedSymbolsGoToRedis) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address(), R"("redis_symbols":["eurusd"])");
  post_live(*server, "EURUSD", 5);
  post_live(*server, "USDJPY", 5);
  expect_keys_fit(*server, *redis, {"EURUSD"});
  post_live(*server, "USDJPY", 5);
  EXPECT_TRUE(is_in_step(*server)) << "commits without anything for Redis count too";
  EXPECT_EQ(redis->run({"EXISTS", "ticks:USDJPY", "tick:latest:USDJPY", "ohlc:USDJPY:1m"}).integer, 0);
  server->stop();
}

TEST_F(RedisSinkTest, ACleanStopLeavesNothingBehindAndARestartWritesNothingAgain) {
  const auto redis = start_redis();
  auto server = serve_to(redis->address());
  for (int i = 0; i < 10; ++i) post_live(*server, "EURUSD", 20, kBid + i * 1'000);
  const std::string position = std::to_string(server->json("/api/pipeline/stats")["commits"].get<std::uint64_t>());
  server->stop();
  EXPECT_EQ(redis->run({"HGET", "tickpipe:sink", "position"}).text >= position, true);
  const auto open = redis->run({"ZRANGE", "ohlc:EURUSD:1m", "-1", "-1"});
  ASSERT_EQ(open.elements.size(), 1U);
  server = serve_to(redis->address());
  ASSERT_TRUE(is_in_step(*server));
  const auto stats = server->json("/api/pipeline/stats");
  EXPECT_EQ(stats["redis_rebuilds"], 0);
  EXPECT_EQ(stats["redis_messages_published"].get<int>() < 20, true) << "nothing new but open bars";
  expect_keys_fit(*server, *redis, {"EURUSD"});
  server->stop();
}

TEST_F(RedisSinkTest, AfterKill9TheKeysCatchUpWithoutTellingAnythingTwice) {
  const auto redis = start_redis();
  Subscriber subscriber(*redis, "quotes");
  for (int life = 0; life < 4; ++life) {
    const auto server = serve_to(redis->address());
    for (int i = 0; i < 30; ++i) post_live(*server, i % 2 == 0 ? "EURUSD" : "USDJPY", 7, kBid + i * 1'000);
    server->kill();
  }
  const auto server = serve_to(redis->address());
  expect_keys_fit(*server, *redis, {"EURUSD", "USDJPY"});
  std::map<std::string, std::uint64_t> last;
  for (const auto& [channel, text] : subscriber.take(*redis)) {
    const auto json = Json::parse(text);
    std::uint64_t& before = last[json["symbol"]];
    EXPECT_GT(json["seq"].get<std::uint64_t>(), before) << "told twice: " << text;
    before = json["seq"];
  }
  server->stop();
}

TEST_F(RedisSinkTest, AnotherEpochReplacesAllKeysOfTickpipeAndNoOthers) {
  const auto redis = start_redis();
  {
    const auto server = serve_to(redis->address());
    post_live(*server, "EURUSD", 30);
    post_live(*server, "OLDSYMBOL", 30);
    expect_keys_fit(*server, *redis, {"EURUSD", "OLDSYMBOL"});
    server->stop();
  }
  redis->run({"SET", "somebody:else", "1"});
  redis->run({"SET", "ohlc:notes", "1"});
  std::filesystem::remove_all(data());
  const auto server = serve_to(redis->address());
  post_live(*server, "EURUSD", 3);
  expect_keys_fit(*server, *redis, {"EURUSD"});
  EXPECT_EQ(redis->run({"EXISTS", "ticks:OLDSYMBOL", "tick:latest:OLDSYMBOL", "ohlc:OLDSYMBOL:1m"}).integer, 0);
  EXPECT_EQ(redis->run({"EXISTS", "somebody:else", "ohlc:notes"}).integer, 2);
  EXPECT_EQ(redis->run({"ZCARD", "ticks:EURUSD"}).integer, 3);
  server->stop();
}

TEST_F(RedisSinkTest, WithoutAStoreEachRunIsAnEpoch) {
  const auto redis = start_redis();
  for (int run = 0; run < 2; ++run) {
    const auto server = serve_to(redis->address(), R"("store":{"type":"none"})");
    post_live(*server, "EURUSD", 12 + run);
    expect_keys_fit(*server, *redis, {"EURUSD"});
    EXPECT_EQ(redis->run({"ZCARD", "ticks:EURUSD"}).integer, 12 + run);
    server->stop();
  }
}

TEST_F(RedisSinkTest, WithoutRedisNothingIsSaidOfIt) {
  const auto server = serve_with(R"({"timeframes":["1m"]})");
  EXPECT_FALSE(server->json("/api/pipeline/health")["components"].contains("redis"));
  EXPECT_FALSE(server->json("/api/pipeline/stats").contains("redis_position"));
  EXPECT_EQ(server->get("/metrics").body.find("sink_lag"), std::string::npos);
  server->stop();
}

TEST_F(RedisSinkTest, MetricsTellHowFarItIs) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  ASSERT_TRUE(is_in_step(*server));  // else they are written once more, with all keys
  post_live(*server, "EURUSD", 10);
  ASSERT_TRUE(is_in_step(*server));
  const std::string metrics = server->get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("tickpipe_sink_lag_commits{sink=\"redis\"} 0\n"));
  EXPECT_THAT(metrics, HasSubstr("tickpipe_redis_ticks_written_total 10\n"));
  EXPECT_THAT(metrics, HasSubstr("tickpipe_component_status{component=\"redis\",status=\"healthy\"} 1\n"));
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
