#include "store/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace tickpipe::internal::keys {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr auto kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax64 = std::numeric_limits<std::int64_t>::max();

auto tie(const Chunk& key) { return std::tuple(key.symbol, key.span_class, key.first, key.position, key.ordinal); }
auto tie(const BarKey& key) { return std::tuple(key.symbol, key.timeframe, key.open_time); }

TEST(KeysTest, ASpanClassHoldsSpansUpToAndIncludingItsLimit) {
  EXPECT_EQ(span_class(nanoseconds{0}), 0);
  EXPECT_EQ(span_class(seconds{1}), 0);
  EXPECT_EQ(span_class(seconds{1} + nanoseconds{1}), 1);
  EXPECT_EQ(span_class(minutes{1}), 1);
  EXPECT_EQ(span_class(minutes{1} + nanoseconds{1}), 2);
  EXPECT_EQ(span_class(hours{1}), 2);
  EXPECT_EQ(span_class(hours{1} + nanoseconds{1}), 3);
  EXPECT_EQ(span_class(hours{24}), 3);
}

TEST(KeysTest, ChunkKeysComeBackAndSortAsTheirFieldsDo) {
  std::mt19937_64 random(1);
  std::vector<Chunk> all;
  for (int i = 0; i < 500; ++i) {
    Chunk key{.symbol = {static_cast<std::uint32_t>(random() >> (32 + random() % 32))},
              .span_class = static_cast<std::uint8_t>(random() % kSpanLimits.size()),
              .first = {static_cast<std::int64_t>(random())},
              .position = {random() >> (random() % 64)},
              .ordinal = static_cast<std::uint32_t>(random() >> (32 + random() % 32))};
    if (i % 7 == 0) key.first = {i % 2 == 0 ? kMin64 : kMax64};
    if (i % 3 == 0 && !all.empty()) key.symbol = all.back().symbol;
    const std::string bytes = chunk(key);
    const auto parsed = parse_chunk(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(tie(*parsed), tie(key));
    const std::string bound = chunk_lower_bound(key.symbol, key.span_class, key.first);
    EXPECT_LE(bound, bytes);
    for (const Chunk& other : all) {
      EXPECT_EQ(bytes < chunk(other), tie(key) < tie(other));
      const bool at_or_after =
          std::tuple(other.symbol, other.span_class, other.first) >= std::tuple(key.symbol, key.span_class, key.first);
      EXPECT_EQ(bound <= chunk(other), at_or_after);
    }
    all.push_back(key);
  }
}

TEST(KeysTest, BarKeysComeBackAndSortByTime) {
  const std::vector<BarKey> ascending = {
      {{0}, Timeframe{seconds{60}}, {kMin64}},  {{0}, Timeframe{seconds{60}}, {-1}},
      {{0}, Timeframe{seconds{60}}, {0}},       {{0}, Timeframe{seconds{60}}, {kMax64}},
      {{0}, Timeframe{seconds{300}}, {kMin64}}, {{0}, kOneWeek, {5}},
      {{1}, Timeframe{seconds{1}}, {kMin64}},   {{0xFFFFFFFF}, Timeframe{seconds{1}}, {0}}};
  std::vector<std::string> bytes;
  for (const BarKey& key : ascending) {
    bytes.push_back(bar(key));
    const auto parsed = parse_bar(bytes.back());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(tie(*parsed), tie(key));
  }
  EXPECT_TRUE(std::is_sorted(bytes.begin(), bytes.end()));
}

TEST(KeysTest, PositionsComeBackAndSortAsNumbers) {
  std::vector<std::string> bytes;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256},
                                    std::uint64_t{1} << 40, std::numeric_limits<std::uint64_t>::max()}) {
    bytes.push_back(position({value}));
    EXPECT_EQ(parse_position(bytes.back()), Position{value});
  }
  EXPECT_TRUE(std::is_sorted(bytes.begin(), bytes.end()));
}

TEST(KeysTest, NumberedKeysComeBackUnderTheirPrefixOnly) {
  for (const std::uint32_t number : {0U, 1U, 255U, 256U, 0xFFFFFFFFU}) {
    const std::string key = numbered(kSymbolPrefix, number);
    EXPECT_EQ(parse_numbered(kSymbolPrefix, key), number);
    EXPECT_FALSE(parse_numbered(kLpPrefix, key));
    EXPECT_FALSE(parse_numbered(kSnapshotPrefix, key));
  }
}

TEST(KeysTest, KeysOfAnotherLengthOrClassAreNoKeys) {
  const std::string chunk_key = chunk({});
  const std::string bar_key = bar({});
  for (std::size_t size = 0; size <= chunk_key.size() + 1; ++size) {
    const std::string cut = size <= chunk_key.size() ? chunk_key.substr(0, size) : chunk_key + '\0';
    EXPECT_EQ(parse_chunk(cut).has_value(), size == chunk_key.size());
    EXPECT_EQ(parse_bar(cut).has_value(), size == bar_key.size());
    EXPECT_EQ(parse_position(cut).has_value(), size == 8);
  }
  std::string wrong_class = chunk_key;
  wrong_class[4] = 4;
  EXPECT_FALSE(parse_chunk(wrong_class));
  EXPECT_FALSE(parse_numbered(kSymbolPrefix, std::string(kSymbolPrefix) + "abc"));
  EXPECT_FALSE(parse_numbered(kSymbolPrefix, std::string(kSymbolPrefix) + "abcde"));
}

}  // namespace
}  // namespace tickpipe::internal::keys
