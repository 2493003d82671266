// What a user sees of the commands: output, messages, exit status.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/tickpipe_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::Test;

constexpr const char* kSmallCsv =
    "timestamp,symbol,bid,ask,lp,bid_size,ask_size\n"
    "2026-01-14T10:00:01Z,eurusd,1.1000,1.1002,ALPHA,1000000,2.5\n"
    "2026-01-14T10:00:30.5Z,EURUSD,1.1004,1.10061,ALPHA,,\n"
    "2026-01-14T10:01:05Z,EURUSD,1.0990,1.0992,BETA,,\n";

class CommandsTest : public TickpipeTest {
 protected:
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
};

TEST_F(CommandsTest, ExportedTicksHaveAllColumns) {
  backfill({file("small.csv", kSmallCsv)});
  const auto lines = lines_of(exported("ticks", "EURUSD"));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "timestamp_ns,symbol,bid,ask,lp,seq,flags,received_ns,bid_size,ask_size");
  EXPECT_TRUE(lines[1].starts_with("1768384801000000000,EURUSD,1.1,1.1002,ALPHA,1,,")) << lines[1];
  EXPECT_TRUE(lines[1].ends_with(",1000000,2.5")) << lines[1];
  EXPECT_TRUE(lines[2].ends_with(",,")) << lines[2];
}

TEST_F(CommandsTest, ExportedBarsHaveAllColumnsAndExactMids) {
  backfill({file("small.csv", kSmallCsv)});
  EXPECT_EQ(exported("bars", "EURUSD"),
            "open_time_ms,open,high,low,close,tick_count,volume,revision,is_closed\n"
            "1768384800000,1.1001,1.100505,1.1001,1.100505,2,2,0,true\n"
            "1768384860000,1.0991,1.0991,1.0991,1.0991,1,1,0,true\n");
  const auto json = nlohmann::json::parse(lines_of(exported("bars", "eurusd", {"--format", "jsonl"})).at(0));
  EXPECT_EQ(json["open_time"], "2026-01-14T10:00:00.000Z");
  EXPECT_EQ(json["close_time"], "2026-01-14T10:01:00.000Z");
  EXPECT_EQ(json["timeframe"], "1m");
  EXPECT_EQ(json["is_closed"], true);
}

TEST_F(CommandsTest, TheRangeIncludesFromAndExcludesTo) {
  backfill({file("small.csv", kSmallCsv)});
  EXPECT_EQ(lines_of(exported("ticks", "EURUSD", {"--from", "2026-01-14T10:00:01Z", "--to", "1768384865"})).size(), 3U);
  EXPECT_EQ(lines_of(exported("bars", "EURUSD", {"--from", "1768384800000", "--to", "2026-01-14 10:01:00"})).size(),
            2U);
}

TEST_F(CommandsTest, StandardInputIsRead) {
  const auto result = run(
      {"backfill", "-", "--data-dir", data(), "--lp", "GAMMA"},
      file("in", "{\"symbol\":\"X\",\"bid\":1,\"ask\":2,\"timestamp\":1768384801}\n\n{\"symbol\":\"X\"}\nnonsense"));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto summary = nlohmann::json::parse(result.out);
  EXPECT_EQ(summary["received"], 3);
  EXPECT_EQ(summary["accepted"], 1);
  EXPECT_EQ(summary["invalid"], 2);
  EXPECT_EQ(summary["invalid_by_reason"]["bad_price"], 1);
  EXPECT_EQ(summary["invalid_by_reason"]["malformed"], 1);
  EXPECT_TRUE(has(exported("ticks", "X"), ",GAMMA,1,"));
}

TEST_F(CommandsTest, OnlyTheNamedSymbolsAreLoaded) {
  const auto path = file("two.csv", "timestamp,symbol,bid,ask\n1768384801,AAA,1,2\n1768384802,BBB,1,2\n");
  const auto summary = backfill({path}, {"--symbols", "aaa,CCC"});
  EXPECT_EQ(summary["accepted"], 1);
  EXPECT_EQ(summary["invalid_by_reason"]["unknown_symbol"], 1);
}

