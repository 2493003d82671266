#include "core/shared_histogram.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "core/latency_histogram.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

TEST(SharedHistogramTest, NothingRecordedIsAllZero) {
  const SharedHistogram histogram;
  const LatencySummary summary = histogram.summary();
  EXPECT_EQ(summary.count, 0U);
  EXPECT_EQ(summary.average, nanoseconds{0});
  EXPECT_EQ(summary.p99, nanoseconds{0});
  EXPECT_EQ(summary.max, nanoseconds{0});
}

TEST(SharedHistogramTest, TellsTheSameAsTheHistogramOfOneThread) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    SharedHistogram shared;
    LatencyHistogram plain;
    std::uint64_t sum = 0;
    for (int i = 0; i < 300; ++i) {
      const auto ns = static_cast<std::int64_t>(random() >> (2 + random() % 60) >> 8);
      const std::uint64_t times = 1 + random() % 3;
      shared.record(nanoseconds{ns}, times);
      plain.record(nanoseconds{ns}, times);
      sum += static_cast<std::uint64_t>(ns) * times;
    }
    const LatencySummary summary = shared.summary();
    EXPECT_EQ(summary.count, plain.count());
    EXPECT_EQ(summary.max, plain.max());
    EXPECT_EQ(summary.p50, plain.quantile(0.50));
    EXPECT_EQ(summary.p99, plain.quantile(0.99));
    EXPECT_EQ(static_cast<std::uint64_t>(summary.average.count()), sum / summary.count);
  }
}

TEST(SharedHistogramTest, NegativeDurationsCountAsZeroAndTheLongestFits) {
  SharedHistogram histogram;
  histogram.record(nanoseconds{-5});
  EXPECT_EQ(histogram.summary().count, 1U);
  EXPECT_EQ(histogram.summary().max, nanoseconds{0});
  histogram.record(nanoseconds::max());
  EXPECT_EQ(histogram.summary().max, nanoseconds::max());
  EXPECT_EQ(histogram.summary().p99, nanoseconds::max());
}

TEST(SharedHistogramTest, ReadersSeeSoundFiguresWhileItIsWritten) {
  constexpr std::uint64_t kRecords = 300'000;
  SharedHistogram histogram;
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    for (std::uint64_t i = 0; i < kRecords; ++i) histogram.record(nanoseconds{static_cast<std::int64_t>(i % 1000)});
    done.store(true);
  });
  std::uint64_t before = 0;
  while (!done.load()) {
    const LatencySummary summary = histogram.summary();
    ASSERT_GE(summary.count, before);
    ASSERT_LE(summary.p50, summary.p99);
    ASSERT_LE(summary.p99, summary.max);
    ASSERT_LE(summary.average, summary.max);
    ASSERT_LT(summary.max, nanoseconds{1000});
    before = summary.count;
  }
  EXPECT_EQ(histogram.summary().count, kRecords);
}

}  // namespace
}  // namespace tickpipe::internal
