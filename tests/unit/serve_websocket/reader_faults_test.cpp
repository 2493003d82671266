// What breaks the rules of RFC 6455, 5, and what is too big.

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

const std::vector<WsOpcode> kAll = {WsOpcode::kContinuation, WsOpcode::kText, WsOpcode::kBinary,
                                    WsOpcode::kClose,        WsOpcode::kPing, WsOpcode::kPong};

/// `bad` is refused with `close_code` as first frame, behind messages and control frames, and whatever follows it.
void expect_fault(std::string_view bad, const std::string& close_code) {
  const std::string fault = "fault " + close_code;
  const std::string frame(bad);
  expect_events(frame, {fault});
  expect_events(client_text("a") + frame, {"text \"a\"", fault});
  expect_events(client_ping("p") + client_binary("b") + frame + client_ping("q") + client_close(1000),
                {"ping \"p\"", "binary \"b\"", fault});
}

TEST(WebSocketReaderFaultsTest, UnmaskedFrameIsRefused) {
  for (const WsOpcode opcode : kAll) {
    if (opcode == WsOpcode::kContinuation) continue;
    for (const std::string_view payload : {"", "ab"}) {
      ClientFrame frame{opcode, payload};
      frame.masked = false;
      expect_fault(client_frame(frame), "1002");
    }
  }
  ClientFrame continuation{WsOpcode::kContinuation, "b"};
  continuation.masked = false;
  expect_events(client_frame({WsOpcode::kText, "a", false}) + client_frame(continuation), {"fault 1002"});
}

