// Property of the WebSocket reader: how a client's bytes are cut makes no difference to what is read, and what is read
// keeps the promises of serve/websocket_reader.h. A violation ends the run.
//
// Input: one byte of settings (bit 0: permessage-deflate; bits 1 to 3: the limit), one byte that seeds the cuts, then
// the bytes of the client.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/utf8.h"
#include "fuzz/fuzzing.h"
#include "serve/websocket_reader.h"

namespace {

using tickpipe::internal::WebSocketReader;
using tickpipe::internal::WsOpcode;
using Event = WebSocketReader::Event;
using Kind = Event::Kind;

constexpr std::size_t kLimits[] = {65'536, 0, 1, 10, 125, 126, 1'000, 1'000'000};

void demand(bool holds) { tickpipe::internal::fuzzing::require(holds, "reading in pieces, or what an event promises"); }

/// An event that owns its texts.
struct Seen {
  Kind kind = Kind::kNeedMore;
  WsOpcode opcode = WsOpcode::kText;
  unsigned code = 0;
  std::string text;

  bool operator==(const Seen&) const = default;
};

Seen checked(const Event& event, std::size_t limit) {
  switch (event.kind) {
    case Kind::kNeedMore:
      break;
    case Kind::kMessage:
      demand(event.payload.size() <= limit);
      demand(event.opcode == WsOpcode::kText || event.opcode == WsOpcode::kBinary);
      demand(event.opcode == WsOpcode::kBinary || tickpipe::internal::is_valid_utf8(event.payload));
      return {event.kind, event.opcode, 0, std::string(event.payload)};
    case Kind::kPing:
    case Kind::kPong:
      demand(event.payload.size() <= tickpipe::internal::kMaxControlPayloadBytes);
      return {event.kind, event.opcode, 0, std::string(event.payload)};
    case Kind::kClose:
      demand(event.code >= 1000 && event.code <= 4999);
      demand(event.reason.size() <= tickpipe::internal::kMaxControlPayloadBytes - 2 &&
             tickpipe::internal::is_valid_utf8(event.reason));
      return {event.kind, event.opcode, event.code, std::string(event.reason)};
    case Kind::kFault:
      demand(event.close_code == 1002 || event.close_code == 1007 || event.close_code == 1009);
      demand(!event.detail.empty() && event.detail.size() <= 123);
      return {event.kind, event.opcode, event.close_code, std::string(event.detail)};
  }
  std::abort();
}

/// Reads all of `piece`.
void read_piece(WebSocketReader& reader, std::string_view piece, std::size_t limit, std::vector<Seen>& seen) {
  for (;;) {
    std::size_t consumed = 0;
    const Event event = reader.read(piece, consumed);
    demand(consumed <= piece.size());
    if (event.kind == Kind::kNeedMore) return demand(consumed == piece.size());
    demand(consumed != 0);
    demand(seen.empty() || (seen.back().kind != Kind::kClose && seen.back().kind != Kind::kFault));
    seen.push_back(checked(event, limit));
    piece.remove_prefix(consumed);
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
void tickpipe::internal::fuzzing::check(Input input) {
  const unsigned settings = input.byte();
  const WebSocketReader::Limits limits{kLimits[settings >> 1 & 7], (settings & 1) != 0};
  std::uint32_t random = input.byte();
  const std::string_view bytes = input.rest();

  std::vector<Seen> whole;
  WebSocketReader reader(limits);
  read_piece(reader, bytes, limits.max_message_bytes, whole);

  std::vector<Seen> single;
  WebSocketReader byte_reader(limits);
  for (const char& byte : bytes) read_piece(byte_reader, {&byte, 1}, limits.max_message_bytes, single);
  demand(single == whole);

  std::vector<Seen> cut;
  WebSocketReader cut_reader(limits);
  for (std::string_view rest = bytes; !rest.empty();) {
    random = random * 1'664'525 + 1'013'904'223;
    const std::string_view piece = rest.substr(0, (random >> 16) % 24);
    read_piece(cut_reader, piece, limits.max_message_bytes, cut);
    if ((random >> 30) == 0) cut_reader.release();
    rest.remove_prefix(piece.size());
  }
  demand(cut == whole);
}
