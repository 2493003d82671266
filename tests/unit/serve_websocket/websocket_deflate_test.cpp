#include "serve/websocket_deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {
namespace {

using namespace std::string_literals;

constexpr std::size_t kPlenty = std::size_t{1} << 24;

/// The message, or nothing when it is not valid.
std::optional<std::string> inflated(std::string_view compressed, std::size_t max_bytes = kPlenty) {
  std::string out = "what was there before";
  bool too_large = true;
  if (!inflate_message(compressed, max_bytes, out, too_large)) {
    EXPECT_TRUE(out.empty());
    EXPECT_FALSE(too_large);
    return std::nullopt;
  }
  EXPECT_FALSE(too_large);
  return out;
}

bool is_too_large(std::string_view compressed, std::size_t max_bytes) {
  std::string out;
  bool too_large = false;
  return !inflate_message(compressed, max_bytes, out, too_large) && too_large && out.empty();
}

/// zlib's own raw deflate with settings and flushes as a client may choose them.
std::string deflated(std::string_view text, int level, int window_bits, int flush) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() * 2 + 1000, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, flush), flush == Z_FINISH ? Z_STREAM_END : Z_OK);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string market_text(std::size_t bytes) {
  std::mt19937_64 random{bytes};
  std::string text;
  while (text.size() < bytes) {
    text += R"({"type":"tick","symbol":"EURUSD","bid":1.1)" + std::to_string(random() % 10'000) + R"(,"seq":)" +
            std::to_string(random() % 1'000'000) + "}";
  }
  text.resize(bytes);
  return text;
}

TEST(WebSocketDeflateTest, InflatesTheExamplesOfRfc7692) {  // section 7.2.3
  EXPECT_EQ(inflated("\xf2\x48\xcd\xc9\xc9\x07\x00"s), "Hello");
  // A stored block.
  EXPECT_EQ(inflated("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), "Hello");
  // A block that says it is the last.
  EXPECT_EQ(inflated("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), "Hello");
  // Two blocks with a flush between.
  EXPECT_EQ(inflated("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), "Hello");
  // An empty message.
  EXPECT_EQ(inflated("\x00"s), "");
  // The second message of a sender that kept its context, which was agreed not to happen.
  EXPECT_EQ(inflated("\xf2\x00\x11\x00\x00"s), std::nullopt);
}

TEST(WebSocketDeflateTest, DeflatesTheExamplesOfRfc7692) {
  EXPECT_EQ(deflate_message("Hello"), "\xf2\x48\xcd\xc9\xc9\x07\x00"s);
  EXPECT_EQ(deflate_message(""), "\x00"s);
}

TEST(WebSocketDeflateTest, MessagesOfEverySizeComeBack) {
  for (const std::size_t size : std::initializer_list<std::size_t>{
           0,   1,    2,    16,   64,     249,    250,    251,    256,    761,     762,
           763, 1024, 4096, 8192, 16'384, 32'506, 32'507, 32'768, 65'536, 131'072, 1'000'000}) {
    SCOPED_TRACE(size);
    const std::string text = market_text(size);
    const std::string compressed = deflate_message(text);
    EXPECT_EQ(inflated(compressed), text);
    EXPECT_EQ(inflated(compressed, size), text);
    EXPECT_TRUE(size == 0 || is_too_large(compressed, size - 1));
    EXPECT_TRUE(size < 1024 || compressed.size() < size / 2) << compressed.size();
  }
}

TEST(WebSocketDeflateTest, BytesThatDoNotCompressComeBackAndHardlyGrow) {
  std::mt19937_64 random{3};
  for (int round = 0; round < 200; ++round) {
    std::string bytes(random() % (std::size_t{1} << (random() % 18)), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string compressed = deflate_message(bytes);
    EXPECT_EQ(inflated(compressed), bytes);
    EXPECT_LE(compressed.size(), bytes.size() + bytes.size() / 64 + 16);
  }
}

TEST(WebSocketDeflateTest, WhateverSettingsAClientUsesItIsUnderstood) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, 100, 5'000, 100'000}) {
    const std::string text = market_text(size);
    for (const int level : {0, 1, 6, 9}) {
      for (const int window_bits : {9, 10, 12, 15}) {
        std::string flushed = deflated(text, level, window_bits, Z_SYNC_FLUSH);
        ASSERT_TRUE(flushed.ends_with("\x00\x00\xff\xff"s));
        EXPECT_EQ(inflated(std::string_view(flushed).substr(0, flushed.size() - 4)), text);
        // Nobody has to leave the end of a flush out: it is an empty block, and so is the one that is added.
        EXPECT_EQ(inflated(flushed + "\x00"s), text);
        EXPECT_EQ(inflated(deflated(text, level, window_bits, Z_FINISH) + "\x00"s), text);
      }
    }
  }
}

TEST(WebSocketDeflateTest, StreamsMayFollowEachOther) {
  std::string compressed;
  std::string text;
  for (int i = 0; i < 50; ++i) {
    const std::string part = market_text(static_cast<std::size_t>(i) * 37);
    compressed += deflated(part, 6, 15, Z_FINISH);
    text += part;
  }
  EXPECT_EQ(inflated(compressed + "\x00"s), text);
  EXPECT_EQ(inflated(compressed + deflate_message("tail")), text + "tail");
  EXPECT_TRUE(is_too_large(compressed + "\x00"s, text.size() - 1));
}

TEST(WebSocketDeflateTest, NothingAtAllIsAnEmptyMessage) { EXPECT_EQ(inflated(""), ""); }

TEST(WebSocketDeflateTest, WhatIsNotDeflateIsRefused) {
  const std::vector<std::string> bad = {
      "\x07",  // a block of the type that does not exist
      "\xff\xff\xff\xff",
      "\x00\x05\x00\x00\x00\x48\x65\x6c\x6c\x6f\x00"s,  // a stored block whose length does not match its complement
      "\x00\x05\x00\xfa\xff\x48\x65"s,                  // a stored block that stops short
      "Hello, world! This is plain text.",
      "\x02\x02\x02\x02",  // a distance beyond what was written
  };
  for (const auto& bytes : bad) EXPECT_EQ(inflated(bytes), std::nullopt) << bytes;
}

TEST(WebSocketDeflateTest, MessageThatIsCutShortIsRefused) {
  for (const int level : {0, 1, 9}) {
    const std::string text = market_text(500);
    const std::string compressed = deflated(text, level, 15, Z_FINISH) + "\x00"s;
    ASSERT_EQ(inflated(compressed), text);
    // The first byte alone of a stored block is that of an empty one.
    for (std::size_t size = 2; size < compressed.size(); ++size) {
      EXPECT_EQ(inflated(std::string_view(compressed).substr(0, size)), std::nullopt) << level << ' ' << size;
    }
  }
}

TEST(WebSocketDeflateTest, RandomBytesAndFlippedBitsDoNoHarm) {
  std::mt19937_64 random{11};
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = round % 2 == 0 ? deflate_message(market_text(300)) : std::string(random() % 200, '\0');
    if (round % 2 == 0) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    } else {
      for (char& byte : bytes) byte = static_cast<char>(random());
    }
    std::string out;
    bool too_large = false;
    const bool is_valid = inflate_message(bytes, 1000, out, too_large);
    EXPECT_FALSE(is_valid && too_large);
    EXPECT_LE(out.size(), 1000u);
  }
}

TEST(WebSocketDeflateTest, BombStopsAtTheBound) {
  const std::string bomb = deflated(std::string(8'000'000, 'x'), 9, 15, Z_SYNC_FLUSH);
  ASSERT_LT(bomb.size(), 60'000u);
  std::string out;
  bool too_large = false;
  EXPECT_FALSE(inflate_message(bomb, 65'536, out, too_large));
  EXPECT_TRUE(too_large);
  EXPECT_LE(out.capacity(), 65'536u);
  for (const std::size_t max : std::initializer_list<std::size_t>{0, 1, 2, 255, 256, 257, 1000, 65'535}) {
    EXPECT_TRUE(is_too_large(bomb, max)) << max;
    EXPECT_TRUE(is_too_large(deflate_message(std::string(max + 1, 'x')), max)) << max;
    EXPECT_EQ(inflated(deflate_message(std::string(max, 'x')), max), std::string(max, 'x'));
  }
}

TEST(WebSocketDeflateTest, BoundMayBeTheLargestNumber) {
  EXPECT_EQ(inflated(deflate_message("Hello"), static_cast<std::size_t>(-1)), "Hello");
}

TEST(WebSocketDeflateTest, EmptyBlocksCostNothingMuch) {
  std::string flushes;
  for (int i = 0; i < 20'000; ++i) flushes += "\x00\x00\x00\xff\xff"s;
  EXPECT_EQ(inflated(flushes + "\x00"s), "");
  std::string ends;
  for (int i = 0; i < 20'000; ++i) ends += "\x03\x00"s;
  EXPECT_EQ(inflated(ends + "\x00"s), "");
}

}  // namespace
}  // namespace tickpipe::internal