TEST(WebSocketReaderFaultsTest, ReservedBitsAreRefused) {
  for (const bool allow_deflate : {false, true}) {
    for (const WsOpcode opcode : kAll) {
      for (unsigned rsv = 1; rsv <= 7; ++rsv) {
        const bool is_data = opcode == WsOpcode::kText || opcode == WsOpcode::kBinary;
        if (allow_deflate && is_data && rsv == 4) continue;
        SCOPED_TRACE(static_cast<int>(opcode));
        std::string input;
        if (opcode == WsOpcode::kContinuation) input = client_frame({WsOpcode::kText, "a", false});
        input += client_frame({opcode, "", true, rsv});
        expect_events(input + client_ping(), {"fault 1002"}, {65'536, allow_deflate});
        expect_events(client_text("a") + input, {"text \"a\"", "fault 1002"}, {65'536, allow_deflate});
      }
    }
  }
}

TEST(WebSocketReaderFaultsTest, UnknownOpcodesAreRefused) {
  for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    for (const std::string_view payload : {"", "reserved"}) {
      expect_fault(client_frame({static_cast<WsOpcode>(opcode), payload}), "1002");
      expect_events(
          client_frame({WsOpcode::kText, "a", false}) + client_frame({static_cast<WsOpcode>(opcode), payload}),
          {"fault 1002"});
    }
  }
}

TEST(WebSocketReaderFaultsTest, ControlFramesAreShortAndWhole) {
  for (const WsOpcode opcode : {WsOpcode::kClose, WsOpcode::kPing, WsOpcode::kPong}) {
    expect_fault(client_frame({opcode, std::string(126, '\xfe')}), "1002");
    expect_fault(client_frame({opcode, std::string(65'536, 'x')}), "1002");
    expect_fault(client_frame({opcode, "a", false}), "1002");
    expect_fault(client_frame({opcode, "", false}) + client_frame({WsOpcode::kContinuation, ""}), "1002");
    ClientFrame long_form{opcode, "ab"};
    long_form.length_bytes = 2;
    expect_fault(client_frame(long_form), "1002");
    long_form.length_bytes = 8;
    expect_fault(client_frame(long_form), "1002");
  }
}

TEST(WebSocketReaderFaultsTest, ContinuationNeedsAStart) {
  expect_fault(client_frame({WsOpcode::kContinuation, "a"}), "1002");
  expect_fault(client_frame({WsOpcode::kContinuation, "a", false}), "1002");
  expect_fault(client_frame({WsOpcode::kContinuation, ""}), "1002");
  const std::string message =
      client_frame({WsOpcode::kText, "a", false}) + client_frame({WsOpcode::kContinuation, "b"});
  expect_events(message + client_frame({WsOpcode::kContinuation, "c"}), {"text \"ab\"", "fault 1002"});
  expect_events(message + client_frame({WsOpcode::kContinuation, "c", false}), {"text \"ab\"", "fault 1002"});
}

TEST(WebSocketReaderFaultsTest, NewMessageWithinFragmentsIsRefused) {
  for (const WsOpcode opcode : {WsOpcode::kText, WsOpcode::kBinary}) {
    for (const bool fin : {false, true}) {
      expect_events(client_frame({WsOpcode::kText, "a", false}) + client_frame({opcode, "b", fin}), {"fault 1002"});
      expect_events(client_frame({WsOpcode::kText, "a", false}) + client_frame({WsOpcode::kContinuation, "", false}) +
                        client_ping("p") + client_frame({opcode, "b", fin}),
                    {"ping \"p\"", "fault 1002"});
    }
  }
}

TEST(WebSocketReaderFaultsTest, LengthHasToBeInItsShortestForm) {
  struct Case {
    std::size_t size;
    int length_bytes;
  };
  for (const auto& [size, length_bytes] :
       {Case{0, 2}, Case{1, 2}, Case{125, 2}, Case{0, 8}, Case{125, 8}, Case{126, 8}, Case{65'535, 8}}) {
    SCOPED_TRACE(size);
    const std::string payload(size, 'x');
    ClientFrame frame{WsOpcode::kText, payload};
    frame.length_bytes = length_bytes;
    expect_fault(client_frame(frame), "1002");
  }
}

TEST(WebSocketReaderFaultsTest, LengthWithTheTopBitIsRefused) {
  expect_fault("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"s, "1002");
  expect_fault("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, "1002");
  expect_fault("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s, "1009");
}

TEST(WebSocketReaderFaultsTest, FirstFaultOfAFrameCounts) {
  // The bits of the first byte, then the mask, then the length.
  expect_events("\xf1\x00"s, {"fault 1002"});
  expect_events("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s, {"fault 1002"});
}

TEST(WebSocketReaderFaultsTest, FaultIsSeenWithTheByteThatShowsIt) {
  const auto last_byte_faults = [](std::string_view header, WebSocketReader::Limits limits = {}) {
    Reading reading(limits);
    reading.add(header.substr(0, header.size() - 1));
    EXPECT_EQ(reading.events(), Events{});
    reading.add(header.substr(header.size() - 1));
    EXPECT_EQ(reading.events().size(), 1u);
  };
  last_byte_faults("\x91");
  last_byte_faults("\x83");
  last_byte_faults("\x80");
  last_byte_faults("\x09");
  last_byte_faults("\x81\x05");
  last_byte_faults("\x89\xfe");
  last_byte_faults("\x81\xfe\x00\x7d"s);
  last_byte_faults("\x81\x8b", {10});
  last_byte_faults("\x81\xfe\x04\x01"s, {1024});
  last_byte_faults("\x81\xff\x00\x00\x00\x00\x00\x01\x00\x01"s);
}

TEST(WebSocketReaderFaultsTest, FrameBeyondTheLimitIsRefusedByItsHeader) {
  for (const std::size_t max :
       std::initializer_list<std::size_t>{0u, 10u, 125u, 126u, 1024u, 65'535u, 65'536u, 100'000u}) {
    SCOPED_TRACE(max);
    const WebSocketReader::Limits limits{max, false};
    const std::string largest(max, 'x');
    const std::string larger(max + 1, 'x');
    const std::string frame = client_binary(larger);
    const std::size_t header = frame.size() - larger.size() - 4;
    EXPECT_EQ(read_whole(client_binary(largest), limits), Events{"binary \"" + largest + "\""});
    EXPECT_EQ(read_whole(std::string_view(frame).substr(0, header), limits), Events{"fault 1009"});
    EXPECT_EQ(read_in_pieces(frame, 1, limits), Events{"fault 1009"});
  }
}

TEST(WebSocketReaderFaultsTest, FragmentsBeyondTheLimitAreRefusedByTheHeaderOfTheOneTooMany) {
  const std::string input =
      client_frame({WsOpcode::kText, "12345", false}) + client_frame({WsOpcode::kContinuation, "67890", false});
  const std::string within = client_frame({WsOpcode::kContinuation, ""});
  const std::string beyond = client_frame({WsOpcode::kContinuation, "1"});
  expect_events(input + client_ping("not counted") + within, {"ping \"not counted\"", "text \"1234567890\""}, {10});
  expect_events(input + client_ping("not counted") + beyond, {"ping \"not counted\"", "fault 1009"}, {10});
  expect_events(input + beyond.substr(0, 2), {"fault 1009"}, {10});
  // The next message starts from zero.
  expect_events(input + within + input + within, {"text \"1234567890\"", "text \"1234567890\""}, {10});
  // A length that would overflow the sum.
  expect_events(input + "\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s, {"fault 1009"}, {10});
}

TEST(WebSocketReaderFaultsTest, NothingIsReadAfterAFault) {
  Reading reading;
  reading.add("\x83");
  reading.add(client_text("a") + client_close(1000));
  reading.add(client_ping());
  reading.reader().release();
  reading.add("\x83\x83");
  EXPECT_EQ(reading.events(), Events{"fault 1002"});
}

}  // namespace
}  // namespace tickpipe::internal::testing
