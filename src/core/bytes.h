#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/int128.h"

namespace tickpipe::internal {

/// Maps small magnitudes of either sign to small unsigned numbers: 0 -1 1 -2 2 ... -> 0 1 2 3 4 ...
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}
/// a - b and a + b modulo 2^64, so that differences of any two values can be stored.
constexpr std::int64_t wrapping_sub(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
constexpr std::int64_t wrapping_add(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

/// Longest LEB128 encoding of 64 bits.
inline constexpr std::size_t kMaxVarintBytes = 10;

/// Writes LEB128 to `out`, which has room for kMaxVarintBytes; returns the end.
inline char* put_varint(char* out, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

/// Appends binary fields to a string. Varints are LEB128; fixed-width integers are big-endian, so that unsigned ones
/// sort as bytes.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) noexcept : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(std::uint16_t value) { fixed(value, 2); }
  void u32(std::uint32_t value) { fixed(value, 4); }
  void u64(std::uint64_t value) { fixed(value, 8); }
  /// Biased, so that negative numbers sort before positive ones.
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63)); }
  void varint(std::uint64_t value) {
    char buffer[kMaxVarintBytes];
    out_.append(buffer, static_cast<std::size_t>(put_varint(buffer, value) - buffer));
  }
  void signed_varint(std::int64_t value) { varint(zigzag(value)); }
  void int128(Int128 value) {
    u64(static_cast<std::uint64_t>(static_cast<UInt128>(value) >> 64));
    u64(static_cast<std::uint64_t>(static_cast<UInt128>(value)));
  }

 private:
  void fixed(std::uint64_t value, int bytes) {
    char buffer[8];
    for (int i = 0; i < bytes; ++i) buffer[i] = static_cast<char>(value >> ((bytes - 1 - i) * 8));
    out_.append(buffer, static_cast<std::size_t>(bytes));
  }
  std::string& out_;
};

/// Reads what ByteWriter wrote. Never reads past the end: after the first failed read ok() is false and every read
/// yields 0, so a caller checks once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) noexcept : p_(bytes.data()), end_(p_ + bytes.size()) {}

  std::uint8_t u8() noexcept { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u32() noexcept { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() noexcept { return fixed(8); }
  std::int64_t i64() noexcept { return static_cast<std::int64_t>(u64() ^ (std::uint64_t{1} << 63)); }
  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (p_ == end_) break;
      const auto byte = static_cast<unsigned char>(*p_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::int64_t signed_varint() noexcept { return unzigzag(varint()); }
  Int128 int128() noexcept {
    const auto high = static_cast<UInt128>(u64());
    return static_cast<Int128>((high << 64) | u64());
  }

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return p_ == end_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - p_); }

  /// Makes ok() false, as bytes that are there but cannot be meant.
  void fail() noexcept {
    ok_ = false;
    p_ = end_;
  }

 private:
  std::uint64_t fixed(std::size_t bytes) noexcept {
    if (remaining() < bytes) {
      fail();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = (value << 8) | static_cast<unsigned char>(*p_++);
    return value;
  }
  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace tickpipe::internal
