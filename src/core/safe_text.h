#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// Makes text from outside fit for a log line or an error message: printable ASCII stays, everything else (control
/// and direction-changing characters, every byte of invalid UTF-8, non-ASCII) becomes `\xNN`, and what is longer than
/// `max_chars` input bytes is cut and ends in `...`.
std::string safe_text(std::string_view text, std::size_t max_chars = 64);

}  // namespace tickpipe::internal
