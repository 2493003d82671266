#include "feed/pause.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace tickpipe::internal {
namespace {

TEST(RealPauseTest, AStopEndsALongWait) {
  RealPause pause;
  std::promise<void> ended;
  std::jthread thread([&](const std::stop_token& stop) {
    pause.wait(stop, std::chrono::hours{1});
    ended.set_value();
  });
  thread.request_stop();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds{60}), std::future_status::ready);
}

TEST(RealPauseTest, WaitsAsLongAsAsked) {
  RealPause pause;
  const auto start = std::chrono::steady_clock::now();
  pause.wait({}, std::chrono::milliseconds{2});
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{2});
}

}  // namespace
}  // namespace tickpipe::internal
