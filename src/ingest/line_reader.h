#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// One line of an input.
struct Line {
  /// Without line end and one trailing CR; kJsonPadding bytes behind it are readable. Valid until the reader's next
  /// line. Empty if `too_long`.
  std::string_view text;
  std::uint64_t number = 0;  ///< from 1; blank lines have numbers too
  bool too_long = false;     ///< longer than the limit: skipped, its text is not kept
};

/// Splits what a file descriptor gives into lines. Drops one byte order mark at the start of the input, skips blank
/// lines (nothing but spaces and tabs, within the limit), and takes a last line without line end as a line.
///
/// Errors:   throws Error, naming the input, when a read fails; interrupted reads are repeated.
/// Waits:    for input only while no whole line is buffered, also on a non-blocking descriptor.
/// Memory:   one buffer of 256 KiB, or about twice the limit if that is more, however long a line is.
/// Threads:  not thread-safe.
class LineReader {
 public:
  static constexpr std::size_t kDefaultMaxLineBytes = 65536;

  /// Reads `fd` from where it stands; it stays the caller's to close, and must be open as long as lines are read.
  /// `name` stands for the input in messages. A line of exactly `max_line_bytes`, line end and CR not counted, is
  /// still taken.
  LineReader(int fd, std::string name, std::size_t max_line_bytes = kDefaultMaxLineBytes);

  /// Reads the next line that is not blank. Returns false at the end of the input.
  bool next(Line& line);

  /// Bytes of the input up to the end of the line that next() gave, all it skipped included.
  [[nodiscard]] std::uint64_t bytes_consumed() const noexcept { return bytes_consumed_; }

 private:
  bool take_line(std::string_view& content, bool& too_long);
  void drop_byte_order_mark();
  bool skip_to_line_end();
  bool fill();
  void consume(std::size_t bytes) noexcept;
  [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; }

  int fd_;
  std::string name_;
  std::size_t max_line_bytes_;
  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;  // capacity_ and the padding behind it
  std::size_t begin_ = 0;           // of what is read and not consumed
  std::size_t end_ = 0;
  std::uint64_t bytes_consumed_ = 0;
  std::uint64_t line_number_ = 0;
  bool at_start_ = true;
  bool at_end_ = false;
};

}  // namespace tickpipe::internal
