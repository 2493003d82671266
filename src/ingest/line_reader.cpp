#include "ingest/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kChunkBytes = 1 << 18;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(std::string_view line) noexcept { return line.find_first_not_of(" \t") == std::string_view::npos; }

}  // namespace

// Twice the longest line with CR and LF, so that each move of a partial line to the front frees at least half of the
// buffer: moving then costs no more than reading does.
LineReader::LineReader(int fd, std::string name, std::size_t max_line_bytes)
    : fd_(fd),
      name_(std::move(name)),
      max_line_bytes_(max_line_bytes),
      capacity_(std::max(kChunkBytes, 2 * (max_line_bytes + 2))),
      buffer_(new char[capacity_ + kJsonPadding]()) {}

bool LineReader::next(Line& line) {
  if (at_start_) drop_byte_order_mark();
  while (take_line(line.text, line.too_long)) {
    ++line_number_;
    if (!line.too_long && is_blank(line.text)) continue;
    line.number = line_number_;
    return true;
  }
  return false;
}

void LineReader::drop_byte_order_mark() {
  at_start_ = false;
  const auto starts_like_mark = [this] {
    return std::string_view(buffer_.get() + begin_, buffered()) == kByteOrderMark.substr(0, buffered());
  };
  while (buffered() < kByteOrderMark.size() && starts_like_mark() && fill()) {
  }
  if (std::string_view(buffer_.get() + begin_, buffered()).starts_with(kByteOrderMark)) consume(kByteOrderMark.size());
}

bool LineReader::take_line(std::string_view& content, bool& too_long) {
  content = {};
  too_long = false;
  std::size_t searched = 0;
  const char* line_end = nullptr;
  while (true) {
    const char* const from = buffer_.get() + begin_ + searched;
    line_end = static_cast<const char*>(std::memchr(from, '\n', buffered() - searched));
    if (line_end != nullptr) break;
    searched = buffered();
    // One byte more than the limit may still be the CR.
    if (searched > max_line_bytes_ + 1) {
      too_long = true;
      return skip_to_line_end();
    }
    if (!fill()) break;
  }
  if (line_end == nullptr && buffered() == 0) return false;

  const std::size_t line_bytes =
      line_end == nullptr ? buffered() : static_cast<std::size_t>(line_end - (buffer_.get() + begin_));
  content = {buffer_.get() + begin_, line_bytes};
  if (content.ends_with('\r')) content.remove_suffix(1);
  if (content.size() > max_line_bytes_) {
    content = {};
    too_long = true;
  }
  consume(line_end == nullptr ? line_bytes : line_bytes + 1);
  return true;
}

bool LineReader::skip_to_line_end() {
  while (true) {
    const char* const start = buffer_.get() + begin_;
    const auto* const line_end = static_cast<const char*>(std::memchr(start, '\n', buffered()));
    if (line_end != nullptr) {
      consume(static_cast<std::size_t>(line_end + 1 - start));
      return true;
    }
    consume(buffered());
    if (!fill()) return true;
  }
}

/// Reads once more, behind what is buffered. Returns false at the end of the input.
bool LineReader::fill() {
  if (at_end_) return false;
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
    end_ = buffered();
    begin_ = 0;
  }
  while (true) {
    const ssize_t count = ::read(fd_, buffer_.get() + end_, capacity_ - end_);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      return true;
    }
    if (count == 0) {
      at_end_ = true;
      return false;
    }
    if (errno == EAGAIN) {
      pollfd readable{fd_, POLLIN, 0};
      if (::poll(&readable, 1, -1) > 0) continue;
    }
    if (errno != EINTR) throw Error("cannot read " + name_ + ": " + std::generic_category().message(errno));
  }
}

void LineReader::consume(std::size_t bytes) noexcept {
  begin_ += bytes;
  bytes_consumed_ += bytes;
}

}  // namespace tickpipe::internal
