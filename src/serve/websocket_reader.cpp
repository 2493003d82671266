#include "serve/websocket_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "serve/websocket_deflate.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kBadData = 1007;
constexpr std::uint16_t kTooBig = 1009;

constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv2And3 = 0x30;
constexpr unsigned kMask = 0x80;
constexpr unsigned kLengthBits = 0x7F;
constexpr std::size_t kMaskKeyBytes = 4;

constexpr std::string_view kTooBigDetail = "the message is too big";
constexpr std::string_view kBadTextDetail = "the text is not valid UTF-8";

/// Bytes of the length behind the first two bytes of a header.
std::size_t extended_bytes(unsigned second_byte) noexcept {
  const unsigned length = second_byte & kLengthBits;
  return length == 127 ? 8 : length == 126 ? 2 : 0;
}

/// Close codes a client may send: those of RFC 6455, 7.4.1 and 1011 of the registry; 3000 on are for libraries, 4000 on
/// for applications.
bool is_close_code(unsigned code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) || (code >= 3000 && code <= 4999);
}

/// XORs with the key (RFC 6455, 5.3), of which byte `phase` is the first, eight bytes at a time.
void unmask(char* data, std::size_t size, const unsigned char* key, unsigned phase) noexcept {
  std::array<unsigned char, 8> pattern{};
  for (unsigned i = 0; i < pattern.size(); ++i) pattern[i] = key[(phase + i) % kMaskKeyBytes];
  std::uint64_t mask = 0;
  std::memcpy(&mask, pattern.data(), sizeof mask);
  for (; size >= sizeof mask; data += sizeof mask, size -= sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    word ^= mask;
    std::memcpy(data, &word, sizeof word);
  }
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(static_cast<unsigned char>(data[i]) ^ pattern[i]);
}

}  // namespace

WebSocketReader::Event WebSocketReader::read(std::string_view input, std::size_t& consumed) {
  release();
  std::string_view rest = input;
  Event event;
  while (event.kind == Event::Kind::kNeedMore && !rest.empty()) {
    if (is_over_) {
      rest = {};
      break;
    }
    if (!is_in_payload_) event = take_header(rest);
    if (is_in_payload_) event = take_payload(rest);
  }
  consumed = input.size() - rest.size();
  return event;
}

void WebSocketReader::release() noexcept {
  if (has_message_event_) std::string().swap(message_);
  has_message_event_ = false;
  // What has arrived of a control frame is kept.
  if (!is_in_payload_ || !is_control_frame()) std::string().swap(control_);
}

WebSocketReader::Event WebSocketReader::take_header(std::string_view& rest) {
  while (!rest.empty()) {
    header_[header_bytes_++] = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    if (const Event event = check_header(); event.kind == Event::Kind::kFault) return event;
    if (header_bytes_ >= 2 && header_bytes_ == header_size()) {
      is_in_payload_ = true;
      mask_phase_ = 0;
      break;
    }
  }
  return {};
}

WebSocketReader::Event WebSocketReader::check_header() {
  if (header_bytes_ == 1) return check_first_byte();
  const std::size_t extended = extended_bytes(header_[1]);
  if (header_bytes_ == 2) {
    if ((header_[1] & kMask) == 0) return fault(kProtocolError, "a client's frame has to be masked");
    const unsigned length = header_[1] & kLengthBits;
    if (is_control_frame() && length > kMaxControlPayloadBytes) {
      return fault(kProtocolError, "a control frame carries at most 125 bytes");
    }
    return extended == 0 ? check_length(length) : Event{};
  }
  if (extended == 0 || header_bytes_ != 2 + extended) return {};
  std::uint64_t length = 0;
  for (std::size_t i = 2; i < 2 + extended; ++i) length = length << 8 | header_[i];
  if (length >> 63 != 0) return fault(kProtocolError, "the length of the frame is negative");
  if (length <= (extended == 2 ? 125u : 0xFFFFu)) {
    return fault(kProtocolError, "the length of the frame is not in its shortest form");
  }
  return check_length(length);
}

WebSocketReader::Event WebSocketReader::check_first_byte() {
  const unsigned first = header_[0];
  const WsOpcode opcode = frame_opcode();
  if ((first & kRsv2And3) != 0) return fault(kProtocolError, "a reserved bit is set");
  switch (opcode) {
    case WsOpcode::kClose:
    case WsOpcode::kPing:
    case WsOpcode::kPong:
      if (!is_final_frame()) return fault(kProtocolError, "a control frame must not be fragmented");
      break;
    case WsOpcode::kContinuation:
      if (!is_fragmented_) return fault(kProtocolError, "there is no message to continue");
      break;
    case WsOpcode::kText:
    case WsOpcode::kBinary:
      if (is_fragmented_) return fault(kProtocolError, "the message before is not complete");
      message_opcode_ = opcode;
      is_compressed_ = limits_.allow_deflate && (first & kRsv1) != 0;
      if (is_compressed_) return {};
      break;
    default:
      return fault(kProtocolError, "the opcode is not known");
  }
  if ((first & kRsv1) != 0) return fault(kProtocolError, "a reserved bit is set");
  return {};
}

