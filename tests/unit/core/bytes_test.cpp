#include "core/bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace tickpipe::internal {
namespace {

TEST(BytesTest, WhatIsWrittenIsReadBack) {
  constexpr std::int64_t kExtremes[] = {std::numeric_limits<std::int64_t>::min(), -1, 0, 1, 127, 128, -12345,
                                        std::numeric_limits<std::int64_t>::max()};
  std::string bytes;
  ByteWriter w(bytes);
  for (const std::int64_t value : kExtremes) {
    w.i64(value);
    w.signed_varint(value);
    w.varint(static_cast<std::uint64_t>(value));
    w.int128(static_cast<Int128>(value) * value);
  }
  ByteReader r(bytes);
  for (const std::int64_t value : kExtremes) {
    EXPECT_EQ(r.i64(), value);
    EXPECT_EQ(r.signed_varint(), value);
    EXPECT_EQ(r.varint(), static_cast<std::uint64_t>(value));
    EXPECT_TRUE(r.int128() == static_cast<Int128>(value) * value);
  }
  EXPECT_TRUE(r.ok());
  EXPECT_TRUE(r.at_end());
}

TEST(BytesTest, SignedKeysSortAsNumbersDo) {
  const auto key = [](std::int64_t value) {
    std::string out;
    ByteWriter(out).i64(value);
    return out;
  };
  EXPECT_LT(key(-2), key(-1));
  EXPECT_LT(key(-1), key(0));
  EXPECT_LT(key(0), key(1));
  EXPECT_LT(key(255), key(256));
}

TEST(BytesTest, ReadingPastTheEndFailsAndStaysFailed) {
  ByteReader r(std::string_view("\x80\x80", 2));
  EXPECT_EQ(r.varint(), 0U);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.u64(), 0U);
  const std::string ones(20, '\xff');
  ByteReader endless(ones);
  endless.varint();
  EXPECT_FALSE(endless.ok());
}

}  // namespace
}  // namespace tickpipe::internal
