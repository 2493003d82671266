#include "store/log_entry.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

LogEntry random_entry(std::mt19937_64& random) {
  LogEntry entry;
  entry.first = Position{1 + random() % 77};
  const auto position = [&] { return Position{entry.first.value + random() % (78 - entry.first.value)}; };
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    entry.chunks.push_back({.symbol = {static_cast<std::uint32_t>(random())},
                            .span_class = static_cast<std::uint8_t>(random() % 4),
                            .first = {static_cast<std::int64_t>(random())},
                            .position = {77},
                            .ordinal = static_cast<std::uint32_t>(random() >> (random() % 64))});
  }
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    const std::chrono::seconds length{1 + static_cast<std::int64_t>(random() % 604'800)};
    entry.bars.push_back(
        {{static_cast<std::uint32_t>(random())}, Timeframe{length}, {static_cast<std::int64_t>(random())}});
  }
  for (std::uint64_t n = random() % 6; n > 0; --n) {
    entry.close_positions.push_back(position());
    entry.closes.push_back(
        {{static_cast<std::uint32_t>(random())}, random() >> (random() % 64), {static_cast<std::int64_t>(random())}});
  }
  for (std::uint64_t n = random() % 4; n > 0; --n) {
    entry.amended_positions.push_back(position());
    Tick& tick = entry.amended.emplace_back();
    tick.flags = static_cast<std::uint8_t>(random());
    tick.symbol.value = static_cast<std::uint32_t>(random());
    tick.lp.value = static_cast<std::uint16_t>(random());
    tick.seq = random() >> (random() % 64);
    tick.ts_event.ns = static_cast<std::int64_t>(random());
    tick.bid.units = static_cast<std::int64_t>(random());
    tick.ask.units = static_cast<std::int64_t>(random());
  }
  return entry;
}

std::string encode(const LogEntry& entry) {
  std::string bytes;
  encode_packed_entry(entry, Position{77}, bytes);
  return bytes;
}

TEST(LogEntryTest, RandomEntriesComeBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const LogEntry entry = random_entry(random);
    const LogEntry decoded = decode_log_entry(encode(entry), Position{77});
    ASSERT_EQ(decoded.first, entry.first);
    ASSERT_EQ(decoded.close_positions, entry.close_positions);
    ASSERT_EQ(decoded.amended_positions, entry.amended_positions);
    ASSERT_EQ(decoded.chunks.size(), entry.chunks.size());
    for (std::size_t k = 0; k < entry.chunks.size(); ++k) {
      ASSERT_EQ(keys::chunk(decoded.chunks[k]), keys::chunk(entry.chunks[k]));
    }
    ASSERT_EQ(decoded.bars.size(), entry.bars.size());
    for (std::size_t k = 0; k < entry.bars.size(); ++k) {
      ASSERT_EQ(keys::bar(decoded.bars[k]), keys::bar(entry.bars[k]));
    }
    ASSERT_EQ(decoded.closes.size(), entry.closes.size());
    for (std::size_t k = 0; k < entry.closes.size(); ++k) {
      ASSERT_EQ(decoded.closes[k].symbol, entry.closes[k].symbol);
      ASSERT_EQ(decoded.closes[k].after_seq, entry.closes[k].after_seq);
      ASSERT_EQ(decoded.closes[k].closed_through, entry.closes[k].closed_through);
    }
    ASSERT_EQ(decoded.amended, entry.amended);
  }
}

TEST(LogEntryTest, EveryTruncationIsDamage) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = encode(random_entry(random));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_THROW(decode_log_entry(std::string(bytes, 0, size), Position{77}), Error);
    }
    ASSERT_THROW(decode_log_entry(bytes + '\0', Position{77}), Error);
  }
}

TEST(LogEntryTest, FlippedBitsGiveErrorOrAnEntryOfBoundedSize) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = encode(random_entry(random));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(static_cast<unsigned char>(damaged[bit / 8]) ^ (1U << (bit % 8)));
      try {
        const LogEntry entry = decode_log_entry(damaged, Position{77});
        ASSERT_LE(entry.chunks.size() + entry.bars.size() + entry.closes.size(), damaged.size());
        for (const keys::Chunk& chunk : entry.chunks) ASSERT_TRUE(keys::parse_chunk(keys::chunk(chunk)));
      } catch (const Error&) {
      }
    }
  }
}

TEST(LogEntryTest, ACommitOutsideOfThoseOfTheEntryIsDamage) {
  LogEntry entry;
  entry.first = Position{70};
  entry.closes.push_back({SymbolId{1}, 5, kFirstTickTime});
  entry.amended.emplace_back();
  entry.close_positions = {Position{70}};
  entry.amended_positions = {Position{77}};
  EXPECT_EQ(decode_log_entry(encode(entry), Position{77}).closes.size(), 1U);
  for (const std::uint64_t outside : {std::uint64_t{69}, std::uint64_t{78}}) {
    entry.close_positions = {Position{outside}};
    EXPECT_THROW(decode_log_entry(encode(entry), Position{77}), Error) << outside;
    entry.close_positions = {Position{70}};
    entry.amended_positions = {Position{outside}};
    EXPECT_THROW(decode_log_entry(encode(entry), Position{77}), Error) << outside;
    entry.amended_positions = {Position{77}};
  }
}

TEST(LogEntryTest, WhatHasNoKeyIsDamage) {
  LogEntry entry;
  entry.first = Position{77};
  entry.chunks.push_back({.symbol = SymbolId{1}, .span_class = 4, .first = kFirstTickTime, .position = Position{77}});
  EXPECT_THROW(decode_log_entry(encode(entry), Position{77}), Error);
  entry.chunks.clear();
  entry.bars.push_back({SymbolId{1}, Timeframe{std::chrono::seconds{std::int64_t{1} << 32}}, kFirstTickTime});
  EXPECT_THROW(decode_log_entry(encode(entry), Position{77}), Error);
}

TEST(LogEntryTest, AnEntryOfALaterVersionIsRefused) {
  std::string bytes = encode({});
  bytes[0] = 3;
  EXPECT_THROW(decode_log_entry(bytes, Position{1}), Error);
  EXPECT_THROW(decode_log_entry("", Position{1}), Error);
}

}  // namespace
}  // namespace tickpipe::internal
