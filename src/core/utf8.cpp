#include "core/utf8.h"

#include <cstddef>
#include <cstring>

namespace tickpipe::internal {
namespace {

/// The bytes of `text` before the first that is not ASCII.
std::size_t ascii_prefix(std::string_view text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t at = 0;
  while (text.size() - at >= 16) {
    std::uint64_t words[2];
    std::memcpy(words, text.data() + at, sizeof words);
    if (((words[0] | words[1]) & kHighBits) != 0) break;
    at += sizeof words;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

bool Utf8Checker::add(std::string_view piece) noexcept {
  while (!piece.empty()) {
    if (left_ == 0) {
      piece.remove_prefix(ascii_prefix(piece));
      if (piece.empty()) return true;
      const auto lead = static_cast<unsigned char>(piece.front());
      if (lead < 0xC2 || lead > 0xF4) return false;
      left_ = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
      if (lead == 0xE0) least_ = 0xA0;  // below: overlong
      if (lead == 0xED) most_ = 0x9F;   // above: surrogates
      if (lead == 0xF0) least_ = 0x90;  // below: overlong
      if (lead == 0xF4) most_ = 0x8F;   // above: beyond U+10FFFF
    } else {
      const auto byte = static_cast<unsigned char>(piece.front());
      if (byte < least_ || byte > most_) return false;
      least_ = kLeast;
      most_ = kMost;
      --left_;
    }
    piece.remove_prefix(1);
  }
  return true;
}

bool is_valid_utf8(std::string_view text) noexcept {
  Utf8Checker checker;
  return checker.add(text) && checker.is_complete();
}

}  // namespace tickpipe::internal
