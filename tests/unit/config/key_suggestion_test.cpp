#include "app/config/key_suggestion.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

const std::vector<std::string_view> kPaths = {"worker_count", "timeframes",           "http.address", "http.port",
                                              "log.level",    "store.type",           "redis_db",     "max_symbols",
                                              "max_lps",      "stale_quote_threshold"};

TEST(KeySuggestionTest, ASwapOrAMissingLetterIsOneStep) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("por", "port"), 1U);
  EXPECT_EQ(edit_distance("", "port"), 4U);
  EXPECT_EQ(edit_distance("PORT", "port"), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(KeySuggestionTest, ASlipInAGroupGivesTheSibling) {
  EXPECT_EQ(suggest_key("http", "prot", kPaths), "port");
  EXPECT_EQ(suggest_key("", "worker_cuont", kPaths), "worker_count");
  EXPECT_EQ(suggest_key("", "htpp", kPaths), "http");
}

TEST(KeySuggestionTest, AFlatNameGivesTheNestedOne) {
  for (const char* name : {"http_port", "httpPort", "http.port", "HTTP-PORT", "http_prot", "port"}) {
    EXPECT_EQ(suggest_key("", name, kPaths), "http.port") << name;
  }
}

TEST(KeySuggestionTest, AKeyInTheWrongGroupGivesItsPath) {
  EXPECT_EQ(suggest_key("http", "level", kPaths), "log.level");
  EXPECT_EQ(suggest_key("http", "worker_count", kPaths), "worker_count");
}

TEST(KeySuggestionTest, NothingNearGivesNothing) {
  for (const char* name : {"", "x", "db", "frobnicate", "colour_of_the_sky"}) {
    EXPECT_EQ(suggest_key("", name, kPaths), "") << name;
  }
  EXPECT_EQ(suggest_key("", std::string(100'000, 'p'), kPaths), "");
}

}  // namespace
}  // namespace tickpipe::internal
