#include "core/many_to_one_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

namespace tickpipe::internal {
namespace {

TEST(ManyToOneRingTest, CapacityIsExact) {
  ManyToOneRing<int> ring(5);
  const std::array<int, 8> items{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(ring.try_push(items), 5U);
  EXPECT_EQ(ring.depth(), 5U);
  EXPECT_EQ(ring.try_push(items), 0U);
  std::vector<int> out;
  EXPECT_EQ(ring.drain(2, [&](int i) { out.push_back(i); }), 2U);
  EXPECT_EQ(ring.try_push(std::span(items).subspan(5)), 2U);
  EXPECT_EQ(ring.drain(100, [&](int i) { out.push_back(i); }), 5U);
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(ring.empty());
}

TEST(ManyToOneRingTest, EveryProducersItemsArriveOnceAndInOrder) {
  constexpr std::uint32_t kProducers = 4;
  constexpr std::uint32_t kItems = 50'000;
  ManyToOneRing<std::uint64_t> ring(100);
  std::vector<std::jthread> producers;
  for (std::uint32_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&ring, p] {
      std::array<std::uint64_t, 7> block{};
      for (std::uint32_t i = 0; i < kItems;) {
        const std::uint32_t n = std::min<std::uint32_t>(1 + i % 7, kItems - i);
        for (std::uint32_t k = 0; k < n; ++k) block[k] = (std::uint64_t{p} << 32) | (i + k);
        std::span<const std::uint64_t> rest(block.data(), n);
        while (!rest.empty()) {
          rest = rest.subspan(ring.try_push(rest));
          if (!rest.empty()) std::this_thread::yield();
        }
        i += n;
      }
    });
  }
  std::array<std::uint32_t, kProducers> next{};
  for (std::uint64_t total = 0; total < std::uint64_t{kProducers} * kItems;) {
    const std::size_t n =
        ring.drain(64, [&](std::uint64_t item) { ASSERT_EQ(static_cast<std::uint32_t>(item), next[item >> 32]++); });
    if (n == 0) std::this_thread::yield();
    total += n;
  }
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace tickpipe::internal
