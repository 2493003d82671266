#include "monitor/process_usage.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace tickpipe::internal {
namespace {

TEST(ProcessUsageTest, MemoryThatIsTouchedIsSeen) {
  constexpr std::size_t kBytes = 64U << 20U;
  const ProcessUsage before = read_process_usage();
  const std::vector<char> memory(kBytes, 'x');
  const ProcessUsage after = read_process_usage();
  EXPECT_GT(before.resident_bytes, 1U << 20U);
  EXPECT_GE(after.resident_bytes, before.resident_bytes + kBytes / 2) << memory.back();
}

TEST(ProcessUsageTest, CpuTimeGrowsWithWork) {
  const double before = read_process_usage().cpu_seconds;
  double now = before;
  for (volatile int work = 0; now < before + 0.02;) {
    work = work + 1;
    if (work % 100'000 == 0) now = read_process_usage().cpu_seconds;
  }
  EXPECT_GE(now, before + 0.02);
}

}  // namespace
}  // namespace tickpipe::internal
