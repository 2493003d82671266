#include "store/seq_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace tickpipe::internal {
namespace {

UnixNanos time_of(std::uint64_t seq) { return {static_cast<std::int64_t>(seq) * 1000}; }

std::uint64_t add(SeqSet& set, std::uint64_t first, std::uint64_t last) {
  return set.add(first, last, time_of(first), time_of(last));
}

TEST(SeqSetTest, TellsGapsWithTheirNeighbours) {
  SeqSet set;
  EXPECT_EQ(set.last(), 0U);
  EXPECT_EQ(set.gaps(0).size(), 0U);
  ASSERT_EQ(set.gaps(5).size(), 1U);
  EXPECT_EQ(set.gaps(5)[0].last, 5U);
  EXPECT_EQ(add(set, 3, 5), 0U);
  EXPECT_EQ(add(set, 10, 12), 0U);
  const auto gaps = set.gaps(14);
  ASSERT_EQ(gaps.size(), 3U);
  EXPECT_EQ(gaps[0].first, 1U);
  EXPECT_EQ(gaps[0].last, 2U);
  EXPECT_EQ(gaps[0].after, kNoTime);
  EXPECT_EQ(gaps[0].before, time_of(3));
  EXPECT_EQ(gaps[1].first, 6U);
  EXPECT_EQ(gaps[1].last, 9U);
  EXPECT_EQ(gaps[1].after, time_of(5));
  EXPECT_EQ(gaps[1].before, time_of(10));
  EXPECT_EQ(gaps[2].first, 13U);
  EXPECT_EQ(gaps[2].last, 14U);
  EXPECT_EQ(gaps[2].before, kEndOfTime);
  EXPECT_EQ(add(set, 4, 11), 4U) << "4, 5, 10 and 11 were there";
  EXPECT_EQ(add(set, 1, 2), 0U);
  EXPECT_TRUE(set.gaps(12).empty());
}

TEST(SeqSetTest, IsASet) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    SeqSet set;
    std::set<std::uint64_t> wanted;
    for (int i = 0; i < 30; ++i) {
      const std::uint64_t first = 1 + random() % 100;
      const std::uint64_t last = first + random() % 8;
      std::uint64_t known = 0;
      for (std::uint64_t seq = first; seq <= last; ++seq) known += wanted.insert(seq).second ? 0U : 1U;
      ASSERT_EQ(add(set, first, last), known);
    }
    for (std::uint64_t seq = 0; seq < 120; ++seq) ASSERT_EQ(set.contains(seq), wanted.contains(seq)) << seq;
    ASSERT_EQ(set.last(), *wanted.rbegin());
    std::set<std::uint64_t> missing;
    for (const auto& gap : set.gaps(120)) {
      for (std::uint64_t seq = gap.first; seq <= gap.last; ++seq) ASSERT_TRUE(missing.insert(seq).second);
    }
    for (std::uint64_t seq = 1; seq <= 120; ++seq) ASSERT_NE(missing.contains(seq), wanted.contains(seq)) << seq;
  }
}

}  // namespace
}  // namespace tickpipe::internal
