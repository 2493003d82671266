#include "store/row_codec.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "support/random_ticks.h"

namespace tickpipe::internal {
namespace {

using testing::random_chunk;

/// Random ticks of several symbols, mixed.
std::vector<Tick> random_rows(std::mt19937_64& random, std::size_t symbols) {
  std::vector<Tick> rows;
  for (std::uint32_t symbol = 0; symbol < symbols; ++symbol) {
    const auto ticks = random_chunk(random, 1 + random() % 30, SymbolId{symbol * 100});
    rows.insert(rows.end(), ticks.begin(), ticks.end());
  }
  std::shuffle(rows.begin(), rows.end(), random);
  return rows;
}

std::vector<Tick> decode(const std::string& bytes) {
  ByteReader in(bytes);
  std::vector<Tick> ticks;
  decode_rows(in, ticks);
  EXPECT_TRUE(in.ok() && in.at_end());
  return ticks;
}

TEST(RowCodecTest, RandomTicksComeBackInTheirOrderCommitAfterCommit) {
  std::mt19937_64 random(1);
  RowEncoder encoder;
  for (int round = 0; round < 2000; ++round) {
    const auto rows = random_rows(random, random() % 4);
    std::string bytes;
    encoder.start(rows.size(), bytes);
    const std::size_t half = rows.size() / 2;  // as two shards would bring them
    encoder.append(std::span(rows).first(half), bytes);
    encoder.append(std::span(rows).subspan(half), bytes);
    const auto decoded = decode(bytes);
    ASSERT_EQ(decoded.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      ASSERT_TRUE(decoded[i] == rows[i]) << "round " << round << " row " << i;
  }
}

TEST(RowCodecTest, KindsOfALaterReleaseAreLeftOut) {
  std::mt19937_64 random(2);
  auto rows = random_rows(random, 3);
  std::vector<Tick> known;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].kind = static_cast<RecordKind>(i % 5 == 4 ? 3 + i : i % 3);
    if (i % 5 != 4) known.push_back(rows[i]);
  }
  RowEncoder encoder;
  std::string bytes;
  encoder.start(rows.size(), bytes);
  encoder.append(rows, bytes);
  EXPECT_TRUE(decode(bytes) == known);
}

TEST(RowCodecTest, TruncatedRowsAreNotOk) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 30; ++round) {
    const auto rows = random_rows(random, 2);
    RowEncoder encoder;
    std::string bytes;
    encoder.start(rows.size(), bytes);
    encoder.append(rows, bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut(bytes, 0, size);
      ByteReader in(cut);
      std::vector<Tick> ticks;
      decode_rows(in, ticks);
      ASSERT_FALSE(in.ok()) << size;
    }
  }
}

}  // namespace
}  // namespace tickpipe::internal
