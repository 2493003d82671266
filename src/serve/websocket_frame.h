#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// What a frame is (RFC 6455, 5.2). From kClose on it is a control frame.
enum class WsOpcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

/// The longest header of a server: two bytes and a length of eight.
inline constexpr std::size_t kMaxServerHeaderBytes = 10;

/// The most that a control frame may carry (RFC 6455, 5.5).
inline constexpr std::size_t kMaxControlPayloadBytes = 125;

/// Stands for a close frame without a code (RFC 6455, 7.4.1); it is never sent.
inline constexpr std::uint16_t kNoCloseCode = 1005;

// What a server sends: whole messages in one frame each, unmasked. The functions hold no state and may be called from
// any thread; they allocate only what `out` needs to grow.

/// Appends the header of a final frame; `payload_bytes` of payload have to follow it. `is_compressed`: the payload is
/// what deflate_message() made, and the connection agreed on permessage-deflate (RFC 7692, 6); never for control
/// frames.
void append_frame_header(std::string& out, WsOpcode opcode, std::size_t payload_bytes, bool is_compressed = false);

/// Appends a whole frame. The payload of a control frame is at most kMaxControlPayloadBytes.
void append_frame(std::string& out, WsOpcode opcode, std::string_view payload, bool is_compressed = false);

/// Appends a close frame (RFC 6455, 5.5.1). `reason` is UTF-8; of a longer one the first 123 bytes are sent, less a
/// character that would be cut in two. With kNoCloseCode the frame is empty, as the answer to one that was empty.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace tickpipe::internal
