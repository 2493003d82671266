#include "model/trading_calendar.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

UnixNanos at(std::string_view text) { return parse_timestamp(text).value(); }
Timeframe tf(std::string_view text) { return parse_timeframe(text).value(); }

std::string interval(const TradingCalendar& calendar, std::string_view timeframe, std::string_view time) {
  const Interval i = calendar.interval(tf(timeframe), at(time));
  return format_rfc3339(i.open, 0) + " " + format_rfc3339(i.close, 0);
}

TEST(TradingCalendarTest, ShortBarsAreAlignedToUtcWhateverTheDayClose) {
  const TradingCalendar calendar("17:30 America/New_York");
  EXPECT_EQ(interval(calendar, "1m", "2026-01-15T22:00:30Z"), "2026-01-15T22:00:00Z 2026-01-15T22:01:00Z");
  EXPECT_EQ(interval(calendar, "1h", "2026-01-15T22:00:00Z"), "2026-01-15T22:00:00Z 2026-01-15T23:00:00Z");
}

TEST(TradingCalendarTest, NewYorkDaysFollowTheOffset) {
  const TradingCalendar calendar("17:00 America/New_York");
  EXPECT_EQ(interval(calendar, "1d", "2026-01-15T22:00:00Z"), "2026-01-15T22:00:00Z 2026-01-16T22:00:00Z");
  EXPECT_EQ(interval(calendar, "1d", "2026-07-15T20:59:59Z"), "2026-07-14T21:00:00Z 2026-07-15T21:00:00Z");
  EXPECT_EQ(interval(calendar, "4h", "2026-01-15T21:59:59Z"), "2026-01-15T18:00:00Z 2026-01-15T22:00:00Z");
}

TEST(TradingCalendarTest, TheDayOfADstChangeIsShorterOrLonger) {
  const TradingCalendar calendar("17:00 America/New_York");
  // Spring: 2026-03-08 02:00 -> 03:00.
  EXPECT_EQ(interval(calendar, "1d", "2026-03-08T12:00:00Z"), "2026-03-07T22:00:00Z 2026-03-08T21:00:00Z");
  EXPECT_EQ(interval(calendar, "4h", "2026-03-08T06:30:00Z"), "2026-03-08T06:00:00Z 2026-03-08T09:00:00Z");
  // Autumn: 2026-11-01 02:00 -> 01:00.
  EXPECT_EQ(interval(calendar, "1d", "2026-11-01T12:00:00Z"), "2026-10-31T21:00:00Z 2026-11-01T22:00:00Z");
  EXPECT_EQ(interval(calendar, "4h", "2026-11-01T05:00:00Z"), "2026-11-01T05:00:00Z 2026-11-01T10:00:00Z");
}

TEST(TradingCalendarTest, ABoundaryInASkippedHourFallsOnTheFirstInstantAfterIt) {
  const TradingCalendar calendar("00:00 America/New_York");
  EXPECT_EQ(interval(calendar, "2h", "2026-03-08T06:59:59Z"), "2026-03-08T05:00:00Z 2026-03-08T07:00:00Z");
  EXPECT_EQ(interval(calendar, "2h", "2026-03-08T07:00:00Z"), "2026-03-08T07:00:00Z 2026-03-08T08:00:00Z");
}

TEST(TradingCalendarTest, ABoundaryInARepeatedHourFallsOnTheFirst) {
  const TradingCalendar calendar("01:00 America/New_York");
  // 01:00 comes twice on 2026-11-01: 05:00Z (EDT) and 06:00Z (EST).
  EXPECT_EQ(interval(calendar, "1d", "2026-11-01T05:00:00Z"), "2026-11-01T05:00:00Z 2026-11-02T06:00:00Z");
  EXPECT_EQ(interval(calendar, "1d", "2026-11-01T06:30:00Z"), "2026-11-01T05:00:00Z 2026-11-02T06:00:00Z");
  EXPECT_EQ(interval(calendar, "1d", "2026-11-01T04:59:59Z"), "2026-10-31T05:00:00Z 2026-11-01T05:00:00Z");
}

TEST(TradingCalendarTest, AWeekStartsWithMondaysTradingDay) {
  EXPECT_EQ(interval(TradingCalendar("00:00 UTC"), "1w", "2026-01-15T12:00:00Z"),
            "2026-01-12T00:00:00Z 2026-01-19T00:00:00Z");
  // Monday's day in New York opens on Sunday 17:00.
  EXPECT_EQ(interval(TradingCalendar("17:00 America/New_York"), "1w", "2026-01-15T12:00:00Z"),
            "2026-01-11T22:00:00Z 2026-01-18T22:00:00Z");
  EXPECT_EQ(interval(TradingCalendar("17:00 America/New_York"), "1w", "2026-03-07T12:00:00Z"),
            "2026-03-01T22:00:00Z 2026-03-08T21:00:00Z");
  // Closing in the morning, Monday's day opens on Monday.
  EXPECT_EQ(interval(TradingCalendar("06:00 Asia/Tokyo"), "1w", "2026-01-15T12:00:00Z"),
            "2026-01-11T21:00:00Z 2026-01-18T21:00:00Z");
}

