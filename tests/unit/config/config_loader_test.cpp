#include "app/config/config_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "unit/config/config_testing.h"

namespace tickpipe::internal {
namespace {

using config_testing::every_setting;
using config_testing::load;
using config_testing::only_error;
using config_testing::Setting;
using config_testing::settings;
using config_testing::texts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// `{"http": {"port": 1}}` for `http.port` and `1`.
std::string as_file(const Setting& setting) {
  const std::size_t dot = setting.path.find('.');
  std::string with;
  for (const Setting& needed : setting.with) with += ", \"" + needed.path + "\": " + needed.json;
  if (dot == std::string::npos) return "{\"" + setting.path + "\": " + setting.json + with + "}";
  return "{\"" + setting.path.substr(0, dot) + "\": {\"" + setting.path.substr(dot + 1) + "\": " + setting.json + "}}";
}

using Texts = std::vector<std::pair<std::string, std::string>>;

Texts in_environment(const Setting& setting) {
  Texts texts = {{environment_name(setting.path), setting.text}};
  for (const Setting& needed : setting.with) texts.emplace_back(environment_name(needed.path), needed.text);
  return texts;
}

Texts on_command_line(const Setting& setting) {
  Texts texts = {{setting.path, setting.text}};
  for (const Setting& needed : setting.with) texts.emplace_back(needed.path, needed.text);
  return texts;
}

std::string rendered(const ConfigResult& result, std::string_view path) {
  return find_config_entry(path)->render(result.config);
}

ConfigSources no_file() {
  ConfigSources sources;
  sources.default_file.clear();
  return sources;
}

class ConfigFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / (std::string("tickpipe_config_") + info->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

TEST(ConfigLoaderTest, TheDocumentedExampleIsAccepted) {
  const ConfigResult result = load(R"({"redis_addr":"localhost:6379","worker_count":4,"tick_buffer_size":10000})");
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_EQ(texts(result), "");
  EXPECT_EQ(result.config.redis_addr, "localhost:6379");
}

TEST(ConfigLoaderTest, AnEmptyObjectGivesTheDefaults) {
  const ConfigResult result = load("{}");
  EXPECT_EQ(texts(result), "");
  EXPECT_EQ(settings(result.config), settings(PipelineConfig{}));
}

TEST(ConfigLoaderTest, EveryKeyIsInTheListOfThisTest) {
  std::set<std::string> listed;
  for (const Setting& setting : every_setting()) listed.insert(setting.path);
  std::set<std::string> known;
  for (const std::string_view path : config_paths()) known.emplace(path);
  EXPECT_EQ(listed, known);
}

TEST(ConfigLoaderTest, EveryKeyCanBeSetInAFile) {
  for (const Setting& setting : every_setting()) {
    const ConfigResult result = load(as_file(setting));
    EXPECT_TRUE(result.ok()) << texts(result);
    EXPECT_EQ(rendered(result, setting.path), setting.json);
    EXPECT_NE(rendered(load("{}"), setting.path), setting.json) << "the default says nothing: " << setting.path;
  }
}

TEST(ConfigLoaderTest, EveryKeyCanBeSetInTheEnvironment) {
  for (const Setting& setting : every_setting()) {
    ConfigSources sources = no_file();
    sources.environment = in_environment(setting);
    const ConfigResult result = load_config(sources);
    EXPECT_TRUE(result.ok()) << texts(result);
    EXPECT_EQ(settings(result.config), settings(load(as_file(setting)).config)) << setting.path;
  }
}

TEST(ConfigLoaderTest, EveryKeyCanBeSetOnTheCommandLine) {
  for (const Setting& setting : every_setting()) {
    ConfigSources sources = no_file();
    sources.overrides = on_command_line(setting);
    const ConfigResult result = load_config(sources);
    EXPECT_TRUE(result.ok()) << texts(result);
    EXPECT_EQ(settings(result.config), settings(load(as_file(setting)).config)) << setting.path;
  }
}

TEST(ConfigLoaderTest, SettingsOfPartsNotBuiltWarnOnceEach) {
  ConfigSources sources = no_file();
  sources.environment = {{"TICKPIPE_OHLC_BUFFER_SIZE", "500"}};
  sources.overrides = {{"ohlc_buffer_size", "600"}, {"http.cors_origins", "https://a.example"}};
  const ConfigResult result = load_config(sources);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(texts(result),
            "command line: warning: ohlc_buffer_size: accepted, but not in this build yet: the bar queue\n"
            "command line: warning: http.cors_origins: accepted, but not in this build yet: auth\n");
}

TEST(ConfigLoaderTest, MisspeltKeyIsAnErrorWithASuggestion) {
  EXPECT_EQ(only_error("{\n  \"http\": {\n    \"prot\": 8000\n  }\n}"),
            "c.json:3: http.prot: unknown key; did you mean \"port\"?");
  EXPECT_EQ(only_error(R"({"worker_cout": 8})"), "c.json:1: worker_cout: unknown key; did you mean \"worker_count\"?");
  EXPECT_EQ(only_error(R"({"htpp": {"port": 8000}})"), "c.json:1: htpp: unknown key; did you mean \"http\"?");
}

TEST(ConfigLoaderTest, AFlatKeyIsAnErrorThatShowsTheNestedForm) {
  for (const char* key : {"http_port", "http.port", "httpPort", "port"}) {
    EXPECT_EQ(only_error("{\"" + std::string(key) + "\": 8000}"),
              "c.json:1: " + std::string(key) +
                  ": unknown key here; it is written {\"http\": {\"port\": ...}}; did you mean \"http.port\"?");
  }
}

TEST(ConfigLoaderTest, AllProblemsAreReported) {
  const ConfigResult result = load(
      "{ // first line\r\n"
      "  \"worker_count\": 0, /* a\r\n comment */\r\n"
      "  \"nonsense_of_mine\": 1,\r\n"
      "  \"http\": {\"port\": \"x\"},\r\n"
      "  \"dedup_window\": \"5\"\r\n"
      "}\r\n");
  std::vector<int> lines;
  for (const ConfigProblem& problem : result.problems) lines.push_back(problem.line);
  EXPECT_THAT(lines, ElementsAre(2, 4, 5, 6)) << texts(result);
  EXPECT_FALSE(result.ok());
}

TEST(ConfigLoaderTest, AKeyGivenTwiceNamesBothLines) {
  EXPECT_EQ(only_error("{\"worker_count\": 2,\n\n\"worker_count\": 3}"),
            "c.json:3: worker_count: given twice; the first one is in line 1");
}

TEST(ConfigLoaderTest, WhatIsNoObjectIsRefused) {
  for (const char* text : {"[]", "7", "\"x\"", "null", "true"}) {
    EXPECT_THAT(only_error(text), HasSubstr("expected an object { ... }")) << text;
  }
}

TEST(ConfigLoaderTest, TextFromTheFileIsMadeSafe) {
  const std::string message = only_error("{\"a\\u001b[31m\xe2\x80\xae\": 1}");
  EXPECT_EQ(message, "c.json:1: a\\x1b[31m\\xe2\\x80\\xae: unknown key");
}

TEST(ConfigLoaderTest, AHostileFileGivesABoundedListOfProblems) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"worker_cout" + std::to_string(i) + "\": 1,\n";
  const ConfigResult result = load(text + "\"worker_count\": 2}");
  ASSERT_EQ(result.problems.size(), ProblemLog::kMaxProblems + 1);
  EXPECT_EQ(format_problem(result.problems.back()), "and 99000 more problems");
  EXPECT_FALSE(result.ok());
}

TEST(ConfigLoaderTest, BrokenTextsGiveAProblemAndNoCrash) {
  const std::string good = R"({"http": {"port": 8000}, "symbols": ["A", "B"], "auth": {"mode": "none"}})";
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(load(good.substr(0, i)).ok()) << i;
    for (const char c : {'\0', '\xff', '{', '"', ',', '\n'}) {
      std::string bad = good;
      bad[i] = c;
      load(bad);  // some are still good
    }
  }
}

TEST(ConfigLoaderTest, StrongerSourcesWin) {
  ConfigSources sources = no_file();
  EXPECT_EQ(load_config(sources).config.worker_count, 4U);
  sources.environment = {{"PIPELINE_WORKERS", "5"}};
  EXPECT_EQ(load_config(sources).config.worker_count, 5U);
  sources.environment.emplace_back("TICKPIPE_WORKER_COUNT", "6");
  EXPECT_EQ(load_config(sources).config.worker_count, 6U);
  sources.overrides = {{"worker_count", "7"}, {"worker_count", "8"}};
  EXPECT_EQ(load_config(sources).config.worker_count, 8U);
}

TEST_F(ConfigFileTest, TheFileYieldsToTheEnvironmentAndToTheCommandLine) {
  ConfigSources sources = no_file();
  sources.file = write("p.json", R"({"worker_count": 2, "max_lps": 3, "max_symbols": 4, "symbols": ["A", "B"]})");
  sources.environment = {{"TICKPIPE_MAX_LPS", "30"}, {"TICKPIPE_MAX_SYMBOLS", "40"}, {"TICKPIPE_SYMBOLS", "C"}};
  sources.overrides = {{"max_symbols", "400"}};
  const ConfigResult result = load_config(sources);
  EXPECT_TRUE(result.ok()) << texts(result);
  EXPECT_EQ(result.config.worker_count, 2U);
  EXPECT_EQ(result.config.max_lps, 30U);
  EXPECT_EQ(result.config.max_symbols, 400U);
  EXPECT_THAT(result.config.symbols, ElementsAre("C"));
  EXPECT_EQ(result.file, sources.file);
}

TEST_F(ConfigFileTest, TheDefaultFileIsReadIfItExists) {
  ConfigSources sources;
  EXPECT_EQ(sources.default_file, "config/pipeline.json");
  sources.default_file = (folder_ / "pipeline.json").string();
  EXPECT_EQ(load_config(sources).file, "");
  write("pipeline.json", R"({"worker_count": 2})");
  EXPECT_EQ(load_config(sources).config.worker_count, 2U);
}

TEST_F(ConfigFileTest, AMissingFileIsAnErrorIfItWasAskedFor) {
  ConfigSources sources = no_file();
  sources.file = (folder_ / "none.json").string();
  EXPECT_THAT(texts(load_config(sources)), HasSubstr("none.json: no such configuration file"));
  sources.file = folder_.string();
  EXPECT_THAT(texts(load_config(sources)), HasSubstr("is a directory"));
}

TEST_F(ConfigFileTest, AFileOfMegabytesIsRefused) {
  ConfigSources sources = no_file();
  sources.file = write("big.json", std::string(9'000'000, ' '));
  EXPECT_THAT(texts(load_config(sources)), HasSubstr("larger than 4 MiB"));
}

}  // namespace
}  // namespace tickpipe::internal
