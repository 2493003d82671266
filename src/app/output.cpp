#include "app/output.h"

#include <unistd.h>
#include <algorithm>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace tickpipe::internal {

void Output::write_lines(const std::vector<std::string>& lines, std::string_view prefix) {
  constexpr std::size_t kMaxLines = 1000;
  for (std::size_t i = 0; i < std::min(lines.size(), kMaxLines); ++i) {
    write(prefix);
    write(lines[i]);
    write("\n");
  }
  if (lines.size() > kMaxLines) {
    write(prefix);
    write("and " + std::to_string(lines.size() - kMaxLines) + " more\n");
  }
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(std::string("cannot write to standard output: ") + std::strerror(errno));
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  buffer_.clear();
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace tickpipe::internal
