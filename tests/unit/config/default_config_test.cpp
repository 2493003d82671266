#include "app/config/default_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "unit/config/config_testing.h"

namespace tickpipe::internal {
namespace {

using config_testing::load;
using config_testing::settings;
using config_testing::texts;
using ::testing::HasSubstr;

TEST(DefaultConfigTest, LoadingItGivesTheDefaultsWithoutProblems) {
  const ConfigResult result = load(default_config_text());
  EXPECT_EQ(texts(result), "");
  EXPECT_EQ(settings(result.config), settings(PipelineConfig{}));
}

TEST(DefaultConfigTest, EveryKeyStandsInIt) {
  const std::string text = default_config_text();
  for (const ConfigEntry& entry : config_schema()) {
    const std::string_view name = entry.path.substr(entry.path.find('.') + 1);
    EXPECT_THAT(text, HasSubstr("\"" + std::string(name) + "\": " + entry.render(PipelineConfig{}))) << entry.path;
  }
}

TEST(DefaultConfigTest, EveryKeyHasACommentAndASection) {
  for (const ConfigEntry& entry : config_schema()) {
    EXPECT_FALSE(entry.comment.empty()) << entry.path;
    EXPECT_FALSE(entry.section.empty()) << entry.path;
    EXPECT_TRUE(entry.comment.ends_with('.')) << entry.path;
  }
}

TEST(DefaultConfigTest, KeysOfOneGroupStandTogether) {
  std::set<std::string_view> closed;
  std::string_view group;
  for (const std::string_view path : config_paths()) {
    const std::string_view next = path.find('.') == std::string_view::npos ? "" : path.substr(0, path.find('.'));
    if (next == group) continue;
    closed.insert(group);
    group = next;
    EXPECT_TRUE(group.empty() || !closed.contains(group)) << path;
  }
}

TEST(DefaultConfigTest, ItsLinesFitAScreen) {
  std::istringstream lines(default_config_text());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

}  // namespace
}  // namespace tickpipe::internal
