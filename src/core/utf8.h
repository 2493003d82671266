#pragma once

#include <cstdint>
#include <string_view>

namespace tickpipe::internal {

/// Checks UTF-8 (RFC 3629) that arrives in pieces, whatever the places where it was cut. Overlong forms, surrogates and
/// what is beyond U+10FFFF are not UTF-8.
///
/// Threads:  not thread-safe; owned by whoever reads the stream.
/// Cost:     three bytes of state; runs of ASCII go sixteen bytes at a time.
class Utf8Checker {
 public:
  /// Takes the next piece. False: no continuation can make the text valid; reset() before the next text.
  [[nodiscard]] bool add(std::string_view piece) noexcept;

  /// Whether the text may end here: no character is cut in two.
  [[nodiscard]] bool is_complete() const noexcept { return left_ == 0; }

  void reset() noexcept { *this = {}; }

 private:
  static constexpr std::uint8_t kLeast = 0x80;
  static constexpr std::uint8_t kMost = 0xBF;

  std::uint8_t left_ = 0;        ///< bytes that the character under way still wants
  std::uint8_t least_ = kLeast;  ///< bounds of the next of them
  std::uint8_t most_ = kMost;
};

/// Whether `text` is UTF-8 from end to end. Empty text is.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace tickpipe::internal
