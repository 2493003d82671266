// Text is UTF-8 (RFC 6455, 8.1), whole and in fragments.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace tickpipe::internal::testing {
namespace {

using namespace std::string_literals;

std::string fragment(WsOpcode opcode, std::string_view payload, bool fin) {
  return client_frame({opcode, payload, fin});
}

/// `text` as one frame, as two fragments cut at every place, and as fragments of one byte: the same events.
void expect_judged(const std::string& text, bool is_valid) {
  const Events expected = {is_valid ? "text \"" + text + "\"" : "fault 1007"};
  expect_events(client_text(text), expected);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string two = fragment(WsOpcode::kText, std::string_view(text).substr(0, cut), false) +
                            fragment(WsOpcode::kContinuation, std::string_view(text).substr(cut), true);
    EXPECT_EQ(read_whole(two), expected) << "in two fragments at " << cut;
    EXPECT_EQ(read_in_pieces(two, 1), expected) << "in two fragments at " << cut;
  }
  std::string many = fragment(WsOpcode::kText, "", false);
  for (const char& c : text) many += fragment(WsOpcode::kContinuation, {&c, 1}, false);
  many += fragment(WsOpcode::kContinuation, "", true);
  expect_events(many, expected);
  // No one minds as binary.
  expect_events(client_binary(text), {"binary \"" + text + "\""});
}

TEST(WebSocketReaderTextTest, ValidTextArrives) {
  const std::vector<std::string> texts = {
      "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!",
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
      "\0"s,
      "\x7f",
      "\xc2\x80",
      "\xdf\xbf",
      "\xe0\xa0\x80",
      "\xed\x9f\xbf",
      "\xee\x80\x80",
      "\xef\xbb\xbf",
      "\xef\xbf\xbd",
      "\xef\xbf\xbe",
      "\xef\xbf\xbf",
      "\xf0\x90\x80\x80",
      "\xf0\x9f\xbf\xbe",
      "\xf3\xbf\xbf\xbf",
      "\xf4\x8f\xbf\xbf",
  };
  for (const auto& text : texts) {
    SCOPED_TRACE(text);
    expect_judged(text, true);
  }
}

TEST(WebSocketReaderTextTest, TextThatIsNotUtf8IsRefused) {
  const std::vector<std::string> texts = {
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80-edited",  // a surrogate
      "\xce",                                                             // cut short
      "\xe1\xbd",
      "\xf0\x9d\x84",
      "a\x80-",  // a continuation byte alone
      "\xbf",
      "\x80\xbf\x80\xbf\x80\xbf",
      "\xc0 \xc1 ",  // leads without their bytes
      "\xe0 ",
      "\xf0 \xf7 ",
      "\xc0\x80\xe0\x80\xf0\x80\x80",
      "\xfe",  // bytes that never occur
      "\xff",
      "\xfe\xfe\xff\xff",
      "\xc0\xaf",  // overlong
      "\xe0\x80\xaf",
      "\xf0\x80\x80\xaf",
      "\xf8\x80\x80\x80\xaf",
      "\xfc\x80\x80\x80\x80\xaf",
      "\xc1\xbf",
      "\xe0\x9f\xbf",
      "\xf0\x8f\xbf\xbf",
      "\xed\xa0\x80",  // surrogates, alone and in pairs
      "\xed\xad\xbf",
      "\xed\xbf\xbf",
      "\xed\xa0\x80\xed\xb0\x80",
      "\xed\xaf\xbf\xed\xbf\xbf",
      "\xf4\x90\x80\x80",  // beyond U+10FFFF
      "\xf8\x88\x80\x80\x80",
      "\xfc\x84\x80\x80\x80\x80",
  };
  for (const auto& text : texts) {
    SCOPED_TRACE(text);
    expect_judged(text, false);
  }
}

TEST(WebSocketReaderTextTest, CharacterMayBeCutByFragmentsWithAPingInside) {
  expect_events(fragment(WsOpcode::kText, "\xce\xba\xe1", false) + client_ping("\xff") +
                    fragment(WsOpcode::kContinuation, "\xbd\xb9", true),
                {"ping \"\xff\"", "text \"\xce\xba\xe1\xbd\xb9\""});
}

TEST(WebSocketReaderTextTest, BadByteIsFoundBeforeItsFrameIsComplete) {
  const std::string frame = client_text("\xce\xba\xf4\x90 and much more that need not come any more");
  Reading reading;
  reading.add(std::string_view(frame).substr(0, 6 + 3));
  EXPECT_EQ(reading.events(), Events{});
  reading.add(std::string_view(frame).substr(6 + 3, 1));
  EXPECT_EQ(reading.events(), Events{"fault 1007"});
}

TEST(WebSocketReaderTextTest, BadFragmentIsRefusedBeforeTheNext) {
  expect_events(fragment(WsOpcode::kText, "\xed\xa0\x80", false), {"fault 1007"});
  expect_events(fragment(WsOpcode::kText, "\xed", false) + fragment(WsOpcode::kContinuation, "\xa0", false),
                {"fault 1007"});
}

TEST(WebSocketReaderTextTest, EachMessageIsJudgedByItself) {
  expect_events(client_text("\xc3\xa4") + client_text("\xa4"), {"text \"\xc3\xa4\"", "fault 1007"});
  expect_events(client_binary("\xc3") + client_text("\xc3\xa4"), {"binary \"\xc3\"", "text \"\xc3\xa4\""});
}

}  // namespace
}  // namespace tickpipe::internal::testing
