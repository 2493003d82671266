#include "core/timestamp_text.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "core/decimal.h"

namespace tickpipe::internal {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A time as read, of any size.
using AnyTime = std::optional<Int128>;
/// Stands for every time of more than nineteen digits.
constexpr Int128 kFarFuture = static_cast<Int128>(1) << 120;

constexpr std::int64_t kUnitLimits[] = {100'000'000'000, 100'000'000'000'000, 100'000'000'000'000'000};

TimeUnit unit_of(Int128 whole) noexcept {
  if (whole < kUnitLimits[0]) return TimeUnit::kSeconds;
  if (whole < kUnitLimits[1]) return TimeUnit::kMillis;
  if (whole < kUnitLimits[2]) return TimeUnit::kMicros;
  return TimeUnit::kNanos;
}

int digits_below(TimeUnit unit) noexcept {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 9;
    case TimeUnit::kMillis:
      return 6;
    case TimeUnit::kMicros:
      return 3;
    default:
      return 0;
  }
}

/// Digit of a number by its decimal place: place 0 is the ones digit, -1 the tenths.
class DigitsByPlace {
 public:
  explicit DigitsByPlace(const NumberParts& parts) noexcept
      : parts_(parts), point_(static_cast<std::int64_t>(parts.integer.size()) + parts.exponent) {}

  [[nodiscard]] int at(std::int64_t place) const noexcept {
    const std::int64_t index = point_ - 1 - place;
    const auto integer_size = static_cast<std::int64_t>(parts_.integer.size());
    if (index < 0 || index >= integer_size + static_cast<std::int64_t>(parts_.fraction.size())) return 0;
    return index < integer_size ? parts_.integer[static_cast<std::size_t>(index)] - '0'
                                : parts_.fraction[static_cast<std::size_t>(index - integer_size)] - '0';
  }
  /// Whether any digit stands at `place` or above.
  [[nodiscard]] bool any_from(std::int64_t place) const noexcept {
    // Digits at `place` and above are the first point_ - place ones.
    const std::int64_t count = point_ - place;
    if (count <= 0) return false;
    const auto nonzero = [](char c) { return c != '0'; };
    const auto head = [count](std::string_view digits, std::int64_t before) {
      const auto n = std::clamp<std::int64_t>(count - before, 0, static_cast<std::int64_t>(digits.size()));
      return digits.substr(0, static_cast<std::size_t>(n));
    };
    const auto in_integer = head(parts_.integer, 0);
    const auto in_fraction = head(parts_.fraction, static_cast<std::int64_t>(parts_.integer.size()));
    return std::any_of(in_integer.begin(), in_integer.end(), nonzero) ||
           std::any_of(in_fraction.begin(), in_fraction.end(), nonzero);
  }

 private:
  const NumberParts& parts_;
  std::int64_t point_;
};

AnyTime parse_numeric(std::string_view text, TimeUnit unit) noexcept {
  const NumberParts parts = split_number(text);
  if (!parts.valid || parts.negative) return std::nullopt;
  const DigitsByPlace digits(parts);
  constexpr int kMostWholeDigits = 19;
  if (digits.any_from(kMostWholeDigits)) return kFarFuture;
  Int128 value = 0;
  for (int place = kMostWholeDigits - 1; place >= 0; --place) value = value * 10 + digits.at(place);
  if (unit == TimeUnit::kAuto) unit = unit_of(value);
  const int below = digits_below(unit);
  for (int place = -1; place >= -below; --place) value = value * 10 + digits.at(place);
  return value;
}

/// Reads fixed-width fields from left to right; one failure makes all later reads fail.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) noexcept : p_(text.data()), end_(p_ + text.size()) {}

  int number(int width) noexcept {
    if (end_ - p_ < width) return fail();
    int value = 0;
    for (int i = 0; i < width; ++i, ++p_) {
      if (!is_digit(*p_)) return fail();
      value = value * 10 + (*p_ - '0');
    }
    return value;
  }
  bool take(std::string_view any_of) noexcept {
    if (p_ == end_ || any_of.find(*p_) == std::string_view::npos) return false;
    ++p_;
    return true;
  }
  void expect(std::string_view any_of) noexcept {
    if (!take(any_of)) fail();
  }
  /// Digits of a fraction as nanoseconds.
  std::int64_t fraction_ns() noexcept {
    if (p_ == end_ || !is_digit(*p_)) return fail();
    std::int64_t value = 0;
    int digits = 0;
    for (; p_ != end_ && is_digit(*p_); ++p_) {
      if (digits < 9) {
        value = value * 10 + (*p_ - '0');
        ++digits;
      }
    }
    for (; digits < 9; ++digits) value *= 10;
    return value;
  }
  [[nodiscard]] bool at_end() const noexcept { return p_ == end_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }

 private:
  int fail() noexcept {
    ok_ = false;
    p_ = end_;
    return 0;
  }
  const char* p_;
  const char* end_;
  bool ok_ = true;
};

