#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tickpipe::internal::fuzzing {

/// Ends the run, as what a target promises does not hold: to libFuzzer a crash, to the replay a failed test.
[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

inline void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

/// The bytes of one run, consumed from the front. Past the end all numbers are 0 and all texts empty.
/// Lifetime: refers to the bytes; nothing behind them is readable, so that a sanitizer sees every byte read beyond.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : p_(data), end_(data + size) {}

  std::uint8_t byte() noexcept { return p_ == end_ ? std::uint8_t{0} : *p_++; }
  /// The lowest bit of the next byte, so that `0` and `1` say it in text too.
  bool flag() noexcept { return (byte() & 1) != 0; }
  /// Big-endian; of fewer bytes where there are no more.
  std::uint64_t number(std::size_t bytes = 8) noexcept {
    std::uint64_t value = 0;
    for (; bytes > 0 && p_ != end_; --bytes) value = (value << 8) | *p_++;
    return value;
  }
  /// A number of any size, small ones as likely as great ones.
  std::uint64_t amount() noexcept { return number(byte() % 9); }
  std::int64_t signed_amount() noexcept {
    const bool negative = flag();
    const std::uint64_t value = amount();
    return static_cast<std::int64_t>(negative ? ~value : value);
  }
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - p_); }
  std::string_view take(std::size_t bytes) noexcept {
    if (bytes > remaining()) bytes = remaining();
    const std::string_view text(reinterpret_cast<const char*>(p_), bytes);
    p_ += bytes;
    return text;
  }
  std::string_view rest() noexcept { return take(remaining()); }

 private:
  const std::uint8_t* p_;
  const std::uint8_t* end_;
};

/// What a target is: each NAME_fuzz.cpp defines it. Returns if all that is promised holds for `input`.
void check(Input input);

}  // namespace tickpipe::internal::fuzzing
