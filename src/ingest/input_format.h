#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tickpipe::internal {

enum class InputFormat : std::uint8_t { kCsv, kJsonLines };

/// Decides how an input is read, by the first of these that tells: `choice`; a first line that starts with `{` (JSON);
/// the extension of `file_name`, in any case (`.jsonl`, `.ndjson`, `.json`, `.csv`); a first line that is a CSV record
/// with a known column name. Else JSON lines, so that each line of an input of no known form is refused by itself.
///
/// `first_line` is the first line that is not blank, as LineReader gives it; empty if there is none.
InputFormat decide_input_format(std::optional<InputFormat> choice, std::string_view file_name,
                                std::string_view first_line);

}  // namespace tickpipe::internal
