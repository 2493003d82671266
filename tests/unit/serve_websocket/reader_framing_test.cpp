// Messages, control frames and fragments that are as they should be.

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace tickpipe::internal::testing {
namespace {

using namespace std::string_literals;

constexpr auto kText = WsOpcode::kText;
constexpr auto kBinary = WsOpcode::kBinary;
constexpr auto kContinuation = WsOpcode::kContinuation;

std::string first(std::string_view payload, WsOpcode opcode = kText) { return client_frame({opcode, payload, false}); }
std::string middle(std::string_view payload) { return client_frame({kContinuation, payload, false}); }
std::string last(std::string_view payload) { return client_frame({kContinuation, payload}); }

std::string in_quotes(std::string_view text) { return std::string("\"").append(text).append("\""); }

TEST(WebSocketReaderFramingTest, ReadsTheExamplesOfRfc6455) {  // section 5.7, as masked by a client
  expect_events("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", {"text \"Hello\""});
  expect_events("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", {"pong \"Hello\""});
}

TEST(WebSocketReaderFramingTest, MessagesOfEverySizeArrive) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 7, 8, 9, 124, 125, 126, 127, 128, 1000, 65'535, 65'536}) {
    SCOPED_TRACE(size);
    const std::string text(size, '*');
    const std::string bytes(size, '\xfe');
    expect_events(client_text(text), {"text " + in_quotes(text)});
    expect_events(client_binary(bytes), {"binary " + in_quotes(bytes)});
  }
}