TEST(TradingCalendarTest, IntervalsTileTime) {
  for (const char* day_close : {"00:00 UTC", "17:00 America/New_York", "01:30 America/New_York", "02:00 Europe/London",
                                "23:45 Asia/Kathmandu", "02:00 Australia/Lord_Howe"}) {
    const TradingCalendar calendar(day_close);
    for (const char* timeframe : {"2h", "3h", "4h", "12h", "1d", "1w"}) {
      UnixNanos t = at("2026-01-01T00:00:00Z");
      const UnixNanos end = at("2027-01-15T00:00:00Z");
      Interval previous = calendar.interval(tf(timeframe), t);
      for (; t < end; t = t + minutes{30}) {
        const Interval here = calendar.interval(tf(timeframe), t);
        ASSERT_TRUE(here.contains(t)) << day_close << " " << timeframe << " " << format_rfc3339(t, 0);
        if (here == previous) continue;
        ASSERT_EQ(here.open, previous.close) << day_close << " " << timeframe << " " << format_rfc3339(t, 0);
        previous = here;
      }
    }
  }
}

TEST(TradingCalendarTest, AlignmentLooksAtEveryOffset) {
  EXPECT_TRUE(TradingCalendar("17:00 America/New_York").aligned_to(tf("1h")));
  EXPECT_FALSE(TradingCalendar("17:01 America/New_York").aligned_to(tf("5m")));
  EXPECT_FALSE(TradingCalendar("17:00 Asia/Kolkata").aligned_to(tf("1h")));
  EXPECT_TRUE(TradingCalendar("17:00 Asia/Kolkata").aligned_to(tf("30m")));
  EXPECT_FALSE(TradingCalendar("17:00 Australia/Lord_Howe").aligned_to(tf("1h")));  // 10:30 and 11:00
  EXPECT_TRUE(TradingCalendar("17:01 America/New_York").aligned_to(tf("4h")));      // follows the day close itself
}

TEST(TradingCalendarTest, NonsenseIsRefusedWithTheRemedy) {
  for (const char* text :
       {"", "17:00", "25:00 UTC", "17:60 UTC", "1700 UTC", "17:00 Mars/Olympus", "17:00UTC", "aa:bb UTC"}) {
    EXPECT_THROW(TradingCalendar calendar(text), ConfigError) << text;
  }
}

TEST(CalendarRulesTest, TheFirstMatchingRuleCounts) {
  const CalendarRules rules("17:00 America/New_York", {{"BTC*", "00:00 UTC"}, {"*USD", "06:00 Asia/Tokyo"}});
  EXPECT_EQ(rules.for_symbol("BTCUSD").text(), "00:00 UTC");
  EXPECT_EQ(rules.for_symbol("EURUSD").text(), "06:00 Asia/Tokyo");
  EXPECT_EQ(rules.for_symbol("EURGBP").text(), "17:00 America/New_York");
}

TEST(GlobTest, StarsAndQuestionMarksMatchWhatTheyShould) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("B*D", "BTCUSD"));
  EXPECT_TRUE(glob_match("*US*D*", "BTCUSD"));
  EXPECT_TRUE(glob_match("BTC???", "BTCUSD"));
  EXPECT_FALSE(glob_match("BTC??", "BTCUSD"));
  EXPECT_FALSE(glob_match("btc*", "BTCUSD"));
  EXPECT_FALSE(glob_match("", "X"));
}

TEST(TimeframeTest, NamesAreParsedAndPrintedInTheShortestForm) {
  EXPECT_EQ(tf("60m").name(), "1h");
  EXPECT_EQ(tf("120s").name(), "2m");
  EXPECT_EQ(tf("24h").name(), "1d");
  EXPECT_EQ(tf("1w").name(), "1w");
  EXPECT_EQ(tf("90s").name(), "90s");
  for (const char* text :
       {"", "m", "0m", "7m", "25h", "2d", "2w", "1M", "-1m", "1.5h", " 1m", "01m", "99999999999999s"}) {
    EXPECT_FALSE(parse_timeframe(text)) << text;
  }
}

}  // namespace
}  // namespace tickpipe::internal
