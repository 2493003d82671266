#include "serve/websocket_frame.h"

namespace tickpipe::internal {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = 8 * bytes; shift != 0;) {
    shift -= 8;
    out += static_cast<char>(value >> shift & 0xFF);
  }
}

/// The longest start of `text` that fits and ends between two characters.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) noexcept {
  if (text.size() <= max_bytes) return text;
  while (max_bytes != 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

}  // namespace

void append_frame_header(std::string& out, WsOpcode opcode, std::size_t payload_bytes, bool is_compressed) {
  out += static_cast<char>(kFin | (is_compressed ? kRsv1 : 0u) | static_cast<unsigned>(opcode));
  if (payload_bytes <= 125) {
    out += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= 0xFFFF) {
    out += static_cast<char>(126);
    append_big_endian(out, payload_bytes, 2);
  } else {
    out += static_cast<char>(127);
    append_big_endian(out, payload_bytes, 8);
  }
}

void append_frame(std::string& out, WsOpcode opcode, std::string_view payload, bool is_compressed) {
  append_frame_header(out, opcode, payload.size(), is_compressed);
  out += payload;
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == kNoCloseCode) return append_frame_header(out, WsOpcode::kClose, 0);
  reason = cut_utf8(reason, kMaxControlPayloadBytes - 2);
  append_frame_header(out, WsOpcode::kClose, 2 + reason.size());
  append_big_endian(out, code, 2);
  out += reason;
}

}  // namespace tickpipe::internal