TEST(WebSocketReaderFramingTest, LargeMessageArrivesInPiecesOfEverySize) {
  const std::string text(65'536, '*');
  const std::string frame = client_text(text);
  for (const std::size_t size : std::initializer_list<std::size_t>{64, 128, 256, 512, 997, 1024, 2048, 4096, 16'384}) {
    EXPECT_EQ(read_in_pieces(frame, size), Events{"text " + in_quotes(text)}) << size;
  }
}

TEST(WebSocketReaderFramingTest, EveryMaskIsTakenOff) {
  std::string payload;
  for (int i = 0; i < 256; ++i) payload += static_cast<char>(i);
  const std::vector<std::array<unsigned char, 4>> keys = {
      {0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, {1, 2, 3, 4}, {0, 0, 0, 0x80}, {'a', 0, 'b', 0}};
  for (const auto& key : keys) {
    expect_events(client_frame({kBinary, payload, true, 0, key}), {"binary " + in_quotes(payload)});
  }
}

TEST(WebSocketReaderFramingTest, MessagesFollowEachOther) {
  expect_events(client_text("one") + client_binary("two") + client_text("") + client_text("three"),
                {"text \"one\"", "binary \"two\"", "text \"\"", "text \"three\""});
}

TEST(WebSocketReaderFramingTest, PingsAndPongsArrive) {
  const std::string longest(125, '\xfe');
  expect_cases({
      {"PingWithoutPayload", client_ping(), {"ping \"\""}},
      {"PingWithText", client_ping("Hello, world!"), {"ping \"Hello, world!\""}},
      {"PingWithBytes",
       client_ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"s),
       {"ping \"\x00\xff\xfe\xfd\xfc\xfb\x00\xff\""s}},
      {"LongestPing", client_ping(longest), {"ping " + in_quotes(longest)}},
      {"UnaskedPong", client_pong(), {"pong \"\""}},
      {"UnaskedPongWithPayload", client_pong("unsolicited"), {"pong \"unsolicited\""}},
      {"LongestPong", client_pong(longest), {"pong " + in_quotes(longest)}},
      {"PongThenPing", client_pong("a") + client_ping("b"), {"pong \"a\"", "ping \"b\""}},
      {"BetweenMessages",
       client_text("a") + client_ping("b") + client_text("c"),
       {"text \"a\"", "ping \"b\"", "text \"c\""}},
  });
}

TEST(WebSocketReaderFramingTest, ManyPingsArriveInOrder) {
  std::string input;
  Events expected;
  for (int i = 0; i < 10; ++i) {
    const std::string payload = "payload-" + std::to_string(i);
    input += client_ping(payload);
    expected.push_back("ping " + in_quotes(payload));
  }
  expect_events(input, expected);
}

TEST(WebSocketReaderFramingTest, FragmentsBecomeOneMessage) {
  expect_cases({
      {"Two", first("frag") + last("ment"), {"text \"fragment\""}},
      {"TwoBinary", first("\xfe\xff", kBinary) + last("\xfd"), {"binary \"\xfe\xff\xfd\""}},
      {"Three", first("a") + middle("b") + last("c"), {"text \"abc\""}},
      {"AllEmpty", first("") + middle("") + last(""), {"text \"\""}},
      {"OnlyTheMiddleIsNotEmpty", first("") + middle("middle") + last(""), {"text \"middle\""}},
      {"TwoMessages", first("a") + last("b") + first("c", kBinary) + last("d"), {"text \"ab\"", "binary \"cd\""}},
      {"PingBetween", first("a") + client_ping("p") + last("b"), {"ping \"p\"", "text \"ab\""}},
      {"EmptyPingBetween", first("a") + client_ping() + last("b"), {"ping \"\"", "text \"ab\""}},
      {"PongBetween", first("a") + client_pong("p") + last("b"), {"pong \"p\"", "text \"ab\""}},
      {"PingsBetweenAll",
       first("1") + client_ping("p1") + middle("2") + middle("3") + client_ping("p2") + middle("4") + last("5"),
       {"ping \"p1\"", "ping \"p2\"", "text \"12345\""}},
      {"PingBeforeAndBehind",
       client_ping("x") + first("a") + last("b") + client_ping("y"),
       {"ping \"x\"", "text \"ab\"", "ping \"y\""}},
      {"CloseBetween", first("a") + client_close(1000) + last("b"), {"close 1000 \"\""}},
      {"NothingIsComplete", first("a") + middle("b"), {}},
  });
}

TEST(WebSocketReaderFramingTest, ManySmallFragmentsBecomeOneMessage) {
  for (const std::size_t size : std::initializer_list<std::size_t>{1, 64, 256, 1024}) {
    const std::string text(16'384, '*');
    std::string input = first("");
    for (std::size_t at = 0; at < text.size(); at += size) {
      input += middle(std::string_view(text).substr(at, size));
      if (at % 4096 == 0) input += client_ping("p");
    }
    input += last("");
    const Events expected = {"ping \"p\"", "ping \"p\"", "ping \"p\"", "ping \"p\"", "text " + in_quotes(text)};
    EXPECT_EQ(read_whole(input), expected);
    EXPECT_EQ(read_in_pieces(input, 1), expected);
    EXPECT_EQ(read_in_pieces(input, 1300), expected);
  }
}

TEST(WebSocketReaderFramingTest, NothingIsConsumedBehindAnEvent) {
  WebSocketReader reader({});
  const std::string ping = client_ping("abc");
  std::size_t consumed = 0;
  EXPECT_EQ(describe(reader.read(ping + "rest", consumed)), "ping \"abc\"");
  EXPECT_EQ(consumed, ping.size());
}

TEST(WebSocketReaderFramingTest, NoInputIsNoEvent) {
  WebSocketReader reader({});
  std::size_t consumed = 1;
  EXPECT_EQ(describe(reader.read("", consumed)), "need more");
  EXPECT_EQ(consumed, 0u);
}

TEST(WebSocketReaderFramingTest, ReleaseBetweenAnyTwoBytesLosesNothing) {
  const std::string input = first("frag") + client_ping("a payload that is long enough for the heap") + middle("me") +
                            last("nt") + client_text("text");
  WebSocketReader reader({});
  Events events;
  for (const char& c : input) {
    std::size_t consumed = 0;
    const auto event = reader.read({&c, 1}, consumed);
    if (event.kind != WebSocketReader::Event::Kind::kNeedMore) events.push_back(describe(event));
    reader.release();
  }
  EXPECT_EQ(events,
            (Events{"ping \"a payload that is long enough for the heap\"", "text \"fragment\"", "text \"text\""}));
}

}  // namespace
}  // namespace tickpipe::internal::testing
