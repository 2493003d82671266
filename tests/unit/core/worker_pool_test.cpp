#include "core/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace tickpipe::internal {
namespace {

TEST(WorkerPoolTest, StopRunsWhatWasSubmitted) {
  std::atomic<int> done{0};
  WorkerPool pool("work", 3);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pool.submit([&] { ++done; }));
  pool.stop();
  EXPECT_EQ(done.load(), 1000);
}

TEST(WorkerPoolTest, AfterStopNothingIsTaken) {
  WorkerPool pool("work", 1);
  pool.stop();
  EXPECT_FALSE(pool.submit([] { FAIL(); }));
  pool.stop();
}

TEST(WorkerPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    WorkerPool pool("work", 1);
    for (int i = 0; i < 100; ++i) pool.submit([&, i] { order.push_back(i); });
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order.at(static_cast<std::size_t>(i)), i);
}

TEST(WorkerPoolTest, OneBlockedThreadDoesNotHoldUpTheOthers) {
  std::promise<void> release;
  std::promise<void> passed;
  WorkerPool pool("work", 2);
  pool.submit([&] { release.get_future().wait(); });
  pool.submit([&] { passed.set_value(); });
  passed.get_future().wait();
  release.set_value();
}

}  // namespace
}  // namespace tickpipe::internal
