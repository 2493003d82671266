#include "ingest/input_format.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

using enum InputFormat;

TEST(InputFormatTest, ExplicitChoiceWins) {
  EXPECT_EQ(decide_input_format(kCsv, "a.jsonl", "{}"), kCsv);
  EXPECT_EQ(decide_input_format(kJsonLines, "a.csv", "symbol,bid"), kJsonLines);
}

TEST(InputFormatTest, ObjectInTheFirstLineIsJsonWhateverTheExtension) {
  EXPECT_EQ(decide_input_format({}, "a.csv", "{\"symbol\":1}"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "-", " \t{"), kJsonLines);
}

TEST(InputFormatTest, ExtensionDecidesBeforeTheHeader) {
  EXPECT_EQ(decide_input_format({}, "a.jsonl", "symbol,bid"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "dir/a.NDJSON", "symbol,bid"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "a.json", "symbol,bid"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "a.csv", "time,price"), kCsv);
  EXPECT_EQ(decide_input_format({}, "A.CSV", ""), kCsv);
}

TEST(InputFormatTest, HeaderWithAKnownColumnIsCsv) {
  EXPECT_EQ(decide_input_format({}, "-", "time,symbol,price"), kCsv);
  EXPECT_EQ(decide_input_format({}, "ticks.txt", "\"bid\",\"ask\""), kCsv);
  EXPECT_EQ(decide_input_format({}, "csv", "symbol"), kCsv);
}

TEST(InputFormatTest, AnythingElseIsJsonLines) {
  EXPECT_EQ(decide_input_format({}, "-", ""), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "ticks.txt", "[1,2]"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "ticks", "2026-01-15,EURUSD,1.1"), kJsonLines);
  EXPECT_EQ(decide_input_format({}, "csv", "time,price"), kJsonLines);
}

}  // namespace
}  // namespace tickpipe::internal
