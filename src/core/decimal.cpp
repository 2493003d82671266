#include "core/decimal.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tickpipe::internal {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr int kFractionDigits = 9;
constexpr std::int64_t kMaxExponent = 1'000'000'000;

constexpr std::array<std::uint64_t, 20> kPowersOfTen = [] {
  std::array<std::uint64_t, 20> powers{};
  std::uint64_t power = 1;
  for (auto& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}();

/// The common case, "1.121720": at most 9 digits on either side and no exponent. Returns false for everything else,
/// including malformed input, which the general parser then names.
bool parse_plain(std::string_view text, std::int64_t& units) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  const char* const integer = p;
  std::uint64_t value = 0;
  while (p != end && is_digit(*p)) value = value * 10 + static_cast<std::uint64_t>(*p++ - '0');
  const auto integer_digits = p - integer;
  if (integer_digits == 0 || integer_digits > 9 || (integer_digits > 1 && *integer == '0')) return false;
  if (p == end) {
    units = static_cast<std::int64_t>(value) * kUnitsPerOne;
    return true;
  }
  if (*p++ != '.') return false;
  const char* const fraction = p;
  while (p != end && is_digit(*p) && p - fraction <= kFractionDigits) {
    value = value * 10 + static_cast<std::uint64_t>(*p++ - '0');
  }
  const auto fraction_digits = p - fraction;
  if (p != end || fraction_digits == 0 || fraction_digits > kFractionDigits) return false;
  units = static_cast<std::int64_t>(value * kPowersOfTen[static_cast<std::size_t>(kFractionDigits - fraction_digits)]);
  return true;
}

}  // namespace

NumberParts split_number(std::string_view text) noexcept {
  NumberParts parts;
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p != end && *p == '-') {
    parts.negative = true;
    ++p;
  }
  const char* start = p;
  while (p != end && is_digit(*p)) ++p;
  parts.integer = {start, static_cast<std::size_t>(p - start)};
  if (parts.integer.empty() || (parts.integer.size() > 1 && parts.integer.front() == '0')) return parts;
  if (p != end && *p == '.') {
    start = ++p;
    while (p != end && is_digit(*p)) ++p;
    parts.fraction = {start, static_cast<std::size_t>(p - start)};
    if (parts.fraction.empty()) return parts;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    bool negative_exponent = false;
    if (p != end && (*p == '+' || *p == '-')) negative_exponent = *p++ == '-';
    start = p;
    for (; p != end && is_digit(*p); ++p) parts.exponent = std::min(parts.exponent * 10 + (*p - '0'), kMaxExponent);
    if (p == start) return parts;
    if (negative_exponent) parts.exponent = -parts.exponent;
  }
  parts.valid = p == end;
  return parts;
}

Decimal parse_decimal(std::string_view text) noexcept {
  if (std::int64_t units = 0; parse_plain(text, units)) return {units, DecimalStatus::kOk};
  const NumberParts parts = split_number(text);
  if (!parts.valid) return {0, DecimalStatus::kSyntax};

  // Significant digits only: leading zeros are skipped, trailing ones counted, so that 400 digits of zeros cost nothing
  // and decide nothing.
  std::uint64_t mantissa = 0;
  int digits = 0;
  std::int64_t trailing_zeros = 0;
  for (const std::string_view run : {parts.integer, parts.fraction}) {
    for (const char c : run) {
      if (c == '0') {
        if (mantissa != 0) ++trailing_zeros;
        continue;
      }
      const std::int64_t step = trailing_zeros + 1;
      if (digits + step > 19) return {0, DecimalStatus::kRange};
      mantissa = mantissa * kPowersOfTen[static_cast<std::size_t>(step)] + static_cast<std::uint64_t>(c - '0');
      digits += static_cast<int>(step);
      trailing_zeros = 0;
    }
  }
  if (mantissa == 0) return {0, DecimalStatus::kOk};
  const std::int64_t scale =
      parts.exponent + trailing_zeros - static_cast<std::int64_t>(parts.fraction.size()) + kFractionDigits;
  if (scale < 0 || scale > 18) return {0, DecimalStatus::kRange};
  const UInt128 magnitude = static_cast<UInt128>(mantissa) * kPowersOfTen[static_cast<std::size_t>(scale)];
  const auto limit = static_cast<UInt128>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > limit) return {0, DecimalStatus::kRange};
  const auto units = static_cast<std::int64_t>(magnitude);
  return {parts.negative ? -units : units, DecimalStatus::kOk};
}

char* format_decimal(char* out, Int128 units) noexcept {
  UInt128 magnitude = static_cast<UInt128>(units);
  if (units < 0) {
    *out++ = '-';
    magnitude = 0 - magnitude;
  }
  UInt128 whole = magnitude / static_cast<UInt128>(kUnitsPerOne);
  auto fraction = static_cast<std::uint32_t>(magnitude % static_cast<UInt128>(kUnitsPerOne));

  std::array<char, 40> reversed{};
  std::size_t count = 0;
  do {
    reversed[count++] = static_cast<char>('0' + static_cast<int>(whole % 10));
    whole /= 10;
  } while (whole != 0);
  while (count > 0) *out++ = reversed[--count];

  if (fraction == 0) return out;
  *out++ = '.';
  int width = kFractionDigits;
  while (fraction % 10 == 0) {
    fraction /= 10;
    --width;
  }
  for (int i = width - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  return out + width;
}

std::string decimal_to_string(Int128 units) {
  std::array<char, kMaxDecimalChars> buffer{};
  return {buffer.data(), format_decimal(buffer.data(), units)};
}

}  // namespace tickpipe::internal
