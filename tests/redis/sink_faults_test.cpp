// Redis goes away, loses data, refuses: the server goes on as if nothing had happened, says what is wrong, and puts the
// keys right as soon as it can.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/decimal.h"
#include "support/redis_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* kLines = "Content-Type: application/x-ndjson\r\n";
const std::vector<std::string> kSymbols = {"EURUSD", "USDJPY", "BTCUSD"};

/// Posts live quotes of the symbols until it goes; each post must be taken.
class Load {
 public:
  explicit Load(const RunningServer& server) : client_(server.connect()) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      std::mt19937_64 random(7);
      while (!stop.stop_requested()) {
        std::string lines;
        for (int i = 0; i < 10; ++i) {
          const std::string& symbol = kSymbols[random() % kSymbols.size()];
          const std::int64_t late = random() % 10 == 0 ? static_cast<std::int64_t>(random() % 5'000) : 0;
          const std::int64_t time = wall_clock().ns - late * kNanosPerMilli;
          const auto bid = 1'000'000'000 + static_cast<std::int64_t>(random() % 1'000) * 10'000;
          lines += R"({"symbol":")" + symbol + R"(","bid":)" + decimal_to_string(bid) +
                   R"(,"ask":1.2,"lp":"L","timestamp_ns":)" + std::to_string(time) + "}\n";
        }
        const auto reply = client_.post("/api/ingest", lines, kLines);
        if (!reply || reply->status != 200) {
          ADD_FAILURE() << "a post was not taken: " << (reply ? reply->body : "no answer");
          return;
        }
        ++posts_;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
      }
    });
  }
  /// Waits until so many posts more were taken.
  void wait_for(int posts) {
    const int wanted = posts_ + posts;
    EXPECT_TRUE(eventually([&] { return posts_ >= wanted; }));
  }

 private:
  HttpClient client_;
  std::atomic<int> posts_{0};
  std::jthread thread_;
};

class RedisFaultsTest : public RedisTest {
 protected:
  static bool is_degraded_by(const RunningServer& server, const std::string& cause) {
    return eventually([&] {
      const auto health = redis_health(server);
      return health["status"] == "degraded" && health["detail"].get<std::string>().find(cause) != std::string::npos;
    });
  }
  static std::string overall(const RunningServer& server) {
    return server.json("/api/pipeline/health")["overall_status"];
  }
};

TEST_F(RedisFaultsTest, AbsentAtTheStartItIsFilledWhenItComes) {
  auto redis = start_redis();
  redis->kill();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    EXPECT_TRUE(is_degraded_by(*server, "Connection refused"));
    EXPECT_EQ(overall(*server), "degraded");
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["lag_commits"].get<int>() > 0; }));
    load.wait_for(50);
    redis->start();
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; }));
    load.wait_for(20);
  }
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_EQ(overall(*server), "healthy");
  server->stop();
}

TEST_F(RedisFaultsTest, RestartedEmptyItIsFilledAgain) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(40);
    redis->kill();
    load.wait_for(20);
    redis->start();
    load.wait_for(40);
  }
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_GE(server->json("/api/pipeline/stats")["redis_rebuilds"].get<int>(), 2);
  server->stop();
}

TEST_F(RedisFaultsTest, RestartedWithAnOlderStateItGetsWhatIsMissing) {
  const auto redis = start_redis("redis", {"--save", "", "--appendonly", "no", "--dbfilename", "old.rdb"});
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(40);
    redis->run({"SAVE"});
    load.wait_for(60);
    redis->kill();
    redis->start();
    load.wait_for(20);
  }
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_EQ(server->json("/api/pipeline/stats")["redis_rebuilds"], 1) << "what is missing was known from the position";
  server->stop();
}

TEST_F(RedisFaultsTest, AServerThatFindsAnOlderStateAtItsStartCatchesUp) {
  const auto redis = start_redis("redis", {"--save", "", "--appendonly", "no", "--dbfilename", "old.rdb"});
  auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(40);
    redis->run({"SAVE"});
    load.wait_for(60);
  }
  server->stop();
  redis->kill();
  redis->start();
  server = serve_to(redis->address());
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_EQ(server->json("/api/pipeline/stats")["redis_rebuilds"], 0);
  server->stop();
}

TEST_F(RedisFaultsTest, WhileItHangsNobodyWaits) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(20);
    redis->pause();
    EXPECT_TRUE(is_degraded_by(*server, "no answer for"));
    load.wait_for(50);
    redis->resume();
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; }));
  }
  expect_keys_fit(*server, *redis, kSymbols);
  server->stop();
}

