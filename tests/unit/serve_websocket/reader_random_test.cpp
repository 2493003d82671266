// Random sequences of messages, fragments and control frames, written by the tests' own encoder and cut at random.

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include "core/utf8.h"
#include "serve/websocket_deflate.h"
#include "serve/websocket_frame.h"
#include "support/websocket_client_frames.h"
#include "unit/serve_websocket/reading.h"

namespace tickpipe::internal::testing {
namespace {

class Conversation {
 public:
  explicit Conversation(unsigned seed) : random_(seed) {
    for (std::size_t count = 1 + below(6); count != 0; --count) add_message();
    if (below(2) == 0) {
      const std::string reason = text(below(40));
      add({WsOpcode::kClose, "\x03\xe8" + reason});
      events_.push_back("close 1000 \"" + reason + "\"");
    }
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] const Events& events() const { return events_; }

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  struct Frame {
    WsOpcode opcode;
    std::string payload;
    bool fin = true;
    unsigned rsv = 0;
  };

  void add(const Frame& frame) {
    std::array<unsigned char, 4> key{};
    for (auto& byte : key) byte = static_cast<unsigned char>(random_());
    bytes_ += client_frame({frame.opcode, frame.payload, frame.fin, frame.rsv, key});
  }

  void add_control_frames() {
    for (std::size_t count = below(3); count != 0; --count) {
      const bool is_ping = below(2) == 0;
      const std::string payload = some_bytes(below(126));
      add({is_ping ? WsOpcode::kPing : WsOpcode::kPong, payload});
      events_.push_back((is_ping ? "ping \"" : "pong \"") + payload + "\"");
    }
  }

  void add_message() {
    const bool is_text = below(2) == 0;
    const std::size_t size = below(std::size_t{1} << below(13));
    const std::string message = is_text ? text(size) : some_bytes(size);
    const bool is_compressed = below(2) == 0;
    const std::string payload = is_compressed ? deflate_message(message) : message;
    std::string_view rest = payload;
    std::size_t fragments = below(2) == 0 ? 1 : 1 + below(5);
    for (bool is_first = true; fragments != 0; --fragments, is_first = false) {
      const std::size_t part = fragments == 1 ? rest.size() : below(rest.size() + 1);
      add_control_frames();
      add({is_first ? (is_text ? WsOpcode::kText : WsOpcode::kBinary) : WsOpcode::kContinuation,
           std::string(rest.substr(0, part)), fragments == 1, is_first && is_compressed ? 4u : 0u});
      rest.remove_prefix(part);
    }
    events_.push_back((is_text ? "text \"" : "binary \"") + message + "\"");
  }

  std::string some_bytes(std::size_t size) {
    std::string out(size, '\0');
    for (char& byte : out) byte = static_cast<char>(random_());
    return out;
  }

  std::string text(std::size_t size) {
    static constexpr std::string_view kCharacters[] = {"a", "Z", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9d\x84\x9e"};
    std::string out;
    while (out.size() < size) out += kCharacters[below(std::size(kCharacters))];
    return out;
  }

  std::mt19937_64 random_;
  std::string bytes_;
  Events events_;
};

constexpr WebSocketReader::Limits kLimits{65'536, true};

TEST(WebSocketReaderRandomTest, WhatWasWrittenIsReadHoweverItIsCut) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Conversation conversation(seed);
    SCOPED_TRACE(seed);
    ASSERT_EQ(read_whole(conversation.bytes(), kLimits), conversation.events());
    ASSERT_EQ(read_in_pieces(conversation.bytes(), 1, kLimits), conversation.events());
    for (int round = 0; round < 5; ++round) {
      Reading reading(kLimits);
      const std::size_t longest = std::size_t{1} << conversation.below(12);
      for (std::string_view rest = conversation.bytes(); !rest.empty();) {
        const std::size_t size = std::min(rest.size(), conversation.below(longest + 1));
        reading.add(rest.substr(0, size));
        rest.remove_prefix(size);
        if (conversation.below(4) == 0) reading.reader().release();
      }
      ASSERT_EQ(reading.events(), conversation.events());
    }
  }
}

TEST(WebSocketReaderRandomTest, DamagedBytesGiveTheSameEventsHoweverTheyAreCut) {
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    Conversation conversation(seed % 100);
    std::string bytes = conversation.bytes();
    std::mt19937_64 random{seed};
    for (std::size_t count = 1 + random() % 3; count != 0; --count) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    }
    const Events whole = read_whole(bytes, kLimits);
    ASSERT_EQ(read_in_pieces(bytes, 1, kLimits), whole) << seed;
    ASSERT_EQ(read_in_pieces(bytes, 1 + random() % 100, kLimits), whole) << seed;
    for (const std::string& event : whole) {
      ASSERT_TRUE(!event.starts_with("text") || is_valid_utf8(event));
    }
  }
}

}  // namespace
}  // namespace tickpipe::internal::testing
