#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tickpipe::internal::load {

enum class Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct FrameHeader {
  Opcode opcode = Opcode::kText;
  bool is_final = true;
  bool is_compressed = false;
  std::uint64_t length = 0;

  [[nodiscard]] bool is_control() const noexcept { return static_cast<std::uint8_t>(opcode) >= 8; }
};

/// Appends a frame as a client sends it, masked.
inline void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask) {
  out += static_cast<char>(0x80U | static_cast<std::uint8_t>(opcode));
  const std::uint64_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(0x80U | size);
  } else {
    const int bytes = size < 65536 ? 2 : 8;
    out += static_cast<char>(bytes == 2 ? 0xFE : 0xFF);
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  }
  std::array<char, 4> key{};
  std::memcpy(key.data(), &mask, key.size());
  out.append(key.data(), key.size());
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
}

/// Takes a server's byte stream apart, header by header.
///
/// The sink has `bool wants(const FrameHeader&)`, called for every frame once its header is there, and
/// `void on_frame(const FrameHeader&, std::string_view payload)`, called for the wanted ones once complete. Unwanted
/// payloads are stepped over unseen; a wanted one is copied only when it ends in a later read.
class FrameReader {
 public:
  static constexpr std::uint64_t kMaxWanted = 16 << 20;

  /// False when the stream is not one of a server: a masked or reserved frame, or a wanted one beyond kMaxWanted.
  template <typename Sink>
  bool read(std::string_view bytes, Sink& sink) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at != end) {
      if (left_ > 0) {
        const std::uint64_t here = std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - at));
        if (is_wanted_) kept_.append(at, here);
        at += here;
        left_ -= here;
        if (left_ == 0 && is_wanted_) finish(sink, kept_);
        continue;
      }
      if (!take_header(at, end)) continue;
      if (!is_header_valid()) return false;
      is_wanted_ = sink.wants(header_);
      if (is_wanted_ && header_.length > kMaxWanted) return false;
      left_ = header_.length;
      if (is_wanted_ && left_ <= static_cast<std::uint64_t>(end - at)) {
        const std::string_view payload(at, left_);
        at += left_;
        left_ = 0;
        finish(sink, payload);
      }
    }
    return true;
  }

 private:
  static std::size_t header_size(std::uint8_t second) noexcept {
    const std::uint8_t length = second & 0x7FU;
    return length < 126 ? 2 : length == 126 ? 4 : 10;
  }

  /// True once a header is complete in header_; then `at` is behind it.
  bool take_header(const char*& at, const char* end) noexcept {
    const std::size_t available = static_cast<std::size_t>(end - at);
    if (head_size_ == 0 && available >= 2) {
      const std::size_t size = header_size(static_cast<std::uint8_t>(at[1]));
      if (available >= size) {
        decode(at);
        at += size;
        return true;
      }
    }
    head_[head_size_++] = *at++;
    if (head_size_ < 2 || head_size_ < header_size(static_cast<std::uint8_t>(head_[1]))) return false;
    decode(head_.data());
    head_size_ = 0;
    return true;
  }

  void decode(const char* bytes) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    header_.opcode = static_cast<Opcode>(byte(0) & 0x0FU);
    header_.is_final = (byte(0) & 0x80U) != 0;
    header_.is_compressed = (byte(0) & 0x40U) != 0;
    is_reserved_ = (byte(0) & 0x30U) != 0 || (byte(1) & 0x80U) != 0;
    header_.length = byte(1) & 0x7FU;
    const std::size_t size = header_size(byte(1));
    if (size == 2) return;
    header_.length = 0;
    for (std::size_t i = 2; i < size; ++i) header_.length = header_.length << 8 | byte(i);
  }

  [[nodiscard]] bool is_header_valid() const noexcept {
    const auto opcode = static_cast<std::uint8_t>(header_.opcode);
    return !is_reserved_ && (opcode <= 2 || (opcode >= 8 && opcode <= 10 && header_.length < 126 && header_.is_final));
  }

  template <typename Sink>
  void finish(Sink& sink, std::string_view payload) {
    sink.on_frame(header_, payload);
    kept_.clear();
    is_wanted_ = false;
  }

  std::array<char, 14> head_{};
  std::size_t head_size_ = 0;
  FrameHeader header_;
  bool is_reserved_ = false;
  bool is_wanted_ = false;
  std::uint64_t left_ = 0;
  std::string kept_;
};

}  // namespace tickpipe::internal::load