TEST_F(RedisFaultsTest, TheEndDoesNotWaitLongForOneThatHangs) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(20);
    redis->pause();
    load.wait_for(20);
  }
  server->stop();
  EXPECT_TRUE(server->has_logged("the next start completes it")) << server->log();
  redis->resume();
  const auto again = serve_to(redis->address());
  expect_keys_fit(*again, *redis, kSymbols);
  again->stop();
}

TEST_F(RedisFaultsTest, OutOfMemoryItIsCompletedOnceThereIsRoom) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(30);
    redis->run({"CONFIG", "SET", "maxmemory", "1mb"});
    EXPECT_TRUE(is_degraded_by(*server, "out of memory"));
    load.wait_for(50);
    redis->run({"CONFIG", "SET", "maxmemory", "0"});
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; }));
  }
  expect_keys_fit(*server, *redis, kSymbols);
  server->stop();
}

TEST_F(RedisFaultsTest, KeysThatVanishAreWrittenAgain) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(30);
  }
  expect_keys_fit(*server, *redis, kSymbols);
  redis->run({"DEL", "ticks:EURUSD", "tick:latest:USDJPY", "ohlc:BTCUSD:1s"});
  redis->run({"ZREMRANGEBYRANK", "ticks:BTCUSD", "0", "10"});
  EXPECT_TRUE(is_degraded_by(*server, "keys were removed"));
  expect_keys_fit(*server, *redis, kSymbols);
  redis->run({"FLUSHALL"});
  expect_keys_fit(*server, *redis, kSymbols);
  redis->run({"SET", "ticks:EURUSD", "a string"});  // of another type
  expect_keys_fit(*server, *redis, kSymbols);
  server->stop();
}

TEST_F(RedisFaultsTest, AFlushedRedisIsWrittenWholeAndNoKeyCountsAsLost) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    for (int flushes = 1; flushes <= 5; ++flushes) {
      load.wait_for(20);
      redis->run({"FLUSHALL"});
      EXPECT_TRUE(eventually([&] { return server->json("/api/pipeline/stats").at("redis_rebuilds") == 1 + flushes; }));
    }
    load.wait_for(20);
  }
  EXPECT_EQ(server->json("/api/pipeline/stats").at("redis_keys_lost"), 0);
  server->stop();
}

TEST_F(RedisFaultsTest, EvictionIsNamedAndWhatItTookIsWrittenAgain) {
  const auto redis = start_redis();
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    load.wait_for(30);
  }
  expect_keys_fit(*server, *redis, kSymbols);
  // Keys of others, which are used more recently, take all the room.
  RedisClient client = redis->client();
  const std::string info = client({"INFO", "memory"}).text;
  const auto used = std::stoll(info.substr(info.find("used_memory:") + 12));
  client({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  client({"CONFIG", "SET", "maxmemory", std::to_string(used + (4 << 20))});
  const std::string filling(1'000, 'x');
  const bool is_evicted = eventually([&] {
    for (int i = 0; i < 2'000; ++i) client({"SET", "other:" + std::to_string(i), filling + filling});
    return server->json("/api/pipeline/stats")["redis_keys_lost"].get<int>() > 0;
  });
  EXPECT_TRUE(is_evicted);
  EXPECT_TRUE(is_degraded_by(*server, "evicts keys (maxmemory-policy allkeys-lru)"));
  client({"CONFIG", "SET", "maxmemory", "0"});
  expect_keys_fit(*server, *redis, kSymbols);
  server->stop();
}

TEST_F(RedisFaultsTest, AReadOnlyReplicaIsRefusedUntilItIsAMaster) {
  const auto master = start_redis("master");
  const auto redis = start_redis("replica");
  redis->run({"REPLICAOF", "127.0.0.1", std::to_string(master->port())});
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    EXPECT_TRUE(is_degraded_by(*server, "read-only replica"));
    load.wait_for(10);
    redis->run({"REPLICAOF", "NO", "ONE"});
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; }));
    load.wait_for(10);
    redis->run({"REPLICAOF", "127.0.0.1", std::to_string(master->port())});  // while it is connected
    EXPECT_TRUE(is_degraded_by(*server, "read-only replica"));
    redis->run({"REPLICAOF", "NO", "ONE"});
  }
  expect_keys_fit(*server, *redis, kSymbols);
  server->stop();
}