TEST_F(CommandsTest, BadUsageEndsWithTwoAndSaysWhatIsWrong) {
  const auto small = file("small.csv", kSmallCsv);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"frobnicate"},
           {"backfill"},
           {"backfill", small, "--nonsense"},
           {"backfill", small, "--data-dir", data(), "--lp", "a b"},
           {"backfill", file("no-ask.csv", "timestamp,symbol,bid\n1,A,2\n"), "--data-dir", data()},
           {"backfill", file("twice.csv", "timestamp,symbol,bid,ask,timestamp_ms\n"), "--data-dir", data()},
           {"export", "nonsense", "--symbol", "A"},
           {"export", "bars", "--symbol", "A", "--timeframe", "7m", "--data-dir", data()},
           {"export", "bars", "--symbol", "../A", "--data-dir", data()},
           {"export", "ticks", "--symbol", "A", "--from", "yesterday", "--data-dir", data()},
           {"export", "ticks", "--symbol", "A", "--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"},
           {"bench", "--ticks", "-1"},
           {"bench", "--ticks", "0"},
           {"bench", "--ticks", "99999999999999999999999"},
           {"bench", "--rate", "-5", "--ticks", "1"},
           {"bench", "--seconds", "nan"},
           {"bench", "--seconds", "inf"},
           {"bench", "--seconds", "-1"},
           {"bench", "--store", "redis", "--ticks", "1"},
           {"bench", "--set", "worker_count=0", "--ticks", "1"},
           {"bench", "--set", "nonsense=1", "--ticks", "1"},
           {"check-config", "--config", folder_ / "absent.json"}}) {
    const auto result = run(arguments);
    EXPECT_EQ(result.status, 2) << (arguments.empty() ? "" : arguments[0]) << result.err;
    EXPECT_FALSE((result.err + result.out).empty());
  }
}

TEST_F(CommandsTest, AnUnknownCommandIsNamed) {
  EXPECT_EQ(run({"frobnicate"}).err, "tickpipe: there is no command frobnicate; tickpipe --help lists them\n");
}

TEST_F(CommandsTest, CheckConfigFindsAnAddressThatServeRefuses) {
  for (const char* const address : {"0.0.0.0", "192.168.1.1", "::", "[::]", "::ffff:10.0.0.1", "2001:db8::1"}) {
    const auto config = file("outside.json", std::string(R"({"http":{"address":")") + address + R"("}})");
    const auto result = run({"check-config", "--config", config});
    EXPECT_EQ(result.status, 2) << address << result.out;
    EXPECT_TRUE(has(result.out + result.err, "http.allow_insecure")) << address << result.out << result.err;
    EXPECT_EQ(run({"check-config", "--config", config}, "/dev/null", {"TICKPIPE_HTTP__ALLOW_INSECURE=true"}).status, 0)
        << address;
  }
  for (const char* const address : {"127.0.0.1", "127.1.2.3", "::1", "[::1]", "::ffff:127.0.0.1", "localhost"}) {
    const auto config = file("inside.json", std::string(R"({"http":{"address":")") + address + R"("}})");
    const auto result = run({"check-config", "--config", config});
    EXPECT_EQ(result.status, 0) << address << result.out;
  }
}

TEST_F(CommandsTest, FailuresAtRunTimeEndWithOneAndSayWhatToDo) {
  EXPECT_EQ(run({"backfill", folder_ / "absent.csv", "--data-dir", data()}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(data())) << "nothing is made when an input cannot be read";
  auto result = run({"export", "bars", "--symbol", "EURUSD", "--data-dir", data()});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.err, "tickpipe backfill")) << result.err;
  backfill({file("small.csv", kSmallCsv)});
  result = run({"export", "bars", "--symbol", "GBPUSD", "--data-dir", data()});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.err, "EURUSD")) << result.err;
  result = run({"export", "bars", "--symbol", "EURUSD", "--timeframe", "2m", "--data-dir", data()});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(has(result.err, "1m 5m 15m 1h 4h 1d")) << result.err;
  result = run({"backfill", "/dev/null/x", "--data-dir", data()});
  EXPECT_EQ(result.status, 1);
}

