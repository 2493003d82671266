// The end of a connection (RFC 6455, 5.5.1 and 7).

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace tickpipe::internal::testing {
namespace {

TEST(WebSocketReaderCloseTest, CodeAndReasonArrive) {
  const std::string longest(123, '*');
  expect_cases({
      {"WithoutCode", client_frame({WsOpcode::kClose}), {"close 1005 \"\""}},
      {"WithoutReason", client_close(1000), {"close 1000 \"\""}},
      {"WithReason", client_close(1000, "Hello World!"), {"close 1000 \"Hello World!\""}},
      {"LongestReason", client_close(1000, longest), {"close 1000 \"" + longest + "\""}},
      {"ReasonBeyondAscii", client_close(1001, "\xc3\xa4\xe2\x82\xac"), {"close 1001 \"\xc3\xa4\xe2\x82\xac\""}},
      {"BehindAMessage", client_text("a") + client_close(1000), {"text \"a\"", "close 1000 \"\""}},
      {"WithinFragments", client_frame({WsOpcode::kText, "a", false}) + client_close(1000), {"close 1000 \"\""}},
  });
}

TEST(WebSocketReaderCloseTest, WhatFollowsIsIgnored) {
  expect_cases({
      {"Close", client_close(1000) + client_close(1001), {"close 1000 \"\""}},
      {"Ping", client_close(1000) + client_ping(), {"close 1000 \"\""}},
      {"Text", client_close(1000) + client_text("a"), {"close 1000 \"\""}},
      {"RestOfAMessage",
       client_frame({WsOpcode::kText, "a", false}) + client_close(1000) + client_frame({WsOpcode::kContinuation, "b"}),
       {"close 1000 \"\""}},
      {"Rubbish", client_close(1000) + "\xff\xff\xff", {"close 1000 \"\""}},
  });
}

TEST(WebSocketReaderCloseTest, BadFramesAreRefused) {
  expect_cases({
      {"HalfACode", client_frame({WsOpcode::kClose, "\x03"}), {"fault 1002"}},
      {"ReasonTooLong", client_close(1000, std::string(124, '*')), {"fault 1002"}},
      {"ReasonNotUtf8", client_close(1000, "\xce\xba\xed\xa0\x80-edited"), {"fault 1007"}},
      {"ReasonCutWithinACharacter", client_close(1000, "abc\xe2\x82"), {"fault 1007"}},
      {"BadCodeWithBadReason", client_close(999, "\xff"), {"fault 1002"}},
  });
}

TEST(WebSocketReaderCloseTest, OnlyCodesThatMayBeSentAreTaken) {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool is_valid =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) || (code >= 3000 && code <= 4999);
    const std::string input = client_close(code, "r");
    ASSERT_EQ(read_whole(input),
              Events{is_valid ? "close " + std::to_string(code) + " \"r\"" : std::string("fault 1002")});
  }
  for (const unsigned code : {0u,    999u,  1000u, 1004u, 1005u, 1006u, 1007u, 1011u, 1012u, 1015u,
                              1016u, 1100u, 2000u, 2999u, 3000u, 3999u, 4000u, 4999u, 5000u, 65'535u}) {
    const std::string input = client_close(code);
    expect_events(input, read_whole(input));
  }
}

}  // namespace
}  // namespace tickpipe::internal::testing
