// The commands of docs/redis.md, run as they stand there.

#include <gmock/gmock.h>

#include <string>
#include <thread>

#include "support/redis_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::HasSubstr;

class RedisDocsTest : public RedisTest {
 protected:
  /// The content of the code blocks that begin with "```" and this word alone, in order.
  static std::vector<std::string> blocks(const std::string& info) {
    const std::string page = read_file(std::string(TICKPIPE_SOURCE_DIR) + "/docs/redis.md");
    std::vector<std::string> found;
    const std::string start = "\n```" + info + "\n";
    for (std::size_t at = page.find(start); at != std::string::npos; at = page.find(start, at + 1)) {
      const std::size_t begin = at + start.size();
      found.push_back(page.substr(begin, page.find("\n```", begin) + 1 - begin));
    }
    return found;
  }
  Result run_shell(const std::string& script) {
    const std::string path = file("commands.sh", "set -euo pipefail\n" + script);
    Process process({"/bin/bash", path}, folder_ / "shell");
    Result result;
    result.status = process.wait();
    result.out = process.out();
    result.err = process.err();
    return result;
  }
};

TEST_F(RedisDocsTest, ItsCommandsSayWhatItSays) {
  if (::access("/usr/bin/curl", X_OK) != 0) GTEST_SKIP() << "curl is missing: Debian package curl";
  const auto redis = start_redis();
  ASSERT_FALSE(blocks("sh run").empty());
  EXPECT_EQ(blocks("sh run")[0], "TICKPIPE_REDIS_ADDR=127.0.0.1:6379 tickpipe serve\n");
  const auto server = serve({"--feed", "sim"}, {"TICKPIPE_REDIS_ADDR=" + redis->address()});
  ASSERT_TRUE(is_in_step(*server));
  ASSERT_EQ(blocks("sh settings").size(), 1U);
  std::string settings = blocks("sh settings")[0];
  const auto replace = [&settings](const std::string& what, const std::string& with) {
    ASSERT_NE(settings.find(what), std::string::npos) << settings;
    settings.replace(settings.find(what), what.size(), with);
  };
  replace("-p 6379", "-p " + std::to_string(redis->port()));
  replace(":7999", ":" + std::to_string(server->port()));
  std::string all;
  for (const std::string& block : blocks("sh")) {
    const Result result = run_shell(settings + block);
    EXPECT_EQ(result.status, 0) << block << result.err;
    EXPECT_EQ(result.out.find("ERR"), std::string::npos) << block << result.out;
    all += result.out;
  }
  for (const char* const text :
       {R"({"symbol":"EURUSD","bid":)", R"("timeframe":"1m")", "epoch\n", "tick:latest:AUDCAD\n", "message\n",
        "pmessage\n", "used_memory_human:", "maxmemory_policy:noeviction", R"("redis":{"status":"healthy")",
        R"("redis_lag_commits":)", "tickpipe_redis_ticks_written_total ", R"(tickpipe_sink_lag_commits{sink="redis"} )",
        "OK\n"}) {
    EXPECT_THAT(all, HasSubstr(text));
  }
  server->stop();
  // The user that the last block has made may do all that is needed, and nothing else.
  const auto again = serve_to(redis->address(), R"("redis_username":"tickpipe","redis_password":"a-long-password")");
  EXPECT_TRUE(is_in_step(*again)) << redis_health(*again).dump();
  const auto taken =
      again->ingest(R"({"symbol":"NEWONE","bid":1.1,"ask":1.2,"timestamp":"2026-01-15T10:00:00Z"})", true);
  EXPECT_EQ(taken["accepted"], 1);
  expect_keys_fit(*again, *redis, {"NEWONE"});
  RedisClient client = redis->client();
  client({"AUTH", "tickpipe", "a-long-password"});
  EXPECT_THAT(client({"SET", "other", "1"}).text, HasSubstr("NOPERM"));
  EXPECT_THAT(client({"FLUSHALL"}).text, HasSubstr("NOPERM"));
  again->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