WebSocketReader::Event WebSocketReader::check_length(std::uint64_t length) {
  payload_left_ = length;
  if (is_control_frame()) return {};
  const std::size_t max = limits_.max_message_bytes;
  if (length > max || message_.size() > max - length) return fault(kTooBig, kTooBigDetail);
  return {};
}

WebSocketReader::Event WebSocketReader::take_payload(std::string_view& rest) {
  std::string& target = is_control_frame() ? control_ : message_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), payload_left_));
  const std::size_t start = target.size();
  target.append(rest.data(), size);
  rest.remove_prefix(size);
  payload_left_ -= size;
  unmask(target.data() + start, size, &header_[header_size() - kMaskKeyBytes], mask_phase_);
  mask_phase_ = static_cast<std::uint8_t>((mask_phase_ + size) % kMaskKeyBytes);
  // Text is judged as it arrives, so that a long message is not awaited in vain.
  const bool is_plain_text = !is_control_frame() && message_opcode_ == WsOpcode::kText && !is_compressed_;
  if (is_plain_text && !utf8_.add(std::string_view(target).substr(start))) return fault(kBadData, kBadTextDetail);
  return payload_left_ == 0 ? end_frame() : Event{};
}

WebSocketReader::Event WebSocketReader::end_frame() {
  is_in_payload_ = false;
  header_bytes_ = 0;
  Event event;
  switch (frame_opcode()) {
    case WsOpcode::kClose:
      return end_close_frame();
    case WsOpcode::kPing:
    case WsOpcode::kPong:
      event.kind = frame_opcode() == WsOpcode::kPing ? Event::Kind::kPing : Event::Kind::kPong;
      event.opcode = frame_opcode();
      event.payload = control_;
      return event;
    default:
      is_fragmented_ = !is_final_frame();
      return is_fragmented_ ? event : end_message();
  }
}

WebSocketReader::Event WebSocketReader::end_message() {
  if (is_compressed_) {
    std::string inflated;
    bool is_too_large = false;
    if (!inflate_message(message_, limits_.max_message_bytes, inflated, is_too_large)) {
      return is_too_large ? fault(kTooBig, kTooBigDetail) : fault(kBadData, "the message is not valid deflate data");
    }
    message_ = std::move(inflated);
    if (message_opcode_ == WsOpcode::kText && !is_valid_utf8(message_)) return fault(kBadData, kBadTextDetail);
  } else if (!utf8_.is_complete()) {
    return fault(kBadData, kBadTextDetail);
  }
  has_message_event_ = true;
  Event event;
  event.kind = Event::Kind::kMessage;
  event.opcode = message_opcode_;
  event.payload = message_;
  return event;
}

WebSocketReader::Event WebSocketReader::end_close_frame() {
  Event event;
  event.kind = Event::Kind::kClose;
  event.opcode = WsOpcode::kClose;
  event.code = kNoCloseCode;
  if (control_.size() == 1) return fault(kProtocolError, "half a close code");
  if (!control_.empty()) {
    event.code = static_cast<std::uint16_t>(static_cast<unsigned char>(control_[0]) << 8 |
                                            static_cast<unsigned char>(control_[1]));
    event.reason = std::string_view(control_).substr(2);
    if (!is_close_code(event.code)) return fault(kProtocolError, "the close code is not one to be sent");
    if (!is_valid_utf8(event.reason)) return fault(kBadData, "the reason of the close frame is not valid UTF-8");
  }
  is_over_ = true;
  is_fragmented_ = false;
  std::string().swap(message_);
  return event;
}

WebSocketReader::Event WebSocketReader::fault(std::uint16_t close_code, std::string_view detail) noexcept {
  is_over_ = true;
  is_in_payload_ = false;
  is_fragmented_ = false;
  header_bytes_ = 0;
  std::string().swap(message_);
  std::string().swap(control_);
  Event event;
  event.kind = Event::Kind::kFault;
  event.close_code = close_code;
  event.detail = detail;
  return event;
}

std::size_t WebSocketReader::header_size() const noexcept { return 2 + extended_bytes(header_[1]) + kMaskKeyBytes; }

}  // namespace tickpipe::internal
