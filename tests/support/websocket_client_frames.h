#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "serve/websocket_frame.h"

namespace tickpipe::internal::testing {

/// A frame as a client sends it, or as none should: every bit is as given, whatever RFC 6455 says.
struct ClientFrame {
  WsOpcode opcode = WsOpcode::kText;
  std::string_view payload = {};
  bool fin = true;
  unsigned rsv = 0;  ///< 4: RSV1, 2: RSV2, 1: RSV3
  std::array<unsigned char, 4> mask_key = {0x37, 0xfa, 0x21, 0x3d};
  bool masked = true;
  int length_bytes = 0;  ///< 0: the shortest form; 1, 2 or 8: how many bytes hold the length
};

/// The bytes of `frame`.
inline std::string client_frame(const ClientFrame& frame) {
  const std::uint64_t size = frame.payload.size();
  const int length_bytes = frame.length_bytes != 0 ? frame.length_bytes : size < 126 ? 1 : size < 65'536 ? 2 : 8;
  const unsigned short_length = length_bytes == 1 ? static_cast<unsigned>(size) : length_bytes == 2 ? 126u : 127u;
  std::string out;
  out += static_cast<char>((frame.fin ? 0x80u : 0u) + frame.rsv * 0x10u + static_cast<unsigned>(frame.opcode));
  out += static_cast<char>((frame.masked ? 0x80u : 0u) + short_length);
  for (int i = length_bytes == 1 ? 0 : length_bytes; i > 0; --i) {
    out += static_cast<char>(size / (std::uint64_t{1} << (8 * (i - 1))) % 256);
  }
  if (frame.masked) {
    for (const unsigned char byte : frame.mask_key) out += static_cast<char>(byte);
  }
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    const auto byte = static_cast<unsigned char>(frame.payload[i]);
    out += static_cast<char>(frame.masked ? byte ^ frame.mask_key[i % 4] : byte);
  }
  return out;
}

inline std::string client_text(std::string_view text) { return client_frame({WsOpcode::kText, text}); }

inline std::string client_binary(std::string_view bytes) { return client_frame({WsOpcode::kBinary, bytes}); }

inline std::string client_ping(std::string_view payload = {}) { return client_frame({WsOpcode::kPing, payload}); }

inline std::string client_pong(std::string_view payload = {}) { return client_frame({WsOpcode::kPong, payload}); }

/// A close frame with a code and a reason; without both: `client_frame({WsOpcode::kClose})`.
inline std::string client_close(unsigned code, std::string_view reason = {}) {
  std::string payload;
  payload += static_cast<char>(code / 256);
  payload += static_cast<char>(code % 256);
  payload += reason;
  return client_frame({WsOpcode::kClose, payload});
}

}  // namespace tickpipe::internal::testing
