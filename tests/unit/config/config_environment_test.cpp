#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/config_testing.h"

namespace tickpipe::internal {
namespace {

using config_testing::texts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Pairs = std::vector<std::pair<std::string, std::string>>;

ConfigResult with_environment(Pairs variables) {
  ConfigSources sources;
  sources.default_file.clear();
  sources.environment = std::move(variables);
  return load_config(sources);
}

ConfigResult with_overrides(Pairs overrides) {
  ConfigSources sources;
  sources.default_file.clear();
  sources.overrides = std::move(overrides);
  return load_config(sources);
}

TEST(ConfigEnvironmentTest, AKeyOfAGroupHasTwoUnderscores) {
  EXPECT_EQ(environment_name("http.port"), "TICKPIPE_HTTP__PORT");
  EXPECT_EQ(with_environment({{"TICKPIPE_HTTP__PORT", "8000"}}).config.http.port, 8000);
}

TEST(ConfigEnvironmentTest, ABadValueNamesVariableAndKey) {
  EXPECT_EQ(texts(with_environment({{"TICKPIPE_HTTP__PORT", "99999"}})),
            "TICKPIPE_HTTP__PORT: http.port: 99999 is not within 0 to 65535\n");
  EXPECT_EQ(texts(with_environment({{"PIPELINE_WORKERS", "many"}})),
            "PIPELINE_WORKERS: worker_count: \"many\" is not a number\n");
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_PRICE_REJECT_RATIO", "nan"}})), HasSubstr("is not a number"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_PRICE_REJECT_RATIO", "1e999"}})), HasSubstr("is not within"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_ENABLE_DEDUPLICATION", "maybe"}})), HasSubstr("is not true or false"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_LOG__FILE", "\xff"}})), HasSubstr("invalid UTF-8"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_AUTH", "{\"mode\": \"none\""}})), HasSubstr("not valid JSON"));
}

TEST(ConfigEnvironmentTest, AnUnknownVariableIsAWarningWithASuggestion) {
  const ConfigResult result = with_environment({{"TICKPIPE_HTTP_PORT", "1"}});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(texts(result),
            "TICKPIPE_HTTP_PORT: warning: unknown variable, ignored; did you mean \"TICKPIPE_HTTP__PORT\"?\n");
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_WORKERCOUNT", "1"}})), HasSubstr("\"TICKPIPE_WORKER_COUNT\"?"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_HTTP__PROT", "1"}})), HasSubstr("\"TICKPIPE_HTTP__PORT\"?"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_http__port", "1"}})), HasSubstr("\"TICKPIPE_HTTP__PORT\"?"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_AUTH__MODE", "jwt"}})), HasSubstr("set as a whole"));
  EXPECT_EQ(texts(with_environment({{"TICKPIPE_FROBNICATE", "1"}})),
            "TICKPIPE_FROBNICATE: warning: unknown variable, ignored\n");
}

TEST(ConfigEnvironmentTest, OtherVariablesAreNotOurs) {
  EXPECT_THAT(with_environment({{"PATH", "/bin"}, {"TICKPIPE_RECORDINGS", "../data"}, {"TICKPIPER", "1"}}).problems,
              IsEmpty());
}

TEST(ConfigEnvironmentTest, AnEmptyVariableCountsAsUnset) {
  const ConfigResult result =
      with_environment({{"TICKPIPE_WORKER_COUNT", ""}, {"PIPELINE_WORKERS", "7"}, {"TICKPIPE_FROBNICATE", ""}});
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_EQ(result.config.worker_count, 7U);
}

TEST(ConfigEnvironmentTest, TheShortNamesYieldToTheLongOnes) {
  const ConfigResult result = with_environment({{"REDIS_ADDR", "short:1"}, {"TICKPIPE_REDIS_ADDR", "long:2"}});
  EXPECT_EQ(result.config.redis_addr, "long:2");
  EXPECT_EQ(with_environment({{"REDIS_ADDR", "short:1"}}).config.redis_addr, "short:1");
}

TEST(ConfigEnvironmentTest, TheFirstOfTwoVariablesOfANameCounts) {
  EXPECT_EQ(with_environment({{"PIPELINE_WORKERS", "7"}, {"PIPELINE_WORKERS", "8"}}).config.worker_count, 7U);
}

TEST(ConfigEnvironmentTest, ListsAreJsonOrCommaSeparated) {
  EXPECT_THAT(with_environment({{"TICKPIPE_SYMBOLS", " a, b "}}).config.symbols, ElementsAre("A", "B"));
  EXPECT_THAT(with_environment({{"TICKPIPE_SYMBOLS", R"(["a","b"])"}}).config.symbols, ElementsAre("A", "B"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_SYMBOLS", "a,,b"}})), HasSubstr("an empty string in the list"));
  EXPECT_THAT(texts(with_environment({{"TICKPIPE_SYMBOLS", "a,"}})), HasSubstr("an empty string in the list"));
  EXPECT_EQ(with_environment({{"TICKPIPE_FEEDS", R"([{"type":"sim"}])"}}).config.feeds_json, R"([{"type":"sim"}])");
}

TEST(ConfigEnvironmentTest, ADayCloseIsTextOrJson) {
  const ConfigResult result =
      with_environment({{"TICKPIPE_DAY_CLOSE", R"({"rules":[{"match":"B*","day_close":"17:00 America/New_York"}]})"}});
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_EQ(result.config.day_close, "00:00 UTC");
  EXPECT_EQ(result.config.day_close_rules.size(), 1U);
}

TEST(ConfigOverrideTest, AnUnknownKeyIsAnErrorWithASuggestion) {
  EXPECT_EQ(texts(with_overrides({{"http.prot", "1"}})),
            "command line: http.prot: unknown key; did you mean \"http.port\"?\n");
  EXPECT_EQ(texts(with_overrides({{"", "1"}})), "command line: unknown key\n");
  EXPECT_FALSE(with_overrides({{"http", "{}"}}).ok());
}

TEST(ConfigOverrideTest, AnEmptyValueIsAValue) {
  EXPECT_THAT(with_overrides({{"symbols", "A"}, {"symbols", ""}}).config.symbols, IsEmpty());
  EXPECT_EQ(with_overrides({{"redis_addr", "h:1"}, {"redis_addr", ""}}).config.redis_addr, "");
  EXPECT_FALSE(with_overrides({{"worker_count", ""}}).ok());
  EXPECT_FALSE(with_overrides({{"timeframes", ""}}).ok());
}

TEST(ConfigOverrideTest, AWholeValueIsReplaced) {
  const ConfigResult result = with_overrides(
      {{"day_close", R"({"rules":[{"match":"B*","day_close":"00:00 UTC"}]})"}, {"day_close", "17:00 UTC"}});
  EXPECT_EQ(result.config.day_close, "17:00 UTC");
  EXPECT_THAT(result.config.day_close_rules, IsEmpty());
}

}  // namespace
}  // namespace tickpipe::internal
