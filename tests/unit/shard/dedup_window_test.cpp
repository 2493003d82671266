#include "shard/dedup_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

constexpr UnixNanos kStart{1'770'000'000 * kNanosPerSecond};

struct Accepted {
  UnixNanos ts;
  Price bid;
  Price ask;
  std::uint64_t batch = 0;
  friend bool operator==(const Accepted&, const Accepted&) = default;
  [[nodiscard]] auto key() const { return std::tuple(ts, bid, ask); }
};

UnixNanos at(std::int64_t ns) { return kStart + nanoseconds{ns}; }

bool contains(const DedupWindow& window, const Accepted& quote) {
  return window.contains(quote.ts, quote.bid, quote.ask);
}

TEST(DedupWindowTest, AnEmptyWindowHoldsNothingAndIsComplete) {
  const DedupWindow window;
  EXPECT_FALSE(window.contains(at(0), Price{1}, Price{1}));
  EXPECT_EQ(window.complete_from(), kNoTime);
  EXPECT_EQ(window.size(), 0U);
}

TEST(DedupWindowTest, TimeBidAndAskAllCount) {
  DedupWindow window;
  window.insert(at(10), Price{1}, Price{2}, 1, 0, nanoseconds{100});
  EXPECT_TRUE(window.contains(at(10), Price{1}, Price{2}));
  EXPECT_FALSE(window.contains(at(11), Price{1}, Price{2}));
  EXPECT_FALSE(window.contains(at(9), Price{1}, Price{2}));
  EXPECT_FALSE(window.contains(at(10), Price{2}, Price{2}));
  EXPECT_FALSE(window.contains(at(10), Price{1}, Price{1}));
}

TEST(DedupWindowTest, QuotesOlderThanTheWindowLeaveOnceTheyAreCommitted) {
  DedupWindow window;
  window.insert(at(0), Price{1}, Price{1}, 1, 0, nanoseconds{100});
  window.insert(at(100), Price{1}, Price{1}, 1, 1, nanoseconds{100});
  EXPECT_TRUE(window.contains(at(0), Price{1}, Price{1}));  // exactly the window is within it
  EXPECT_EQ(window.complete_from(), kNoTime);
  window.insert(at(101), Price{1}, Price{1}, 2, 1, nanoseconds{100});
  EXPECT_FALSE(window.contains(at(0), Price{1}, Price{1}));
  EXPECT_EQ(window.complete_from(), at(1));
  window.insert(at(1000), Price{1}, Price{1}, 2, 1, nanoseconds{100});
  EXPECT_FALSE(window.contains(at(100), Price{1}, Price{1}));
  EXPECT_TRUE(window.contains(at(101), Price{1}, Price{1}));  // batch 2 is not committed
  EXPECT_EQ(window.complete_from(), at(101));
}

TEST(DedupWindowTest, AfterARestartWhatIsStoredIsNotClaimedToBeComplete) {
  DedupWindow window;
  window.assume_stored_through(kNoTime);
  EXPECT_EQ(window.complete_from(), kNoTime);
  window.assume_stored_through(at(50));
  EXPECT_EQ(window.complete_from(), at(51));
  window.insert(at(40), Price{1}, Price{1}, 1, 0, nanoseconds{100});
  window.insert(at(60), Price{1}, Price{1}, 1, 0, nanoseconds{100});
  EXPECT_EQ(window.complete_from(), at(51));
  EXPECT_TRUE(window.contains(at(40), Price{1}, Price{1}));
  EXPECT_TRUE(window.contains(at(60), Price{1}, Price{1}));
}

TEST(DedupWindowTest, TheRingGrowsInOrderAndAfterItHasWrapped) {
  DedupWindow window;
  std::int64_t time = 0;
  std::int64_t horizon = 0;
  // The window widens again and again, so the ring is full at ever other offsets when it grows.
  for (int round = 1; round <= 40; ++round) {
    const std::int64_t length = 13 * round * round;
    for (int i = 0; i < 37 * round; ++i) {
      ++time;
      horizon = std::max(horizon, time - length);
      window.insert(at(time), Price{time}, Price{time}, 1, 1, nanoseconds{length});
    }
    ASSERT_EQ(window.complete_from(), at(horizon));
    ASSERT_EQ(window.size(), static_cast<std::size_t>(time - horizon + 1));
    for (std::int64_t t = 1; t <= time; ++t) {
      ASSERT_EQ(window.contains(at(t), Price{t}, Price{t}), t >= horizon) << t;
    }
  }
}

TEST(DedupWindowTest, MemoryIsBoundedByTheWindowWhateverTheOrder) {
  DedupWindow window;
  std::mt19937_64 random(1);
  for (std::int64_t i = 0; i < 100'000; ++i) {
    const std::int64_t late = random() % 3 == 0 ? static_cast<std::int64_t>(random() % 5000) : 0;
    window.insert(at(i - late), Price{i + 1}, Price{i + 1}, 1, 1, nanoseconds{200});
    ASSERT_LE(window.size(), 200U + 1 + 2 * 1024);
  }
}

TEST(DedupWindowTest, ForEachHandsOverExactlyTheQuotesOfARange) {
  DedupWindow window;
  std::mt19937_64 random(3);
  std::vector<Accepted> all;
  for (int i = 0; i < 3000; ++i) {
    const Accepted quote{at(i / 3 - static_cast<std::int64_t>(random() % 3 == 0 ? random() % 50 : 0)), Price{i + 1},
                         Price{i + 2}, 1};
    all.push_back(quote);
    window.insert(quote.ts, quote.bid, quote.ask, 1, 0, nanoseconds{10});  // nothing is committed: all stay
  }
  EXPECT_EQ(window.size(), all.size());
  for (int i = 0; i < 200; ++i) {
    const UnixNanos from = at(static_cast<std::int64_t>(random() % 1200) - 100);
    const UnixNanos to = from + nanoseconds{static_cast<std::int64_t>(random() % 300)};
    std::multimap<std::tuple<UnixNanos, Price, Price>, int> found;
    window.for_each(from, to, [&](UnixNanos ts, Price bid, Price ask) { found.emplace(std::tuple(ts, bid, ask), 0); });
    std::multimap<std::tuple<UnixNanos, Price, Price>, int> wanted;
    for (const Accepted& quote : all) {
      if (quote.ts >= from && quote.ts < to) wanted.emplace(quote.key(), 0);
    }
    ASSERT_EQ(found, wanted);
  }
}

/// Random quotes, against everything that was ever accepted.
class DedupWindowPropertyTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(DedupWindowPropertyTest, WhateverIsRecentOrUncommittedIsFoundAndNothingElse) {
  std::mt19937_64 random(GetParam());
  const auto upto = [&random](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  DedupWindow window;
  std::vector<Accepted> accepted;
  if (upto(2) == 0) window.assume_stored_through(at(upto(100)));
  UnixNanos horizon = window.complete_from();  // of the window, counted from the greatest time so far
  UnixNanos greatest = kNoTime;
  std::uint64_t batch = 1;
  std::uint64_t committed = 0;
  std::int64_t now = upto(200);
  const std::int64_t step = 1 + upto(20);
  const std::int64_t lateness = 1 + upto(2000);
  std::int64_t length = upto(3000);
  std::size_t found = 0;
  std::size_t missing = 0;
  for (int i = 0; i < 6000; ++i) {
    if (upto(3) != 0) now += upto(step);  // ties are frequent
    if (upto(400) == 0) now += upto(10'000);
    if (upto(500) == 0) length = upto(3000);
    if (upto(20) == 0) ++batch;
    if (upto(40) == 0) committed = std::max(committed, batch - 1 - std::min<std::uint64_t>(batch - 1, random() % 3));
    const Accepted quote{at(upto(4) == 0 ? now - upto(lateness) : now), Price{1 + upto(4)}, Price{5 + upto(4)}, batch};
    const bool known =
        std::any_of(accepted.begin(), accepted.end(), [&](const Accepted& a) { return a.key() == quote.key(); });
    if (contains(window, quote)) {
      ASSERT_TRUE(known) << "found, but never accepted";
      ++found;
      continue;
    }
    if (known) {
      ASSERT_LT(quote.ts, window.complete_from()) << "accepted, not found, and the window says it is complete there";
      ++missing;
      continue;
    }
    window.insert(quote.ts, quote.bid, quote.ask, batch, committed, nanoseconds{length});
    accepted.push_back(quote);
    greatest = std::max(greatest, quote.ts);
    horizon = std::max(horizon, greatest - nanoseconds{length});
    ASSERT_TRUE(contains(window, quote));
    ASSERT_LE(window.complete_from(), horizon) << "what is within the window must not be left to the store";
    if (i % 50 != 0) continue;
    for (const Accepted& a : accepted) {
      if (a.batch > committed) {
        ASSERT_TRUE(contains(window, a)) << "not committed and gone";
      } else if (a.ts >= window.complete_from()) {
        ASSERT_TRUE(contains(window, a)) << "at or after complete_from() and gone";
      }
    }
  }
  EXPECT_GT(found, 10U);
  EXPECT_GT(found + missing, 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DedupWindowPropertyTest, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace tickpipe::internal
