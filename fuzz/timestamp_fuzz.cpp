// Input: the digit of a TimeUnit (0 = kAuto ... 4 = kNanos), then a timestamp as text.

#include "core/timestamp_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "core/int128.h"
#include "fuzz/fuzzing.h"
#include "unit/ingest/json_reference.h"

namespace tickpipe::internal::fuzzing {
namespace {

constexpr Int128 kTooLate = static_cast<Int128>(1) << 100;

/// The digits of a number that stand before and behind its point, the exponent applied; at most `places` behind.
struct Digits {
  std::string whole;
  std::string fraction;
};

Digits digits_of(std::string_view number, std::size_t places) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, e);
  long exponent = 0;
  for (const char c : number.substr(e)) {
    if (c >= '0' && c <= '9') exponent = std::min(exponent * 10 + (c - '0'), 1'000'000L);
  }
  if (number.substr(e).find('-') != std::string_view::npos) exponent = -exponent;
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  long whole_size = static_cast<long>(point) + exponent;
  if (digits.find_first_not_of('0') == std::string::npos || whole_size < -100) return {"0", std::string(places, '0')};
  if (whole_size < 0) {
    digits.insert(0, static_cast<std::size_t>(-whole_size), '0');
    whole_size = 0;
  }
  const auto split = static_cast<std::size_t>(whole_size);
  if (digits.size() < split + places) digits.append(split + places - digits.size(), '0');
  Digits result{digits.substr(0, split), digits.substr(split, places)};
  result.whole.erase(0, std::min(result.whole.find_first_not_of('0'), result.whole.size()));
  return result;
}

/// Nanoseconds since 1970 of a number, whatever its size.
std::optional<Int128> reference_number(std::string_view text, TimeUnit unit) {
  if (!JsonReference::is_number(text) || text.front() == '-') return std::nullopt;
  const Digits digits = digits_of(text, 9);
  if (digits.whole.size() > 19) return kTooLate;
  Int128 value = 0;
  for (const char c : digits.whole) value = value * 10 + (c - '0');
  std::size_t places = 0;
  switch (unit) {
    case TimeUnit::kSeconds:
      places = 9;
      break;
    case TimeUnit::kMillis:
      places = 6;
      break;
    case TimeUnit::kMicros:
      places = 3;
      break;
    case TimeUnit::kNanos:
      break;
    case TimeUnit::kAuto:  // told by the count of digits before the point
      places = digits.whole.size() <= 11 ? 9 : digits.whole.size() <= 14 ? 6 : digits.whole.size() <= 17 ? 3 : 0;
      break;
  }
  for (std::size_t i = 0; i < places; ++i) value = value * 10 + (digits.fraction[i] - '0');
  return value;
}

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days from 1970-01-01, counted year by year and month by month.
std::optional<std::int64_t> days_to(int year, int month, int day) {
  std::array<int, 12> lengths = {31, is_leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > lengths[static_cast<std::size_t>(month - 1)]) return std::nullopt;
  std::int64_t days = day - 1;
  for (int m = 1; m < month; ++m) days += lengths[static_cast<std::size_t>(m - 1)];
  for (int y = 1970; y < year; ++y) days += is_leap(y) ? 366 : 365;
  for (int y = year; y < 1970; ++y) days -= is_leap(y) ? 366 : 365;
  return days;
}

/// Whether `text` has a digit at each `d` of `shape` and its own character at each other place.
bool has_shape(std::string_view text, std::string_view shape) {
  const auto fits = [](char c, char want) { return want == 'd' ? c >= '0' && c <= '9' : c == want; };
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), fits);
}

int number_at(std::string_view text, std::size_t at, std::size_t size) {
  int value = 0;
  for (const char c : text.substr(at, size)) value = value * 10 + (c - '0');
  return value;
}

/// Minutes east of UTC of what stands behind the time.
std::optional<int> reference_offset(std::string_view zone) {
  if (zone.empty() || zone == "Z" || zone == "z") return 0;
  if (zone.front() != '+' && zone.front() != '-') return std::nullopt;
  const int sign = zone.front() == '-' ? -1 : 1;
  zone.remove_prefix(1);
  if (!has_shape(zone, "dd") && !has_shape(zone, "dddd") && !has_shape(zone, "dd:dd")) return std::nullopt;
  const int hours = number_at(zone, 0, 2);
  const int minutes = zone.size() == 2 ? 0 : number_at(zone, zone.size() - 2, 2);
  if (hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

std::optional<Int128> reference_iso(std::string_view text) {
  if (text.size() < 16) return std::nullopt;
  const char between = text[10];
  if (!has_shape(text.substr(0, 10), "dddd-dd-dd") || (between != 'T' && between != 't' && between != ' ') ||
      !has_shape(text.substr(11, 5), "dd:dd")) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(16);
  int second = 0;
  std::string fraction;
  if (has_shape(rest.substr(0, 3), ":dd")) {
    second = number_at(rest, 1, 2);
    rest.remove_prefix(3);
    if (!rest.empty() && (rest[0] == '.' || rest[0] == ',')) {
      const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
      if (end == 1) return std::nullopt;
      fraction = rest.substr(1, end - 1);
      rest.remove_prefix(end);
    }
  }
  const auto days = days_to(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2));
  const auto offset = reference_offset(rest);
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  if (!days || !offset || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  fraction.resize(9, '0');
  const std::int64_t seconds = *days * 86400 + std::int64_t{60} * (hour * 60 + minute - *offset) + second;
  return static_cast<Int128>(seconds) * kNanosPerSecond + number_at(fraction, 0, 9);
}

std::optional<Int128> reference(std::string_view text, TimeUnit unit) {
  if (const auto number = reference_number(text, unit)) return number;
  return unit == TimeUnit::kAuto ? reference_iso(text) : std::nullopt;
}

void check_formatting(UnixNanos time) {
  std::int64_t step = kNanosPerSecond;
  for (int digits = 0; digits <= 9; ++digits, step /= 10) {
    const std::string text = format_rfc3339(time, digits);
    require(text.size() == (digits == 0 ? 20 : 21 + static_cast<std::size_t>(digits)), "every digit is written");
    const auto again = parse_timestamp(text);
    require(again.has_value() && again->ns == time.ns - time.ns % step, "a printed time parses to the same");
  }
  const auto from_integer = parse_timestamp(std::to_string(time.ns), TimeUnit::kNanos);
  require(from_integer == time, "its nanoseconds parse to the same");
  const auto from_seconds = parse_timestamp(decimal_to_string(time.ns));
  require(from_seconds == time, "its seconds parse to the same");
}

}  // namespace

void check(Input input) {
  const auto unit = static_cast<TimeUnit>(static_cast<std::uint8_t>(input.byte() - '0') % 5);
  const std::string_view text = input.rest();
  const std::optional<Int128> expected = reference(text, unit);
  const bool is_tick_time = expected && *expected >= kFirstTickTime.ns && *expected < kEndOfTickTime.ns;

  const auto time = parse_timestamp(text, unit);
  require(time.has_value() == is_tick_time, "exactly the times of ticks are taken");
  if (time) {
    require(time->ns == *expected, "the time is that of the reference");
    check_formatting(*time);
  }
  if (unit != TimeUnit::kAuto) return;
  const auto bound = parse_time_bound(text);
  require(bound.has_value() == expected.has_value(), "every well-formed time is a bound");
  if (bound) {
    require(bound->ns == std::clamp<Int128>(*expected, 0, kEndOfTickTime.ns), "a bound is moved to the near end");
  }
}

}  // namespace tickpipe::internal::fuzzing