AnyTime parse_iso8601(std::string_view text) noexcept {
  FieldReader in(text);
  const int year = in.number(4);
  in.expect("-");
  const int month = in.number(2);
  in.expect("-");
  const int day = in.number(2);
  in.expect("Tt ");
  const int hour = in.number(2);
  in.expect(":");
  const int minute = in.number(2);
  int second = 0;
  std::int64_t fraction = 0;
  if (in.take(":")) {
    second = in.number(2);
    if (in.take(".,")) fraction = in.fraction_ns();
  }
  int offset_minutes = 0;
  if (!in.at_end() && !in.take("Zz")) {
    const bool west = in.take("-");
    if (!west) in.expect("+");
    const int offset_hour = in.number(2);
    int offset_minute = 0;
    if (!in.at_end()) {
      in.take(":");
      offset_minute = in.number(2);
    }
    if (offset_hour > 23 || offset_minute > 59) return std::nullopt;
    offset_minutes = (offset_hour * 60 + offset_minute) * (west ? -1 : 1);
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minutes = std::int64_t{hour} * 60 + minute - offset_minutes;
  const std::int64_t seconds = days * 86400 + minutes * 60 + second;
  return static_cast<Int128>(seconds) * kNanosPerSecond + fraction;
}

/// Plain integers, the usual case.
AnyTime parse_integer(std::string_view text, TimeUnit unit) noexcept {
  std::int64_t value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  if (unit == TimeUnit::kAuto) unit = unit_of(value);
  Int128 ns = value;
  for (int i = digits_below(unit); i > 0; i -= 3) ns *= 1000;
  return ns;
}

AnyTime parse_any(std::string_view text, TimeUnit unit) noexcept {
  if (!text.empty() && text.size() <= 18 && text.front() != '0' && std::all_of(text.begin(), text.end(), is_digit)) {
    return parse_integer(text, unit);
  }
  // In `1.5e-9` the minus of an exponent stands where a date has its first one.
  if (unit == TimeUnit::kAuto && text.size() > 4 && text[4] == '-' && is_digit(text[3])) return parse_iso8601(text);
  return parse_numeric(text, unit);
}

}  // namespace

std::optional<UnixNanos> parse_timestamp(std::string_view text, TimeUnit unit) noexcept {
  const AnyTime ns = parse_any(text, unit);
  if (!ns || *ns < kFirstTickTime.ns || *ns >= kEndOfTickTime.ns) return std::nullopt;
  return UnixNanos{static_cast<std::int64_t>(*ns)};
}

std::optional<UnixNanos> parse_time_bound(std::string_view text) noexcept {
  const AnyTime ns = parse_any(text, TimeUnit::kAuto);
  if (!ns) return std::nullopt;
  return UnixNanos{static_cast<std::int64_t>(std::clamp<Int128>(*ns, 0, kEndOfTickTime.ns))};
}

std::string format_rfc3339(UnixNanos time, int fraction_digits) {
  using namespace std::chrono;
  const sys_time<nanoseconds> tp{nanoseconds{time.ns}};
  const auto day = floor<days>(tp);
  const year_month_day date{day};
  const hh_mm_ss clock{tp - day};

  std::array<char, kMaxRfc3339Chars> out{};
  char* p = out.data();
  const auto put = [&p](long value, int width) {
    for (int i = width - 1; i >= 0; --i) {
      p[i] = static_cast<char>('0' + value % 10);
      value /= 10;
    }
    p += width;
  };
  put(static_cast<int>(date.year()), 4);
  *p++ = '-';
  put(static_cast<long>(static_cast<unsigned>(date.month())), 2);
  *p++ = '-';
  put(static_cast<long>(static_cast<unsigned>(date.day())), 2);
  *p++ = 'T';
  put(clock.hours().count(), 2);
  *p++ = ':';
  put(clock.minutes().count(), 2);
  *p++ = ':';
  put(clock.seconds().count(), 2);
  if (fraction_digits > 0) {
    *p++ = '.';
    put(clock.subseconds().count(), 9);
    p -= 9 - std::min(fraction_digits, 9);
  }
  *p++ = 'Z';
  return {out.data(), p};
}

}  // namespace tickpipe::internal