TEST_F(RedisFaultsTest, AnEpochThatIsRefusedAtFirstIsStillWrittenWhole) {
  const auto redis = start_redis();
  {
    const auto server = serve_to(redis->address());
    EXPECT_EQ(server->ingest(R"({"symbol":"OLDSYMBOL","bid":1.1,"ask":1.2})")["accepted"], 1);
    expect_keys_fit(*server, *redis, {"OLDSYMBOL"});
    server->stop();
  }
  std::filesystem::remove_all(data());
  redis->run({"CONFIG", "SET", "min-replicas-to-write", "1"});  // reads are answered, writes are refused
  const auto server = serve_to(redis->address());
  {
    Load load(*server);
    EXPECT_TRUE(is_degraded_by(*server, "NOREPLICAS"));
    load.wait_for(20);
    redis->run({"CONFIG", "SET", "min-replicas-to-write", "0"});
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; }));
  }
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_EQ(redis->run({"EXISTS", "ticks:OLDSYMBOL", "ohlc:OLDSYMBOL:1m"}).integer, 0);
  server->stop();
}

TEST_F(RedisFaultsTest, PasswordsAreNamedAndNeverShown) {
  const auto redis = start_redis("redis", {"--save", "", "--requirepass", "right-password"});
  {
    const auto server = serve_to(redis->address());
    EXPECT_TRUE(is_degraded_by(*server, "it wants a password; set redis_password"));
    server->stop();
  }
  {
    const auto server = serve_to(redis->address(), R"("redis_password":"wrong-password")");
    EXPECT_TRUE(is_degraded_by(*server, "refuses redis_username and redis_password"));
    EXPECT_EQ(server->log().find("wrong-password"), std::string::npos);
    server->stop();
  }
  const auto server = serve_to(redis->address(), R"("redis_password":"right-password")");
  EXPECT_TRUE(is_in_step(*server));
  auto client = redis->client();
  client({"AUTH", "right-password"});
  client({"ACL", "SETUSER", "feed", "on", ">feed-password", "~*", "&*", "+@all"});
  server->stop();
  const auto as_user =
      serve_to(redis->address(), R"("redis_username":"feed","redis_password":"feed-password","redis_db":3)");
  EXPECT_TRUE(is_in_step(*as_user));
  as_user->stop();
}