TEST_F(CommandsTest, HelpAndVersionSucceed) {
  for (const char* command : {"backfill", "export", "bench", "check-config", "default-config", "version"}) {
    const auto result = run({command, "--help"});
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(has(result.out, "--help")) << command;
  }
  EXPECT_TRUE(has(run({"version"}).out, "tickpipe 0."));
}

TEST_F(CommandsTest, TheDefaultConfigurationChecksOut) {
  const auto text = run({"default-config"});
  ASSERT_EQ(text.status, 0);
  const auto result = run({"check-config", "--config", file("default.json", text.out)});
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_FALSE(has(result.out, "warning")) << result.out;
}

TEST_F(CommandsTest, CheckConfigNamesKeyLineAndRemedy) {
  const auto path = file("bad.json", "{\n  // a comment\n  \"worker_cuont\": 4,\n  \"timeframes\": [\"7m\"]\n}\n");
  const auto result = run({"check-config", "--config", path});
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(has(result.out, ":3: worker_cuont")) << result.out;
  EXPECT_TRUE(has(result.out, "worker_count")) << result.out;
  EXPECT_TRUE(has(result.out, ":4: timeframes")) << result.out;
  EXPECT_EQ(run({"backfill", file("small.csv", kSmallCsv), "--data-dir", data(), "--config", path}).status, 2);
}

TEST_F(CommandsTest, TheContractsSmallConfigurationIsAcceptedAsItIs) {
  const auto path = file("c.json", R"({"redis_addr":"localhost:6379","worker_count":4,"tick_buffer_size":10000})");
  EXPECT_EQ(run({"check-config", "--config", path}).status, 0);
  const auto result = run({"backfill", file("small.csv", kSmallCsv), "--data-dir", data(), "--config", path});
  EXPECT_EQ(result.status, 0);
  EXPECT_FALSE(has(result.err, "warning")) << result.err;
}

TEST_F(CommandsTest, EnvironmentVariablesSetKeys) {
  const auto result =
      run({"backfill", file("small.csv", kSmallCsv), "--data-dir", data()}, "/dev/null", {"TICKPIPE_TIMEFRAMES=1m,1h"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["bars"], (nlohmann::json{{"1m", 2}, {"1h", 1}}));
}

TEST_F(CommandsTest, BenchPrintsOneJsonObjectThatBalances) {
  for (const char* store : {"none", "embedded"}) {
    const auto result = run({"bench", "--ticks", "200000", "--store", store, "--symbols", "7"});
    ASSERT_EQ(result.status, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["ticks"], 200000);
    EXPECT_EQ(json["dropped"], 0);
    for (const char* key : {"seconds", "ticks_per_second", "p50_us", "p99_us", "p999_us", "peak_rss_mb", "cpu_seconds",
                            "allocations_per_tick", "workers", "store"}) {
      EXPECT_TRUE(json.contains(key)) << key;
    }
  }
  const auto result = run({"bench", "--seconds", "0.3", "--rate", "20000", "--set", "worker_count=2"});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["workers"], 2);
  EXPECT_EQ(json["ticks"].get<int>() + json["dropped"].get<int>(), json["offered"].get<int>());
}

TEST_F(CommandsTest, AClosedPipeIsAnErrorAndNoCrash) {
  backfill({file("small.csv", kSmallCsv)});
  EXPECT_EQ(
      std::system((std::string("bash -c 'set -o pipefail; ") + TICKPIPE_EXECUTABLE + " default-config >&-' 2>/dev/null")
                      .c_str()) >>
          8,
      1);
}

}  // namespace
}  // namespace tickpipe::internal::testing
