#include "core/timestamp_text.h"

#include <gtest/gtest.h>

#include <string>

namespace tickpipe::internal {
namespace {

constexpr std::int64_t kMorning = 1'577'916'000'065'000'000;  // 2020-01-01T22:00:00.065Z

std::int64_t parse_ok(std::string_view text, TimeUnit unit = TimeUnit::kAuto) {
  const auto time = parse_timestamp(text, unit);
  EXPECT_TRUE(time.has_value()) << text;
  return time.value_or(UnixNanos{}).ns;
}

TEST(TimestampTest, EveryFormOfOneMomentIsTheSame) {
  for (const char* text :
       {"1577916000065", "1577916000.065", "1577916000065000", "1577916000065000000", "1577916000065.000000",
        "2020-01-01T22:00:00.065Z", "2020-01-01 22:00:00.065Z", "2020-01-01T22:00:00.065",
        "2020-01-01T22:00:00.065000000Z", "2020-01-01T22:00:00,065z", "2020-01-01t17:00:00.065-05:00",
        "2020-01-02T03:30:00.065+0530", "2020-01-01T23:00:00.065+01", "1.577916000065e9", "1577916000065e0",
        "2020-01-01T22:00:00.0650000000000000Z"}) {
    EXPECT_EQ(parse_ok(text), kMorning) << text;
  }
}

TEST(TimestampTest, TheMagnitudeTellsTheUnit) {
  EXPECT_EQ(parse_ok("9214646399"), 9'214'646'399 * kNanosPerSecond);
  EXPECT_FALSE(parse_timestamp("99999999999"));                        // still seconds: the year 5138
  EXPECT_EQ(parse_ok("100000000000"), 100'000'000 * kNanosPerSecond);  // milliseconds
  EXPECT_EQ(parse_ok("9214646399999"), 9'214'646'399'999 * kNanosPerMilli);
  EXPECT_EQ(parse_ok("100000000000000"), 100'000'000 * kNanosPerSecond);     // microseconds
  EXPECT_EQ(parse_ok("100000000000000000"), 100'000'000 * kNanosPerSecond);  // nanoseconds
}

TEST(TimestampTest, TheFieldNameFixesTheUnit) {
  EXPECT_EQ(parse_ok("94694400000", TimeUnit::kMillis), kFirstTickTime.ns);
  EXPECT_EQ(parse_ok("1577916000065.25", TimeUnit::kMillis), kMorning + 250'000);
  EXPECT_EQ(parse_ok("1577916000065000", TimeUnit::kMicros), kMorning);
  EXPECT_EQ(parse_ok("1577916000065000000", TimeUnit::kNanos), kMorning);
  EXPECT_FALSE(parse_timestamp("2020-01-01T22:00:00Z", TimeUnit::kMillis));
  EXPECT_FALSE(parse_timestamp("1577916000", TimeUnit::kMillis));  // January 1970
}

TEST(TimestampTest, DigitsBelowANanosecondAreCutOff) {
  EXPECT_EQ(parse_ok("1577916000.0651234567899"), 1'577'916'000'065'123'456);
  EXPECT_EQ(parse_ok("2020-01-01T22:00:00.0651234567899Z"), 1'577'916'000'065'123'456);
  EXPECT_EQ(parse_ok("1577916000065123456.9", TimeUnit::kNanos), 1'577'916'000'065'123'456);
}

TEST(TimestampTest, TimesOutsideTheRangeAreRefused) {
  EXPECT_EQ(parse_ok("1973-01-01T00:00:00Z"), kFirstTickTime.ns);
  EXPECT_EQ(parse_ok("2261-12-31T23:59:59.999999999Z"), kEndOfTickTime.ns - 1);
  for (const char* text : {"0", "-1", "1", "1972-12-31T23:59:59.999999999Z", "2262-01-01T00:00:00Z", "9214646400",
                           "99999999999999999999999", "1e400", "1e-400", "0e5", "9999-12-31T23:59:59Z"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(TimestampTest, ABoundOutsideTheRangeIsMovedToItsNearEnd) {
  for (const char* text : {"0", "1", "1972-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "1e-400", "1.5e-9", "999e-3"}) {
    const auto bound = parse_time_bound(text);
    ASSERT_TRUE(bound.has_value()) << text;
    EXPECT_LE(bound->ns, kFirstTickTime.ns) << text;
  }
  for (const char* text : {"2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999999999", "1e19", "9999999999999999999",
                           "99999999999999999999999", "1e400"}) {
    EXPECT_EQ(parse_time_bound(text), kEndOfTickTime) << text;
  }
  for (const char* text : {"", "-1", "now", "1.5e-", "2020-02-30T00:00:00Z"}) {
    EXPECT_FALSE(parse_time_bound(text)) << text;
  }
}

TEST(TimestampTest, MalformedTextIsRefused) {
  for (const char* text : {"",
                           "now",
                           "NaN",
                           "2020-01-01",
                           "2020-1-1T00:00:00Z",
                           "2020-02-30T00:00:00Z",
                           "2020-13-01T00:00:00Z",
                           "2020-01-01T24:00:00Z",
                           "2020-01-01T23:60:00Z",
                           "2020-01-01T23:59:60Z",
                           "2020-01-01T23:59:59.Z",
                           "2020-01-01T23:59:59ZZ",
                           "2020-01-01T23:59:59+",
                           "2020-01-01T23:59:59+24:00",
                           "2020-01-01T23:59:59+01:60",
                           "2020-01-01T23:59:59 Z",
                           "2020-01-01X23:59:59Z",
                           "+1577916000",
                           " 1577916000",
                           "1577916000 ",
                           "0x5e0d1f00"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(TimestampTest, LeapDaysExistInLeapYearsOnly) {
  EXPECT_TRUE(parse_timestamp("2020-02-29T12:00:00Z"));
  EXPECT_FALSE(parse_timestamp("2021-02-29T12:00:00Z"));
  EXPECT_FALSE(parse_timestamp("2100-02-29T12:00:00Z"));
}

TEST(TimestampTest, FormattingParsesBackToTheSame) {
  EXPECT_EQ(format_rfc3339({kMorning}, 3), "2020-01-01T22:00:00.065Z");
  EXPECT_EQ(format_rfc3339({kMorning}, 0), "2020-01-01T22:00:00Z");
  EXPECT_EQ(format_rfc3339({kMorning + 7}, 9), "2020-01-01T22:00:00.065000007Z");
  for (std::int64_t ns = kFirstTickTime.ns; ns < kEndOfTickTime.ns; ns += 8'640'123'456'789'123) {
    EXPECT_EQ(parse_ok(format_rfc3339({ns}, 9)), ns);
  }
}

}  // namespace
}  // namespace tickpipe::internal