/// Sentinels as they are run: three of them, on a master and a replica.
class SentinelTest : public RedisFaultsTest {
 protected:
  void start_sentinels(const RedisServer& master) {
    for (int i = 0; i < 3; ++i) {
      const std::string folder = folder_ / "sentinel" + std::to_string(i);
      std::filesystem::create_directories(folder);
      ports_.push_back(free_port());
      const std::string config = folder + "/sentinel.conf";
      write_file(config,
                 "port " + std::to_string(ports_.back()) + "\nbind 127.0.0.1\ndir " + folder +
                     "\nsentinel monitor quotes 127.0.0.1 " + std::to_string(master.port()) +
                     " 2\nsentinel down-after-milliseconds quotes 1000\nsentinel failover-timeout quotes 5000\n");
      sentinels_.push_back(std::make_unique<Process>(
          std::vector<std::string>{"/usr/bin/redis-server", config, "--sentinel"}, folder + "/sentinel"));
    }
  }
  [[nodiscard]] std::string master_port() const {
    try {
      const auto reply = RedisClient(ports_[0])({"SENTINEL", "get-master-addr-by-name", "quotes"});
      return reply.elements.size() == 2 ? reply.elements[1].text : "";
    } catch (const std::runtime_error&) {
      return "";
    }
  }
  [[nodiscard]] bool knows_everybody() const {
    try {
      RedisClient client(ports_[0]);
      return client({"SENTINEL", "replicas", "quotes"}).elements.size() == 1 &&
             client({"SENTINEL", "sentinels", "quotes"}).elements.size() == 2;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<Process>> sentinels_;
};

TEST_F(SentinelTest, AfterAFailoverToALaggingReplicaTheNewMasterGetsWhatItLacks) {
  const auto master = start_redis("master");
  const auto replica = start_redis("replica");
  replica->run({"REPLICAOF", "127.0.0.1", std::to_string(master->port())});
  start_sentinels(*master);
  ASSERT_TRUE(eventually([&] { return knows_everybody(); }));
  std::string sentinels;
  for (const std::uint16_t port : ports_) {
    sentinels += (sentinels.empty() ? "" : ",") + std::string("\"127.0.0.1:") + std::to_string(port) + "\"";
  }
  const auto server = serve_to("", R"("redis_sentinels":[)" + sentinels + R"(],"redis_master":"quotes")");
  {
    Load load(*server);
    load.wait_for(40);
    ASSERT_TRUE(eventually([&] { return replica->run({"EXISTS", "tickpipe:sink"}).integer == 1; }));
    replica->pause();  // it lags
    load.wait_for(60);
    master->kill();
    replica->resume();
    const std::string promoted = std::to_string(replica->port());
    ASSERT_TRUE(eventually([&] { return master_port() == promoted; }));
    EXPECT_TRUE(eventually([&] { return redis_health(*server)["status"] == "healthy"; })) << server->log();
    load.wait_for(10);
  }
  expect_keys_fit(*server, *replica, kSymbols);
  server->stop();
}

/// Quotes of the channel `quotes`, over all lives of a Redis: no symbol may step back or repeat.
class OrderWatch {
 public:
  explicit OrderWatch(const RedisServer& redis) {
    thread_ = std::jthread([this, &redis](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        try {
          RedisClient client = redis.client();
          client({"SUBSCRIBE", "quotes"});
          while (!stop.stop_requested()) {
            const auto message = client.next(std::chrono::milliseconds{200});
            if (!message) break;  // silence or a broken connection: a new one tells which
            take(message->elements.at(2).text);
          }
        } catch (const std::runtime_error&) {
          std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
      }
    });
  }
  int count() const { return count_; }

 private:
  void take(const std::string& text) {
    const auto json = Json::parse(text);
    std::uint64_t& last = last_[json["symbol"]];
    const std::uint64_t seq = json["seq"];
    EXPECT_GT(seq, last) << "told twice: " << text;
    last = seq;
    ++count_;
  }

  std::map<std::string, std::uint64_t> last_;
  std::atomic<int> count_{0};
  std::jthread thread_;
};

int fault_rounds() {
  if (const char* const rounds = std::getenv("TICKPIPE_REDIS_FAULTS")) return std::stoi(rounds);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 8;
#else
  return 16;
#endif
}

TEST_F(RedisFaultsTest, WhateverHappensTheKeysComeRightAndNothingIsToldTwice) {
  std::mt19937_64 random(20'261'126);
  const auto redis = start_redis("redis", {"--save", "", "--appendonly", "yes", "--appendfsync", "no"});
  auto server = serve_to(redis->address());
  OrderWatch watch(*redis);
  auto load = std::make_unique<Load>(*server);
  std::string story;
  const int rounds = fault_rounds();
  for (int round = 0; round < rounds; ++round) {
    load->wait_for(10 + static_cast<int>(random() % 20));
    const auto fault = random() % 9;
    story += std::to_string(fault) + " ";
    switch (fault) {
      case 0:  // killed, and back with what its log has
        redis->kill();
        load->wait_for(static_cast<int>(random() % 20));
        redis->start();
        break;
      case 1:
        redis->pause();
        load->wait_for(static_cast<int>(random() % 40));
        redis->resume();
        break;
      case 2:
        redis->run({"FLUSHALL"});
        break;
      case 3:
        for (const auto& key : redis->run({"KEYS", "*"}).elements) {
          if (random() % 4 == 0) redis->run({"DEL", key.text});
        }
        break;
      case 4:
        redis->run({"CLIENT", "KILL", "TYPE", "normal"});
        break;
      case 5:
        redis->run({"CONFIG", "SET", "maxmemory", "1mb"});
        load->wait_for(10);
        redis->run({"CONFIG", "SET", "maxmemory", "0"});
        break;
      case 6:
        redis->run({"REPLICAOF", "127.0.0.1", "1"});
        load->wait_for(10);
        redis->run({"REPLICAOF", "NO", "ONE"});
        break;
      case 7:
        redis->run({"HSET", "tickpipe:sink", "position", "3"});  // as an older state would say
        break;
      default:  // the server itself dies
        load.reset();
        server->kill();
        server = serve_to(redis->address());
        load = std::make_unique<Load>(*server);
    }
    if (round % 4 != 3) continue;
    load.reset();
    SCOPED_TRACE(story);
    expect_keys_fit(*server, *redis, kSymbols);
    load = std::make_unique<Load>(*server);
  }
  load.reset();
  SCOPED_TRACE(story);
  expect_keys_fit(*server, *redis, kSymbols);
  EXPECT_GT(watch.count(), 100);
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
