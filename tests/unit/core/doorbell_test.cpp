#include "core/doorbell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace tickpipe::internal {
namespace {

TEST(DoorbellTest, NoWakeUpIsLost) {
  constexpr int kRounds = 20'000;
  Doorbell ping_bell;
  Doorbell pong_bell;
  std::atomic<int> ping{0};
  std::atomic<int> pong{0};
  std::jthread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      // An hour: a lost wake-up shows as a test that hangs.
      ping_bell.wait_for(std::chrono::hours{1}, [&] { return ping.load(std::memory_order_acquire) >= i; });
      pong.store(i, std::memory_order_release);
      pong_bell.ring();
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    ping.store(i, std::memory_order_release);
    ping_bell.ring();
    pong_bell.wait_for(std::chrono::hours{1}, [&] { return pong.load(std::memory_order_acquire) >= i; });
  }
  EXPECT_EQ(pong.load(), kRounds);
}

TEST(DoorbellTest, ATimeoutReturnsFalse) {
  Doorbell bell;
  EXPECT_FALSE(bell.wait_for(std::chrono::milliseconds{1}, [] { return false; }));
  EXPECT_TRUE(bell.wait_for(std::chrono::hours{1}, [] { return true; }));
}

}  // namespace
}  // namespace tickpipe::internal
