// Compressed messages as the reader takes them (RFC 7692, 6 and 7).

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "serve/websocket_deflate.h"
#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace tickpipe::internal::testing {
namespace {

using namespace std::string_literals;

constexpr unsigned kRsv1 = 4;
constexpr WebSocketReader::Limits kDeflate{65'536, true};

std::string compressed_frame(WsOpcode opcode, std::string_view text) {
  const std::string payload = deflate_message(text);
  return client_frame({opcode, payload, true, kRsv1});
}

std::string compressed_text(std::string_view text) { return compressed_frame(WsOpcode::kText, text); }

TEST(WebSocketReaderDeflateTest, ReadsTheExamplesOfRfc7692) {  // section 7.2.3
  expect_cases(
      {
          {"OneBlock",
           client_frame({WsOpcode::kText, "\xf2\x48\xcd\xc9\xc9\x07\x00"s, true, kRsv1}),
           {"text \"Hello\""}},
          {"TwoFragments",
           client_frame({WsOpcode::kText, "\xf2\x48\xcd", false, kRsv1}) +
               client_frame({WsOpcode::kContinuation, "\xc9\xc9\x07\x00"s}),
           {"text \"Hello\""}},
          {"StoredBlock",
           client_frame({WsOpcode::kText, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s, true, kRsv1}),
           {"text \"Hello\""}},
          {"LastBlock",
           client_frame({WsOpcode::kText, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s, true, kRsv1}),
           {"text \"Hello\""}},
          {"TwoBlocks",
           client_frame({WsOpcode::kText, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s, true, kRsv1}),
           {"text \"Hello\""}},
          {"Empty", client_frame({WsOpcode::kText, "\x00"s, true, kRsv1}), {"text \"\""}},
      },
      kDeflate);
}

TEST(WebSocketReaderDeflateTest, MessagesOfEverySizeArriveCompressedAndPlain) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 16, 64, 256, 1024, 4096, 8192, 16'384, 32'768, 65'536}) {
    SCOPED_TRACE(size);
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * i % 23);
    expect_events(compressed_text(text) + client_text(text) + compressed_frame(WsOpcode::kBinary, text),
                  {"text \"" + text + "\"", "text \"" + text + "\"", "binary \"" + text + "\""}, kDeflate);
  }
}

TEST(WebSocketReaderDeflateTest, FragmentsCutTheCompressedBytesAnywhere) {
  const std::string text =
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 and again \xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  const std::string payload = deflate_message(text);
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    const std::string input = client_frame({WsOpcode::kText, std::string_view(payload).substr(0, cut), false, kRsv1}) +
                              client_ping("p") +
                              client_frame({WsOpcode::kContinuation, std::string_view(payload).substr(cut)});
    expect_events(input, {"ping \"p\"", "text \"" + text + "\""}, kDeflate);
  }
}

TEST(WebSocketReaderDeflateTest, OnlyTheFirstFrameOfADataMessageHasTheBit) {
  const std::string payload = deflate_message("Hello");
  expect_cases(
      {
          {"Continuation",
           client_frame({WsOpcode::kText, payload.substr(0, 3), false, kRsv1}) +
               client_frame({WsOpcode::kContinuation, payload.substr(3), true, kRsv1}),
           {"fault 1002"}},
          {"ContinuationOfAPlainMessage",
           client_frame({WsOpcode::kText, "a", false}) + client_frame({WsOpcode::kContinuation, payload, true, kRsv1}),
           {"fault 1002"}},
          {"Ping", client_frame({WsOpcode::kPing, "", true, kRsv1}), {"fault 1002"}},
          {"Pong", client_frame({WsOpcode::kPong, "", true, kRsv1}), {"fault 1002"}},
          {"Close", client_frame({WsOpcode::kClose, "", true, kRsv1}), {"fault 1002"}},
          {"OtherBitsToo", client_frame({WsOpcode::kText, payload, true, kRsv1 + 1}), {"fault 1002"}},
      },
      kDeflate);
  expect_events(compressed_text("Hello"), {"fault 1002"});  // not agreed on
}

TEST(WebSocketReaderDeflateTest, BadDataIsRefused) {
  expect_cases(
      {
          {"NotDeflate", client_frame({WsOpcode::kText, "\xff\xff\xff", true, kRsv1}), {"fault 1007"}},
          {"BinaryNotDeflate", client_frame({WsOpcode::kBinary, "\x07", true, kRsv1}), {"fault 1007"}},
          {"CutShort", client_frame({WsOpcode::kText, "\xf2\x48\xcd", true, kRsv1}), {"fault 1007"}},
          {"ContextKept",
           compressed_text("Hello") + client_frame({WsOpcode::kText, "\xf2\x00\x11\x00\x00"s, true, kRsv1}),
           {"text \"Hello\"", "fault 1007"}},
      },
      kDeflate);
}

TEST(WebSocketReaderDeflateTest, TextIsJudgedAfterInflation) {
  for (const std::string_view bad : {"\xce\xba\xed\xa0\x80-edited", "\xff", "abc\xe2\x82"}) {
    expect_events(compressed_text(bad), {"fault 1007"}, kDeflate);
    expect_events(compressed_frame(WsOpcode::kBinary, bad), {"binary \"" + std::string(bad) + "\""}, kDeflate);
  }
  // A plain message behind it is judged from the start.
  expect_events(compressed_text("\xc3\xa4") + client_text("\xc3\xa4"), {"text \"\xc3\xa4\"", "text \"\xc3\xa4\""},
                kDeflate);
}

TEST(WebSocketReaderDeflateTest, LimitHoldsBeforeAndAfterInflation) {
  const WebSocketReader::Limits limits{1000, true};
  const std::string largest(1000, 'x');
  expect_events(compressed_text(largest), {"text \"" + largest + "\""}, limits);
  expect_events(compressed_text(largest + "x"), {"fault 1009"}, limits);
  expect_events(compressed_text(std::string(8'000'000, 'x')).substr(0, 4), {"fault 1009"}, limits);
  expect_events(compressed_text(std::string(100'000, 'x')), {"fault 1009"}, limits);
  // Empty blocks: nothing comes out, but too much goes in.
  std::string blocks;
  for (int i = 0; i < 250; ++i) blocks += "\x00\x00\x00\xff\xff"s;
  expect_events(client_frame({WsOpcode::kText, blocks, true, kRsv1}), {"fault 1009"}, limits);
}

TEST(WebSocketReaderDeflateTest, BombIsRefused) {
  const std::string bomb = deflate_message(std::string(8'000'000, 'x'));
  ASSERT_LT(bomb.size(), 65'536u);
  EXPECT_EQ(read_whole(client_frame({WsOpcode::kText, bomb, true, kRsv1}), kDeflate), Events{"fault 1009"});
}

}  // namespace
}  // namespace tickpipe::internal::testing
