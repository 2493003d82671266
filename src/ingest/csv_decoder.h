#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ingest/quote_fields.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {

/// Decodes the rows of a CSV input (RFC 4180, no line breaks in fields) whose header it has read.
///
/// Fields:   an empty field, quoted or not, is absent. Spaces belong to the field. What ignored columns hold is of no
///           account, but their quotes must be right.
/// Threads:  not thread-safe.
/// Cost:     O(length of the line); allocates only for the longest line yet that has a doubled quote.
class CsvDecoder {
 public:
  /// Reads a header: the names of QuoteField in any order among columns that are ignored. Throws ConfigError if it is
  /// not CSV, if symbol, bid, ask, or (with `timestamp_required`) every timestamp is missing, or if two columns have
  /// one meaning: a name twice, `lp` beside `source`, two timestamps.
  static CsvDecoder from_header(std::string_view line, bool timestamp_required);

  /// Decodes a row, given without its line end. `out` is complete if the result is ok, else unspecified, and refers to
  /// nothing of `line`. Throws std::bad_alloc.
  DecodeResult decode(std::string_view line, RawQuote& out);

 private:
  explicit CsvDecoder(bool timestamp_required) : timestamp_required_(timestamp_required) {}

  std::vector<std::optional<QuoteField>> columns_;
  QuoteFields fields_;
  std::vector<char> unquoted_;
  bool timestamp_required_;
};

/// Whether `line` is a CSV record in which some field is the name of a QuoteField.
bool looks_like_csv_header(std::string_view line);

}  // namespace tickpipe::internal
