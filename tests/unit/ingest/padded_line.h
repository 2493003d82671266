#pragma once

#include <string_view>
#include <vector>

#include "model/raw_quote.h"

namespace tickpipe::internal {

/// A copy of a line with just the readable bytes behind it that the JSON decoder asks for, all of them `tail`; a
/// sanitizer build finds every byte read beyond.
class PaddedLine {
 public:
  explicit PaddedLine(std::string_view line, char tail = '}') : bytes_(line.begin(), line.end()), size_(line.size()) {
    bytes_.resize(size_ + kJsonPadding, tail);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::vector<char> bytes_;
  std::size_t size_;
};

}  // namespace tickpipe::internal
