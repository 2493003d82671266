#include "ingest/input_format.h"

#include <algorithm>

#include "ingest/csv_decoder.h"

namespace tickpipe::internal {
namespace {

/// `extension` in lower case, with its point.
bool ends_with_extension(std::string_view file_name, std::string_view extension) noexcept {
  if (file_name.size() < extension.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(extension.begin(), extension.end(), file_name.end() - static_cast<std::ptrdiff_t>(extension.size()),
                    [lower](char expected, char c) { return expected == lower(c); });
}

}  // namespace

InputFormat decide_input_format(std::optional<InputFormat> choice, std::string_view file_name,
                                std::string_view first_line) {
  if (choice) return *choice;
  const auto first = first_line.find_first_not_of(" \t");
  if (first != std::string_view::npos && first_line[first] == '{') return InputFormat::kJsonLines;
  for (const std::string_view extension : {".jsonl", ".ndjson", ".json"}) {
    if (ends_with_extension(file_name, extension)) return InputFormat::kJsonLines;
  }
  if (ends_with_extension(file_name, ".csv") || looks_like_csv_header(first_line)) return InputFormat::kCsv;
  return InputFormat::kJsonLines;
}

}  // namespace tickpipe::internal
