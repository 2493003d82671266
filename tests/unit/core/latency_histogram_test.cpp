#include "core/latency_histogram.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogramTest, QuantilesAreWithinThreePercent) {
  LatencyHistogram histogram;
  for (std::int64_t i = 1; i <= 1'000'000; ++i) histogram.record(nanoseconds{i});
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const double exact = share * 1'000'000;
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share).count()), exact, exact * 0.032) << share;
  }
  EXPECT_EQ(histogram.max(), nanoseconds{1'000'000});
  EXPECT_EQ(histogram.quantile(1).count(), 1'000'000);
}

TEST(LatencyHistogramTest, ExtremesHaveABucket) {
  LatencyHistogram histogram;
  histogram.record(nanoseconds{-5});
  EXPECT_EQ(histogram.quantile(1), nanoseconds{0});
  histogram.record(nanoseconds::max(), 3);
  EXPECT_EQ(histogram.quantile(1), nanoseconds::max());
  EXPECT_EQ(histogram.count(), 4U);
}

TEST(LatencyHistogramTest, NothingRecordedGivesZero) { EXPECT_EQ(LatencyHistogram().quantile(0.99), nanoseconds{0}); }

}  // namespace
}  // namespace tickpipe::internal
