#include "core/safe_text.h"

namespace tickpipe::internal {

std::string safe_text(std::string_view text, std::size_t max_chars) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool cut = text.size() > max_chars;
  std::string out;
  for (const char c : text.substr(0, max_chars)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    }
  }
  if (cut) out += "...";
  return out;
}

}  // namespace tickpipe::internal
