#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// Appends MessagePack to a text: https://github.com/msgpack/msgpack/blob/master/spec.md. Checks no structure: who
/// opens a map of n members writes n keys and n values. Threads: none of its own.
class MsgpackWriter {
 public:
  explicit MsgpackWriter(std::string& out) : out_(out) {}

  /// Up to 15 members.
  void small_map(std::size_t members) { byte(0x80U | static_cast<unsigned>(members)); }
  void text(std::string_view value) {
    if (value.size() < 32) {
      byte(0xA0U | static_cast<unsigned>(value.size()));
    } else if (value.size() < 256) {
      byte(0xD9);
      byte(static_cast<unsigned>(value.size()));
    } else {
      byte(0xDB);
      big_endian(value.size(), 4);
    }
    out_.append(value);
  }
  /// Up to 15 elements.
  void small_array(std::size_t elements) { byte(0x90U | static_cast<unsigned>(elements)); }
  /// A text as MessagePack already.
  void raw(std::string_view bytes) { out_.append(bytes); }
  void number(std::uint64_t value) {
    if (value < 0x80) {
      byte(static_cast<unsigned>(value));
    } else if (value <= 0xFF) {
      byte(0xCC);
      big_endian(value, 1);
    } else if (value <= 0xFFFF) {
      byte(0xCD);
      big_endian(value, 2);
    } else if (value <= 0xFFFF'FFFF) {
      byte(0xCE);
      big_endian(value, 4);
    } else {
      byte(0xCF);
      big_endian(value, 8);
    }
  }
  /// The nearest float64.
  void real(double value) {
    byte(0xCB);
    big_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  void boolean(bool value) { byte(value ? 0xC3 : 0xC2); }

 private:
  void byte(unsigned value) { out_.push_back(static_cast<char>(value)); }
  void big_endian(std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) byte(static_cast<unsigned>(value >> shift) & 0xFFU);
  }

  std::string& out_;
};

}  // namespace tickpipe::internal
