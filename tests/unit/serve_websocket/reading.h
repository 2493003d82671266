#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "serve/websocket_reader.h"

namespace tickpipe::internal::testing {

/// An event that owns what it carries, in one line: `text "abc"`, `ping ""`, `close 1000 "bye"`, `fault 1002`.
inline std::string describe(const WebSocketReader::Event& event) {
  using Kind = WebSocketReader::Event::Kind;
  const auto quoted = [](std::string_view text) { return std::string("\"").append(text).append("\""); };
  switch (event.kind) {
    case Kind::kNeedMore:
      return "need more";
    case Kind::kMessage:
      return (event.opcode == WsOpcode::kText ? "text " : "binary ") + quoted(event.payload);
    case Kind::kPing:
      return "ping " + quoted(event.payload);
    case Kind::kPong:
      return "pong " + quoted(event.payload);
    case Kind::kClose:
      return "close " + std::to_string(event.code) + " " + quoted(event.reason);
    case Kind::kFault:
      return "fault " + std::to_string(event.close_code);
  }
  return "?";
}

using Events = std::vector<std::string>;

/// A reader that is given its input in pieces and collects its events.
class Reading {
 public:
  explicit Reading(WebSocketReader::Limits limits = {}) : reader_(limits) {}

  void add(std::string_view piece) {
    using Kind = WebSocketReader::Event::Kind;
    for (;;) {
      std::size_t consumed = piece.size() + 1;
      const auto event = reader_.read(piece, consumed);
      ASSERT_LE(consumed, piece.size());
      if (event.kind == Kind::kNeedMore) {
        ASSERT_EQ(consumed, piece.size()) << "more is needed, but not all was consumed";
        return;
      }
      ASSERT_GT(consumed, 0u) << "an event out of nothing";
      if (event.kind == Kind::kFault) {
        EXPECT_FALSE(event.detail.empty());
        EXPECT_LE(event.detail.size(), 123u);
      }
      events_.push_back(describe(event));
      piece.remove_prefix(consumed);
    }
  }

  [[nodiscard]] const Events& events() const { return events_; }
  [[nodiscard]] WebSocketReader& reader() { return reader_; }

 private:
  WebSocketReader reader_;
  Events events_;
};

/// The events of `input`, handed over whole.
inline Events read_whole(std::string_view input, WebSocketReader::Limits limits = {}) {
  Reading reading(limits);
  reading.add(input);
  return reading.events();
}

/// The events of `input`, handed over in pieces of `size` bytes.
inline Events read_in_pieces(std::string_view input, std::size_t size, WebSocketReader::Limits limits = {}) {
  Reading reading(limits);
  for (; !input.empty(); input.remove_prefix(std::min(size, input.size()))) reading.add(input.substr(0, size));
  return reading.events();
}

/// Checks the events of `input` whole, byte by byte, and, unless it is long, cut in two at every place.
inline void expect_events(std::string_view input, const Events& expected, WebSocketReader::Limits limits = {}) {
  EXPECT_EQ(read_whole(input, limits), expected) << "whole";
  EXPECT_EQ(read_in_pieces(input, 1, limits), expected) << "byte by byte";
  EXPECT_EQ(read_in_pieces(input, 7, limits), expected) << "seven by seven";
  if (input.size() > 2'000) return;
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    Reading reading(limits);
    reading.add(input.substr(0, cut));
    reading.add(input.substr(cut));
    ASSERT_EQ(reading.events(), expected) << "cut at " << cut;
  }
}

/// One input and what it gives.
struct ReadingCase {
  std::string name;
  std::string input;
  Events expected;
};

inline void expect_cases(const std::vector<ReadingCase>& cases, WebSocketReader::Limits limits = {}) {
  for (const ReadingCase& c : cases) {
    SCOPED_TRACE(c.name);
    expect_events(c.input, c.expected, limits);
  }
}

}  // namespace tickpipe::internal::testing
