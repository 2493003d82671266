#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ingest/line_reader.h"

namespace tickpipe::internal {

/// Splits the body of a request that posts quotes into the texts that JsonDecoder takes one by one.
///
/// Forms:    an array (its first character that is not white space is `[`): its elements. One object printed over
///           several lines (it starts with `{`, and nothing but white space follows the matching brace): that object.
///           Everything else: lines. One leading byte order mark is dropped.
/// Errors:   an array is checked as a whole (RFC 8259 grammar, UTF-8, nothing behind it) before its first element is
///           given; one that is not well-formed gives none. Lines and elements are judged by the decoder one by one,
///           and spoil only themselves: an element may well be a number, nested too deep or hold a lone surrogate.
/// Cost:     linear in the size of the body; an array is read twice. Memory: the body, and one bit for each level of
///           nesting while an array is checked. No recursion.
/// Threads:  not thread-safe.
class JsonBody {
 public:
  enum class Form : std::uint8_t { kLines, kObject, kArray };

  /// Takes a body and appends kJsonPadding bytes to it: reserve them to save a copy. A line or element of exactly
  /// `max_line_bytes` is still taken; line end, one CR before it and white space around an element do not count.
  JsonBody(std::string body, std::size_t max_line_bytes);

  [[nodiscard]] Form form() const noexcept { return form_; }

  /// False only for an array that is not well-formed.
  [[nodiscard]] bool well_formed() const noexcept { return *error_text_ == '\0'; }
  /// What is wrong, never text of the body; empty if well_formed().
  [[nodiscard]] std::string_view error_text() const noexcept { return error_text_; }
  /// Where, in bytes from the start of the body as it was given.
  [[nodiscard]] std::size_t error_offset() const noexcept { return error_offset_; }

  /// The next line that is not blank (blank: nothing but spaces and tabs), element or object; false at the end.
  /// `number` counts from 1: lines, blank ones too, or elements. kJsonPadding bytes behind the text are readable. The
  /// text is valid as long as this object lives where it is.
  bool next(Line& line) noexcept;

  /// How often next() would still be true.
  [[nodiscard]] std::uint64_t remaining() const noexcept;

 private:
  bool next_line(Line& line) noexcept;
  bool next_element(Line& line) noexcept;
  void give(std::string_view text, Line& line) const noexcept;

  std::string body_;  // with the padding: zeros, which end every scan
  std::size_t end_;   // of the body in it
  std::size_t max_line_bytes_;
  Form form_ = Form::kLines;
  const char* error_text_ = "";
  std::size_t error_offset_ = 0;
  std::size_t at_ = 0;            // what is not given yet starts here
  std::uint64_t number_ = 0;      // of what was given last
  std::uint64_t item_count_ = 0;  // of an array or object
};

}  // namespace tickpipe::internal
