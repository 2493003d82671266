#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ingest/csv_decoder.h"
#include "ingest/input_format.h"
#include "ingest/json_decoder.h"
#include "ingest/line_reader.h"
#include "model/feed.h"

namespace tickpipe::internal {

/// A file of historical quotes, or standard input for `-`: CSV with a header or JSON lines, decoded line by line.
/// Quotes need a timestamp. Threads: not thread-safe.
class QuoteFile final : public RawQuoteReader {
 public:
  struct Options {
    std::optional<InputFormat> format;  ///< nothing: decide_input_format() tells
    std::size_t max_line_bytes = LineReader::kDefaultMaxLineBytes;
    /// Refuses what may keep a reader waiting: standard input, pipes and devices.
    bool only_regular = false;
  };

  /// Opens the file and reads its first line. Throws Error when it cannot be opened or read, ConfigError for a CSV
  /// header that cannot be used; both name the file.
  QuoteFile(const std::string& path, const Options& options);

  /// A line that was too long is a fault of kLineTooLong; it never became a quote.
  Item next(RawQuote& quote, Reason& fault) override;

  [[nodiscard]] const std::string& name() const noexcept { return file_.name; }
  [[nodiscard]] std::uint64_t size() const noexcept { return file_.size; }  ///< in bytes; 0 = not known
  /// Whether it has no line at all, not even a header.
  [[nodiscard]] bool is_empty() const noexcept { return is_empty_; }
  [[nodiscard]] std::uint64_t line_number() const noexcept { return line_.number; }
  [[nodiscard]] std::uint64_t bytes_consumed() const noexcept { return lines_.bytes_consumed(); }

 private:
  struct File {
    File(const std::string& path, bool only_regular);
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string name;
    int fd = 0;  ///< standard input
    std::uint64_t size = 0;
  };

  File file_;
  LineReader lines_;
  Line line_;
  bool has_line_ = false;  ///< line_ was read and not yet given
  bool is_empty_ = false;
  std::optional<CsvDecoder> csv_;
  JsonDecoder json_;
};

}  // namespace tickpipe::internal
