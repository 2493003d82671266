#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// Buffered standard output. Throws Error when it cannot be written, so that a full disk behind `>` is no success.
class Output {
 public:
  Output() { buffer_.reserve(kFlushAt + 4096); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= kFlushAt) flush();
  }
  /// Writes a line of each, `prefix` before it; of very many the first ones and how many more there are.
  void write_lines(const std::vector<std::string>& lines, std::string_view prefix = {});
  /// Must be called at the end; what is still buffered is lost otherwise.
  void flush();

 private:
  static constexpr std::size_t kFlushAt = 1 << 16;
  std::string buffer_;
};

/// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tickpipe::internal
