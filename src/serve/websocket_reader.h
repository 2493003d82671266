#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/utf8.h"
#include "serve/websocket_frame.h"

namespace tickpipe::internal {

/// Takes a client's bytes apart: masked frames, fragments put together, control frames between fragments, text checked
/// (RFC 6455, 5 to 8), compressed messages inflated (RFC 7692, 6.2).
///
/// Place:    connection -> [reader] -> session. Holds no socket and no clock: the same bytes, however they were cut,
///           give the same events.
/// Memory:   120 bytes. On the heap only what has arrived of a message under way, and the message of the last event
///           until the next read() or release(). zlib's state lives while a message is inflated.
/// Threads:  not thread-safe; owned by its connection.
/// Cost:     one copy of each payload; one allocation per message that arrives in one piece.
class WebSocketReader {
 public:
  struct Limits {
    /// Of a data frame and of a message, each as sent and after inflation. A frame is judged by its header.
    std::size_t max_message_bytes = 65'536;
    /// Whether permessage-deflate was agreed on, so that RSV1 means a compressed message.
    bool allow_deflate = false;
  };

  struct Event {
    enum class Kind : std::uint8_t {
      kNeedMore,  ///< all of the input is consumed and nothing is complete
      kMessage,   ///< `opcode` (kText or kBinary) and `payload`; text is valid UTF-8
      kPing,      ///< `payload`, to be sent back in a pong
      kPong,      ///< `payload`
      kClose,     ///< `code`, kNoCloseCode when the frame had none, and `reason`
      kFault,     ///< the connection has to be closed with `close_code`; `detail` says why
    };
    Kind kind = Kind::kNeedMore;
    WsOpcode opcode = WsOpcode::kText;
    std::uint16_t code = 0;
    /// 1002 protocol error, 1007 text that is not UTF-8 or data that does not inflate, 1009 beyond max_message_bytes.
    std::uint16_t close_code = 0;
    std::string_view payload;
    std::string_view reason;
    std::string_view detail;  ///< static text in plain ASCII, at most 123 bytes
  };

  explicit WebSocketReader(Limits limits) : limits_(limits) {}

  /// Reads up to one event; `consumed` of the bytes of `input` are done with, all of them if more are needed. The views
  /// of the event are valid until the next call of a member function. After kClose and after kFault, which come once,
  /// everything is consumed and ignored (RFC 6455, 1.4 and 7.1.7).
  ///
  /// Throws std::bad_alloc only.
  [[nodiscard]] Event read(std::string_view input, std::size_t& consumed);

  /// Gives back the memory of the last event, as the next read() would; for a connection whose input is used up.
  void release() noexcept;

 private:
  Event take_header(std::string_view& rest);
  Event take_payload(std::string_view& rest);
  /// Looks at what the last byte of the header has completed; kFault or kNeedMore.
  Event check_header();
  Event check_first_byte();
  Event check_length(std::uint64_t length);
  Event end_frame();
  Event end_message();
  Event end_close_frame();
  Event fault(std::uint16_t close_code, std::string_view detail) noexcept;

  [[nodiscard]] std::size_t header_size() const noexcept;
  [[nodiscard]] WsOpcode frame_opcode() const noexcept { return static_cast<WsOpcode>(header_[0] & 0x0F); }
  [[nodiscard]] bool is_control_frame() const noexcept { return (header_[0] & 0x08) != 0; }
  [[nodiscard]] bool is_final_frame() const noexcept { return (header_[0] & 0x80) != 0; }

  Limits limits_;
  std::string message_;  ///< unmasked, not inflated, until the message is complete
  std::string control_;  ///< of a control frame, which may stand between the fragments of the message
  std::uint64_t payload_left_ = 0;
  std::array<unsigned char, 14> header_{};
  std::uint8_t header_bytes_ = 0;  ///< how much of header_ has arrived
  std::uint8_t mask_phase_ = 0;    ///< which byte of the key is next
  Utf8Checker utf8_;
  WsOpcode message_opcode_ = WsOpcode::kText;
  bool is_compressed_ = false;
  bool is_fragmented_ = false;  ///< a message has begun and awaits its next frame
  bool is_in_payload_ = false;
  bool is_over_ = false;            ///< after a close frame or a fault
  bool has_message_event_ = false;  ///< message_ belongs to the last event
};

static_assert(sizeof(WebSocketReader) <= 128, "there is one for each connection");

}  // namespace tickpipe::internal
