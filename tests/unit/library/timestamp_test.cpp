#include <gtest/gtest.h>
#include <tickpipe/timestamp.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace tickpipe {
namespace {

constexpr std::int64_t kNanos = 1'768'384'800'123'456'789;

TEST(TimestampTest, TheSizeOfAnIntegerTellsItsUnit) {
  EXPECT_EQ(Timestamp(kNanos / 1'000'000'000).nanos(), kNanos / 1'000'000'000 * 1'000'000'000);
  EXPECT_EQ(Timestamp(kNanos / 1'000'000).nanos(), kNanos / 1'000'000 * 1'000'000);
  EXPECT_EQ(Timestamp(kNanos / 1'000).nanos(), kNanos / 1'000 * 1'000);
  EXPECT_EQ(Timestamp(kNanos).nanos(), kNanos);
  EXPECT_EQ(Timestamp(99'999'999'999).nanos(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Timestamp(100'000'000'000).nanos(), 100'000'000'000'000'000);
}

TEST(TimestampTest, ATimePointKeepsItsDigits) {
  using namespace std::chrono;
  EXPECT_EQ(Timestamp(sys_time<nanoseconds>{nanoseconds{kNanos}}).nanos(), kNanos);
  EXPECT_EQ(Timestamp(sys_time<milliseconds>{milliseconds{1'768'384'800'123}}).nanos(), 1'768'384'800'123'000'000);
  EXPECT_EQ(Timestamp(sys_days{2026y / 1 / 14}).nanos(), 1'768'348'800'000'000'000);
  EXPECT_EQ(Timestamp(sys_time<hours>{hours{1'000'000'000}}).nanos(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Timestamp::from_nanos(kNanos).time().time_since_epoch().count(), kNanos);
}

TEST(TimestampTest, NoneIsNoInteger) {
  EXPECT_TRUE(Timestamp::none().is_none());
  EXPECT_FALSE(Timestamp(0).is_none());
  EXPECT_FALSE(Timestamp(std::numeric_limits<std::int64_t>::min()).is_none());
}

}  // namespace
}  // namespace tickpipe
