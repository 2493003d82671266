#include "core/duration_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;

std::chrono::nanoseconds parsed(std::string_view text) {
  const DurationText duration = parse_duration(text);
  EXPECT_EQ(duration.status, DurationStatus::kOk) << text;
  return duration.value;
}

TEST(DurationTextTest, EveryUnitIsTaken) {
  EXPECT_EQ(parsed("7ns"), 7ns);
  EXPECT_EQ(parsed("7us"), 7us);
  EXPECT_EQ(parsed("500ms"), 500ms);
  EXPECT_EQ(parsed("30s"), 30s);
  EXPECT_EQ(parsed("5m"), 5min);
  EXPECT_EQ(parsed("24h"), 24h);
  EXPECT_EQ(parsed("2d"), 48h);
  EXPECT_EQ(parsed("0ms"), 0ns);
}

TEST(DurationTextTest, FractionsAreExact) {
  EXPECT_EQ(parsed("1.5s"), 1500ms);
  EXPECT_EQ(parsed("0.000000001s"), 1ns);
  EXPECT_EQ(parsed("0.1000000000000000000000000s"), 100ms);
  EXPECT_EQ(parsed("0.5d"), 12h);
  EXPECT_EQ(parsed("0.0000000000003125d"), 27ns);  // as fine as a fraction of a day gets
}

TEST(DurationTextTest, WhatIsNoWholeNanosecondIsRefused) {
  for (const char* text :
       {"0.5ns", "0.0000000001s", "1.0000000000000000001d", "0.3333333333333333333333333333333333m"}) {
    EXPECT_EQ(parse_duration(text).status, DurationStatus::kRange) << text;
  }
}

TEST(DurationTextTest, OverflowIsRefusedAtTheLastNanosecond) {
  EXPECT_EQ(parsed("9223372036854775807ns").count(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parsed("9223372036.854775807s").count(), std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"9223372036854775808ns", "9223372036.854775808s", "106752d", "99999999999999999999ns",
                           "9999999999999999999d", "340282366920938463463374607431768211456ns"}) {
    EXPECT_EQ(parse_duration(text).status, DurationStatus::kRange) << text;
  }
}

TEST(DurationTextTest, OtherTextIsNoDuration) {
  for (const char* text :
       {"",    "0",   "5",  "s",     "ms",   "-1s",  "+1s", "1e3s",  ".5s",   "5.s",  "05s",  "5 s",
        " 5s", "5s ", "5S", "1h30m", "1,5s", "5sec", "5w",  "1..5s", "1.5.s", "NaNs", "infs", "0x5s"}) {
    EXPECT_EQ(parse_duration(text).status, DurationStatus::kSyntax) << text;
  }
}

TEST(DurationTextTest, TheLargestWholeUnitIsWritten) {
  EXPECT_EQ(format_duration(0ns), "0ms");
  EXPECT_EQ(format_duration(1ns), "1ns");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(36h), "36h");
  EXPECT_EQ(format_duration(48h), "2d");
}

TEST(DurationTextTest, WhatIsWrittenReadsBackTheSame) {
  for (std::int64_t ns = 1; ns > 0 && ns < std::numeric_limits<std::int64_t>::max() / 7; ns = ns * 7 - 1) {
    EXPECT_EQ(parsed(format_duration(std::chrono::nanoseconds{ns})).count(), ns);
  }
}

}  // namespace
}  // namespace tickpipe::internal
