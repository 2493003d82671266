#include "core/json_writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/decimal.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

constexpr std::int64_t kNanosPerDay = 86'400 * kNanosPerSecond;
constexpr std::size_t kMaxNumberChars = 20;

constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> table{};
  for (std::size_t i = 0; i < 100; ++i) {
    table[2 * i] = static_cast<char>('0' + i / 10);
    table[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return table;
}();

char* put_two(char* out, std::uint32_t value) noexcept {
  std::memcpy(out, kTwoDigits.data() + std::size_t{2} * value, 2);
  return out + 2;
}

char* put_number(char* out, std::uint64_t value) noexcept {
  std::array<char, kMaxNumberChars> digits;
  char* const end = digits.data() + digits.size();
  char* p = end;
  while (value >= 100) {
    p -= 2;
    put_two(p, static_cast<std::uint32_t>(value % 100));
    value /= 100;
  }
  if (value >= 10) {
    p -= 2;
    put_two(p, static_cast<std::uint32_t>(value));
  } else {
    *--p = static_cast<char>('0' + value);
  }
  const auto count = static_cast<std::size_t>(end - p);
  std::memcpy(out, p, count);
  return out + count;
}

/// Nine digits, leading zeros included.
char* put_nine(char* out, std::uint32_t value) noexcept {
  const std::uint32_t high = value / 10'000;  // five digits
  const std::uint32_t low = value % 10'000;
  *out = static_cast<char>('0' + high / 10'000);
  put_two(out + 1, high % 10'000 / 100);
  put_two(out + 3, high % 100);
  put_two(out + 5, low / 100);
  put_two(out + 7, low % 100);
  return out + 9;
}

/// Length of the UTF-8 sequence at the start of `text`, 0 if there is none.
std::size_t utf8_length(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && at(1) < 0xA0) return 0;  // overlong
  if (lead == 0xED && at(1) > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && at(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && at(1) > 0x8F) return 0;  // beyond U+10FFFF
  return length;
}

}  // namespace

JsonWriter::JsonWriter(std::size_t expected_bytes)
    : buffer_(std::max<std::size_t>(expected_bytes, 64), '\0'),
      end_(buffer_.data()),
      limit_(buffer_.data() + buffer_.size()) {}

void JsonWriter::grow(std::size_t bytes) {
  const auto used = static_cast<std::size_t>(end_ - buffer_.data());
  buffer_.resize(std::max(buffer_.size() * 2, used + bytes));
  end_ = buffer_.data() + used;
  limit_ = buffer_.data() + buffer_.size();
}

std::string JsonWriter::take() {
  buffer_.resize(static_cast<std::size_t>(end_ - buffer_.data()));
  end_ = limit_ = nullptr;
  return std::move(buffer_);
}

void JsonWriter::raw(std::string_view text) {
  if (text.empty()) return;
  std::memcpy(room(text.size()), text.data(), text.size());
  end_ += text.size();
}

void JsonWriter::text(std::string_view value) {
  constexpr std::size_t kLongestEscape = 6;
  char* out = room(value.size() * kLongestEscape + 2);
  *out++ = '"';
  while (!value.empty()) {
    const char c = value.front();
    const auto byte = static_cast<unsigned char>(c);
    std::size_t used = 1;
    if (c == '"' || c == '\\') {
      *out++ = '\\';
      *out++ = c;
    } else if (byte < 0x20 || byte == 0x7F) {
      constexpr char kHex[] = "0123456789abcdef";
      std::memcpy(out, "\\u00", 4);
      out[4] = kHex[byte >> 4];
      out[5] = kHex[byte & 15];
      out += 6;
    } else if (byte < 0x80) {
      *out++ = c;
    } else if (const std::size_t length = utf8_length(value); length != 0) {
      std::memcpy(out, value.data(), length);
      out += length;
      used = length;
    } else {
      std::memcpy(out, "\xEF\xBF\xBD", 3);
      out += 3;
    }
    value.remove_prefix(used);
  }
  *out++ = '"';
  end_ = out;
}

void JsonWriter::number(std::uint64_t value) { end_ = put_number(room(kMaxNumberChars), value); }

void JsonWriter::decimal(Int128 units) {
  char* out = room(kMaxDecimalChars);
  if (units < 0 || units > std::numeric_limits<std::int64_t>::max()) {
    end_ = format_decimal(out, units);
    return;
  }
  const auto value = static_cast<std::uint64_t>(units);
  out = put_number(out, value / kUnitsPerOne);
  if (const auto fraction = static_cast<std::uint32_t>(value % kUnitsPerOne); fraction != 0) {
    *out++ = '.';
    out = put_nine(out, fraction);
    while (out[-1] == '0') --out;
  }
  end_ = out;
}

void JsonWriter::boolean(bool value) {
  if (value) {
    literal("true");
  } else {
    literal("false");
  }
}

char* JsonWriter::put_second(char* out, UnixNanos time, std::uint32_t& subsecond_ns) {
  std::int64_t day = time.ns / kNanosPerDay;
  std::int64_t in_day = time.ns % kNanosPerDay;
  if (in_day < 0) {
    in_day += kNanosPerDay;
    --day;
  }
  if (day != day_) {
    const std::string date = format_rfc3339(time, 0);
    std::copy_n(date.data(), sizeof(date_), date_);
    day_ = day;
  }
  std::memcpy(out, date_, sizeof(date_));
  out += sizeof(date_);
  const auto second = static_cast<std::uint32_t>(in_day / kNanosPerSecond);
  subsecond_ns = static_cast<std::uint32_t>(in_day % kNanosPerSecond);
  out = put_two(out, second / 3600);
  *out++ = ':';
  out = put_two(out, second / 60 % 60);
  *out++ = ':';
  return put_two(out, second % 60);
}

void JsonWriter::time_ms(UnixNanos time) {
  char* out = room(kMaxRfc3339Chars + 2);
  *out++ = '"';
  std::uint32_t subsecond_ns = 0;
  out = put_second(out, time, subsecond_ns);
  const std::uint32_t millis = subsecond_ns / 1'000'000;
  *out++ = '.';
  *out++ = static_cast<char>('0' + millis / 100);
  out = put_two(out, millis % 100);
  *out++ = 'Z';
  *out++ = '"';
  end_ = out;
}

void JsonWriter::time_ns(UnixNanos time) {
  char* out = room(kMaxRfc3339Chars + 2);
  *out++ = '"';
  std::uint32_t subsecond_ns = 0;
  out = put_second(out, time, subsecond_ns);
  *out++ = '.';
  out = put_nine(out, subsecond_ns);
  *out++ = 'Z';
  *out++ = '"';
  end_ = out;
}

void JsonWriter::time_ns_or_null(UnixNanos time) {
  if (time == kNoTime) {
    literal("null");
  } else {
    time_ns(time);
  }
}

void JsonWriter::close(char bracket) {
  char* const out = room(1);
  if (out != buffer_.data() && out[-1] == ',') {
    out[-1] = bracket;
  } else {
    *out = bracket;
    ++end_;
  }
}

}  // namespace tickpipe::internal
