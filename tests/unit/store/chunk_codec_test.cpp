#include "store/chunk_codec.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "support/random_ticks.h"

namespace tickpipe {
namespace {

using testing::random_chunk;

std::string encode(const std::vector<Tick>& ticks) {
  std::vector<const Tick*> pointers;
  for (const Tick& tick : ticks) pointers.push_back(&tick);
  std::string bytes;
  encode_chunk(pointers, bytes);
  return bytes;
}

/// Decodes bytes that may be damaged: either Error, or what a chunk may hold.
void expect_harmless(const std::string& bytes) {
  std::vector<Tick> ticks;
  try {
    const std::size_t unknown = decode_chunk(bytes, SymbolId{7}, ticks);
    ASSERT_LE(ticks.size() + unknown, kMaxChunkTicks);
    ASSERT_EQ(ticks.size() + unknown, decode_chunk_header(bytes).count);
    for (const Tick& tick : ticks) ASSERT_LE(static_cast<int>(tick.kind), static_cast<int>(RecordKind::kGap));
  } catch (const Error&) {
    ASSERT_LE(ticks.size(), kMaxChunkTicks);
  }
}

TEST(ChunkCodecTest, RandomTicksComeBackBitForBit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; ++i) {
    const std::size_t count = i % 100 == 0 ? kMaxChunkTicks : 1 + random() % (i % 2 == 0 ? 3 : 60);
    const auto ticks = random_chunk(random, count, SymbolId{7});
    const std::string bytes = encode(ticks);
    const ChunkHeader header = decode_chunk_header(bytes);
    ASSERT_EQ(header.first, ticks.front().ts_event);
    ASSERT_EQ(header.last, ticks.back().ts_event);
    ASSERT_EQ(header.count, count);
    std::vector<Tick> decoded;
    ASSERT_EQ(decode_chunk(bytes, SymbolId{7}, decoded), 0U);
    ASSERT_TRUE(decoded == ticks) << "round " << i;
  }
}

TEST(ChunkCodecTest, DecodingAppendsToWhatIsThere) {
  std::mt19937_64 random(2);
  const auto ticks = random_chunk(random, 5, SymbolId{7});
  std::vector<Tick> decoded = {Tick{}};
  decode_chunk(encode(ticks), SymbolId{7}, decoded);
  ASSERT_EQ(decoded.size(), 6U);
  EXPECT_EQ(decoded[0], Tick{});
  EXPECT_EQ(decoded[1], ticks[0]);
}

TEST(ChunkCodecTest, EncodingAppendsToWhatIsThere) {
  std::mt19937_64 random(2);
  const auto ticks = random_chunk(random, 5);
  std::vector<const Tick*> pointers;
  for (const Tick& tick : ticks) pointers.push_back(&tick);
  std::string bytes = "before";
  encode_chunk(pointers, bytes);
  EXPECT_EQ(bytes, "before" + encode(ticks));
}

TEST(ChunkCodecTest, ASteadyStreamTakesFewBytesPerTick) {
  std::vector<Tick> ticks;
  for (int i = 0; i < 1000; ++i) {
    Tick tick;
    tick.ts_event = UnixNanos{kFirstTickTime.ns + i * 1'000'000};
    tick.ts_recv = UnixNanos{tick.ts_event.ns + 20'000};
    tick.bid = Price{1'085'000'000 + i % 3};
    tick.ask = Price{tick.bid.units + 20};
    tick.seq = 100U + static_cast<std::uint64_t>(i);
    ticks.push_back(tick);
  }
  EXPECT_LT(encode(ticks).size(), 8U * 1000);
}

TEST(ChunkCodecTest, EveryTruncationIsDamage) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = encode(random_chunk(random, 1 + random() % 20));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::vector<Tick> ticks;
      ASSERT_THROW(decode_chunk(std::string(bytes, 0, size), SymbolId{}, ticks), Error) << size;
    }
    std::vector<Tick> ticks;
    ASSERT_THROW(decode_chunk(bytes + '\0', SymbolId{}, ticks), Error);
  }
}

TEST(ChunkCodecTest, FlippedBitsNeverDoHarm) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = encode(random_chunk(random, 1 + random() % 20));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(static_cast<unsigned char>(damaged[bit / 8]) ^ (1U << (bit % 8)));
      ASSERT_NO_FATAL_FAILURE(expect_harmless(damaged)) << "bit " << bit;
    }
  }
}

TEST(ChunkCodecTest, RandomBytesNeverDoHarm) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 80, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (!bytes.empty() && i % 2 == 0) bytes[0] = 1;  // the version
    ASSERT_NO_FATAL_FAILURE(expect_harmless(bytes));
  }
}

TEST(ChunkCodecTest, AVersionOfALaterReleaseIsNamed) {
  std::mt19937_64 random(6);
  std::string bytes = encode(random_chunk(random, 3));
  bytes[0] = 2;
  std::vector<Tick> ticks;
  try {
    decode_chunk(bytes, SymbolId{}, ticks);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("format 2"), std::string::npos) << error.what();
  }
  EXPECT_THROW(decode_chunk_header(bytes), Error);
}

TEST(ChunkCodecTest, RecordsOfAnUnknownKindAreLeftOutAndCounted) {
  std::mt19937_64 random(7);
  auto ticks = random_chunk(random, 40, SymbolId{7});
  std::vector<Tick> known;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    ticks[i].kind = i % 3 == 1 ? static_cast<RecordKind>(3 + i) : static_cast<RecordKind>(i % 3);
    if (i % 3 != 1) known.push_back(ticks[i]);
  }
  std::vector<Tick> decoded;
  EXPECT_EQ(decode_chunk(encode(ticks), SymbolId{7}, decoded), ticks.size() - known.size());
  EXPECT_TRUE(decoded == known);
}

TEST(ChunkCodecTest, CountsThatNoChunkHasAreDamage) {
  std::mt19937_64 random(8);
  const std::string bytes = encode(random_chunk(random, 1));
  constexpr std::size_t kCountAt = 18;  // version, shared, first, last
  std::string none = bytes;
  none[kCountAt] = 0;
  EXPECT_THROW(decode_chunk_header(none), Error);
  std::string many = bytes;
  many.replace(kCountAt, 1, "\xff\xff\xff\xff\x0f");
  EXPECT_THROW(decode_chunk_header(many), Error);
  std::string one_too_many = bytes;
  one_too_many.replace(kCountAt, 1, "\x81\x20");  // 4097
  EXPECT_THROW(decode_chunk_header(one_too_many), Error);
}

}  // namespace
}  // namespace tickpipe
