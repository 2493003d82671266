#include "feed/fx_week.h"

#include <gtest/gtest.h>

#include "core/timestamp_text.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {
namespace {

FxWeek week_at(std::string_view time) { return fx_week_at(*parse_timestamp(time)); }
std::string text(UnixNanos time) { return format_rfc3339(time, 0); }

TEST(FxWeekTest, IsOpenFromSundayToFridayFivePmInNewYork) {
  const FxWeek week = week_at("2026-01-14T12:00:00Z");
  EXPECT_EQ(text(week.open), "2026-01-11T22:00:00Z");
  EXPECT_EQ(text(week.close), "2026-01-16T22:00:00Z");
  EXPECT_EQ(text(week.next_open), "2026-01-18T22:00:00Z");
}

TEST(FxWeekTest, TheWeekendBelongsToTheWeekBefore) {
  EXPECT_EQ(text(week_at("2026-01-16T22:00:00Z").open), "2026-01-11T22:00:00Z");
  EXPECT_EQ(text(week_at("2026-01-18T21:59:59.999999999Z").open), "2026-01-11T22:00:00Z");
  EXPECT_EQ(text(week_at("2026-01-18T22:00:00Z").open), "2026-01-18T22:00:00Z");
}

TEST(FxWeekTest, FollowsDaylightSavingTimeInSpring) {
  const FxWeek week = week_at("2026-03-06T00:00:00Z");
  EXPECT_EQ(text(week.close), "2026-03-06T22:00:00Z");
  EXPECT_EQ(text(week.next_open), "2026-03-08T21:00:00Z");
  EXPECT_EQ(text(week_at("2026-03-08T21:00:00Z").close), "2026-03-13T21:00:00Z");
}

TEST(FxWeekTest, FollowsDaylightSavingTimeInAutumn) {
  const FxWeek week = week_at("2026-10-30T00:00:00Z");
  EXPECT_EQ(text(week.close), "2026-10-30T21:00:00Z");
  EXPECT_EQ(text(week.next_open), "2026-11-01T22:00:00Z");
  EXPECT_EQ(text(week_at("2026-11-01T21:59:59Z").open), "2026-10-25T21:00:00Z");
}

TEST(FxWeekTest, AgreesWithTheTimeZoneDatabaseForThirtyYears) {
  const TradingCalendar calendar("17:00 America/New_York");
  UnixNanos time = *parse_timestamp("2007-03-20T00:00:00Z");
  const UnixNanos end = *parse_timestamp("2037-01-01T00:00:00Z");
  std::size_t weeks = 0;
  for (; time < end; ++weeks) {
    const FxWeek week = fx_week_at(time);
    const Interval expected = calendar.interval(kOneWeek, time);
    const Interval sunday = calendar.interval({std::chrono::hours{24}}, expected.close - std::chrono::nanoseconds{1});
    const Interval saturday = calendar.interval({std::chrono::hours{24}}, sunday.open - std::chrono::nanoseconds{1});
    ASSERT_EQ(text(week.open), text(expected.open));
    ASSERT_EQ(text(week.next_open), text(expected.close));
    ASSERT_EQ(text(week.close), text(saturday.open));
    time = week.next_open;
  }
  EXPECT_GT(weeks, 1500U);
}

}  // namespace
}  // namespace tickpipe::internal
