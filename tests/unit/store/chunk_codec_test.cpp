#include "store/chunk_codec.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/error.h"
#include "support/random_ticks.h"

namespace tickpipe::internal {
namespace {

using testing::random_chunk;

/// Each with a position of its own.
std::vector<StoredTick> stored(const std::vector<Tick>& ticks) {
  std::vector<StoredTick> result;
  for (const Tick& tick : ticks) result.push_back({tick, Position{1'000'000 + (result.size() * 7919) % 1000}});
  return result;
}

std::string encode(const std::vector<Tick>& ticks) {
  std::string bytes;
  encode_chunk(stored(ticks), bytes);
  return bytes;
}

/// Decodes bytes that may be damaged: either Error, or what a chunk may hold.
void expect_harmless(const std::string& bytes) {
  std::vector<StoredTick> ticks;
  try {
    const std::size_t unknown = decode_chunk(bytes, SymbolId{7}, Position{}, ticks);
    ASSERT_LE(ticks.size() + unknown, kMaxChunkTicks);
    ASSERT_EQ(ticks.size() + unknown, decode_chunk_header(bytes).count);
    for (const auto& [tick, position] : ticks)
      ASSERT_LE(static_cast<int>(tick.kind), static_cast<int>(RecordKind::kGap));
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
    std::vector<StoredTick> decoded;
    ASSERT_EQ(decode_chunk(bytes, SymbolId{7}, Position{}, decoded), 0U);
    ASSERT_TRUE(decoded == stored(ticks)) << "round " << i;
  }
}

TEST(ChunkCodecTest, DecodingAppendsToWhatIsThere) {
  std::mt19937_64 random(2);
  const auto ticks = random_chunk(random, 5, SymbolId{7});
  std::vector<StoredTick> decoded = {StoredTick{}};
  decode_chunk(encode(ticks), SymbolId{7}, Position{}, decoded);
  ASSERT_EQ(decoded.size(), 6U);
  EXPECT_EQ(decoded[0], StoredTick{});
  EXPECT_EQ(decoded[1].tick, ticks[0]);
}

TEST(ChunkCodecTest, EncodingAppendsToWhatIsThere) {
  std::mt19937_64 random(2);
  const auto ticks = random_chunk(random, 5);
  std::string bytes = "before";
  encode_chunk(stored(ticks), bytes);
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
  EXPECT_LT(encode(ticks).size(), 6U * 1000);
}

TEST(ChunkCodecTest, EveryTruncationIsDamage) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 60; ++i) {
    const std::string bytes = encode(random_chunk(random, 1 + random() % 20));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::vector<StoredTick> ticks;
      ASSERT_THROW(decode_chunk(std::string(bytes, 0, size), SymbolId{}, Position{}, ticks), Error) << size;
    }
    std::vector<StoredTick> ticks;
    ASSERT_THROW(decode_chunk(bytes + '\0', SymbolId{}, Position{}, ticks), Error);
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
    if (!bytes.empty() && i % 2 == 0) bytes[0] = static_cast<char>(1 + i % 4 / 2);  // the version
    ASSERT_NO_FATAL_FAILURE(expect_harmless(bytes));
  }
}

TEST(ChunkCodecTest, AVersionOfALaterReleaseIsNamed) {
  std::mt19937_64 random(6);
  std::string bytes = encode(random_chunk(random, 3));
  bytes[0] = 3;
  std::vector<StoredTick> ticks;
  try {
    decode_chunk(bytes, SymbolId{}, Position{}, ticks);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("format 3"), std::string::npos) << error.what();
  }
  EXPECT_THROW(decode_chunk_header(bytes), Error);
}

TEST(ChunkCodecTest, RecordsOfAnUnknownKindAreLeftOutAndCounted) {
  std::mt19937_64 random(7);
  auto ticks = random_chunk(random, 40, SymbolId{7});
  std::vector<StoredTick> known;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    ticks[i].kind = i % 3 == 1 ? static_cast<RecordKind>(3 + i) : static_cast<RecordKind>(i % 3);
  }
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    if (i % 3 != 1) known.push_back(stored(ticks)[i]);
  }
  std::vector<StoredTick> decoded;
  EXPECT_EQ(decode_chunk(encode(ticks), SymbolId{7}, Position{}, decoded), ticks.size() - known.size());
  EXPECT_TRUE(decoded == known);
}

TEST(ChunkCodecTest, RowsOfTheFirstFormatAreRead) {
  const UnixNanos noon{1'770'033'600 * kNanosPerSecond};
  std::string bytes;
  ByteWriter w(bytes);
  w.u8(1);
  w.u8(1 | 2 | 4 | 8 | 16);  // quotes with consecutive seq, no sizes, one LP, one set of flags
  w.i64(noon.ns);
  w.i64(noon.ns + 500);
  w.varint(2);
  w.varint(41);
  w.u16(3);
  w.u8(kHistorical);
  for (const std::int64_t number : {0, 70, 1'085'000, 20}) w.signed_varint(number);
  w.varint(500);
  for (const std::int64_t number : {-10, -7, 1}) w.signed_varint(number);
  std::vector<StoredTick> decoded;
  EXPECT_EQ(decode_chunk(bytes, SymbolId{7}, Position{12}, decoded), 0U);
  ASSERT_EQ(decoded.size(), 2U);
  Tick tick;
  tick.symbol = SymbolId{7};
  tick.lp = LpId{3};
  tick.flags = kHistorical;
  tick.seq = 41;
  tick.ts_event = noon;
  tick.ts_recv.ns = noon.ns + 70;
  tick.bid = Price{1'085'000};
  tick.ask = Price{1'085'020};
  EXPECT_EQ(decoded[0], (StoredTick{tick, Position{12}}));
  tick.seq = 42;
  tick.ts_event.ns = noon.ns + 500;
  tick.ts_recv.ns = noon.ns + 560;
  tick.bid = Price{1'084'993};
  tick.ask = Price{1'085'014};
  EXPECT_EQ(decoded[1], (StoredTick{tick, Position{12}}));
}

TEST(ChunkCodecTest, RecordsOutOfOrderAreDamage) {
  std::mt19937_64 random(9);
  auto ticks = random_chunk(random, 4);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    ticks[i].ts_event.ns = kFirstTickTime.ns + static_cast<std::int64_t>(i) * 1000;
  }
  std::vector<StoredTick> decoded;
  EXPECT_EQ(decode_chunk(encode(ticks), SymbolId{7}, Position{}, decoded), 0U);
  std::swap(ticks[1].ts_event, ticks[2].ts_event);
  EXPECT_THROW(decode_chunk(encode(ticks), SymbolId{7}, Position{}, decoded), Error);
}

TEST(ChunkCodecTest, RowsOutOfOrderAreDamage) {
  std::string bytes;
  ByteWriter w(bytes);
  w.u8(1);
  w.u8(1 | 2 | 4 | 8 | 16);
  w.i64(kFirstTickTime.ns);
  w.i64(kFirstTickTime.ns + 500);
  w.varint(3);
  w.varint(1);
  w.u16(0);
  w.u8(0);
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{700}, std::int64_t{-200}}) {
    w.varint(static_cast<std::uint64_t>(step));
    for (int column = 0; column < 3; ++column) w.signed_varint(1);
  }
  std::vector<StoredTick> decoded;
  EXPECT_THROW(decode_chunk(bytes, SymbolId{7}, Position{}, decoded), Error);
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
}  // namespace tickpipe::internal
