#include "serve/websocket_frame.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/utf8.h"

namespace tickpipe::internal {
namespace {

using namespace std::string_literals;

std::string frame(WsOpcode opcode, std::string_view payload, bool is_compressed = false) {
  std::string out = "before";
  append_frame(out, opcode, payload, is_compressed);
  EXPECT_EQ(out.substr(0, 6), "before");
  return out.substr(6);
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string out;
  append_close_frame(out, code, reason);
  return out;
}

TEST(WebSocketFrameTest, IsAsInTheExamplesOfRfc6455) {  // section 5.7
  EXPECT_EQ(frame(WsOpcode::kText, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(frame(WsOpcode::kPing, "Hello"), "\x89\x05Hello");
  EXPECT_EQ(frame(WsOpcode::kBinary, std::string(256, 'x')), "\x82\x7e\x01\x00"s + std::string(256, 'x'));
  EXPECT_EQ(frame(WsOpcode::kBinary, std::string(65'536, 'x')),
            "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s + std::string(65'536, 'x'));
}

TEST(WebSocketFrameTest, LengthIsInItsShortestForm) {
  const auto header = [](std::size_t size) {
    std::string out;
    append_frame_header(out, WsOpcode::kBinary, size);
    EXPECT_LE(out.size(), kMaxServerHeaderBytes);
    return out.substr(1);
  };
  EXPECT_EQ(header(0), "\0"s);
  EXPECT_EQ(header(125), "\x7d");
  EXPECT_EQ(header(126), "\x7e\x00\x7e"s);
  EXPECT_EQ(header(65'535), "\x7e\xff\xff");
  EXPECT_EQ(header(65'536), "\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  EXPECT_EQ(header(0x0123456789abcdef), "\x7f\x01\x23\x45\x67\x89\xab\xcd\xef");
}

TEST(WebSocketFrameTest, CompressedMessageIsMarkedByRsv1) {
  EXPECT_EQ(frame(WsOpcode::kText, "abc", true),
            "\xc1\x03"
            "abc");
  EXPECT_EQ(frame(WsOpcode::kBinary, "abc", true),
            "\xc2\x03"
            "abc");
}

TEST(WebSocketFrameTest, CloseHoldsCodeAndReason) {
  EXPECT_EQ(close_frame(1000, ""), "\x88\x02\x03\xe8");
  EXPECT_EQ(close_frame(4008, "too slow"), "\x88\x0a\x0f\xa8too slow");
  EXPECT_EQ(close_frame(kNoCloseCode, "unsaid"), "\x88\x00"s);
}

TEST(WebSocketFrameTest, LongReasonIsCutBetweenCharacters) {
  EXPECT_EQ(close_frame(1000, std::string(123, 'r')), "\x88\x7d\x03\xe8" + std::string(123, 'r'));
  EXPECT_EQ(close_frame(1000, std::string(124, 'r')), "\x88\x7d\x03\xe8" + std::string(123, 'r'));
  for (const std::string_view character : {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9d\x84\x9e"}) {
    for (std::size_t before = 0; before < 6; ++before) {
      std::string reason(before, 'r');
      while (reason.size() < 140) reason += character;
      const std::string sent = close_frame(1000, reason).substr(4);
      EXPECT_TRUE(is_valid_utf8(sent));
      EXPECT_EQ(reason.substr(0, sent.size()), sent);
      EXPECT_LE(sent.size(), 123u);
      EXPECT_GT(sent.size() + character.size(), 123u);
    }
  }
}

}  // namespace
}  // namespace tickpipe::internal
