// Input: a number as text. Also read as 16 bytes of a 128-bit number, and as two prices.

#include "core/decimal.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "core/duration_text.h"
#include "core/price.h"
#include "fuzz/fuzzing.h"
#include "unit/ingest/json_reference.h"

namespace tickpipe::internal::fuzzing {
namespace {

void check_parsing(std::string_view text) {
  const bool is_number = JsonReference::is_number(text);
  const NumberParts parts = split_number(text);
  require(parts.valid == is_number, "a number is what the JSON grammar says");

  const Decimal parsed = parse_decimal(text);
  if (!is_number) {
    require(parsed.status == DecimalStatus::kSyntax && parsed.units == 0, "what is no number has a syntax error");
    return;
  }
  const std::optional<std::int64_t> expected = JsonReference::units_of(text);
  require((parsed.status == DecimalStatus::kOk) == expected.has_value(), "exactly the numbers that fit are taken");
  require(parsed.status != DecimalStatus::kSyntax, "a number has no syntax error");
  require(parsed.units == expected.value_or(0), "the value is that of long arithmetic");
  if (!expected) return;
  const std::string printed = decimal_to_string(parsed.units);
  const Decimal again = parse_decimal(printed);
  require(again.status == DecimalStatus::kOk && again.units == parsed.units, "a printed number parses to the same");
}

/// The number that plain digits with a point stand for, in units of 1e-9.
Int128 value_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  UInt128 value = 0;
  std::size_t places = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == point) continue;
    if (i > point) ++places;
    value = value * 10 + static_cast<UInt128>(text[i] - '0');
  }
  for (; places < 9; ++places) value *= 10;
  return static_cast<Int128>(negative ? 0 - value : value);
}

void check_printing(Int128 units) {
  std::array<char, kMaxDecimalChars> buffer{};
  const std::string_view text(buffer.data(),
                              static_cast<std::size_t>(format_decimal(buffer.data(), units) - buffer.data()));
  require(text.size() <= kMaxDecimalChars, "the longest number has its room");
  require(JsonReference::is_number(text), "a printed number is one of the JSON grammar");
  require(text.find_first_of("eE") == std::string_view::npos, "a printed number has no exponent");
  require(text.find('.') == std::string_view::npos || text.back() != '0', "a printed number has no trailing zeros");
  require(value_of(text) == units, "a printed number has the value that was given");
}

void check_mid(Price bid, Price ask) {
  const Int128 sum = static_cast<Int128>(bid.units) + ask.units;
  const Int128 twice = static_cast<Int128>(mid_price(bid, ask).units) * 2;
  const Int128 rest = sum - twice;
  require(rest == 0 || rest == (sum > 0 ? 1 : -1), "half a unit of the mid is rounded towards zero");
}

void check_duration(std::string_view text) {
  const DurationText parsed = parse_duration(text);
  if (parsed.status != DurationStatus::kOk) {
    require(parsed.value.count() == 0, "what is no duration has no value");
    return;
  }
  require(parsed.value.count() >= 0, "a duration is not negative");
  const std::string printed = format_duration(parsed.value);
  const DurationText again = parse_duration(printed);
  require(again.status == DurationStatus::kOk && again.value == parsed.value, "a printed duration parses to the same");
}

/// Of a number without sign and exponent, so many seconds.
void check_seconds(std::string_view text) {
  if (!JsonReference::is_number(text)) return;
  const DurationText parsed = parse_duration(std::string(text) + "s");
  const bool is_plain = text.find_first_of("-eE") == std::string_view::npos;
  require((parsed.status != DurationStatus::kSyntax) == is_plain, "a number of seconds is a plain number");
  if (!is_plain) return;
  const std::optional<std::int64_t> expected = JsonReference::units_of(text);
  require((parsed.status == DurationStatus::kOk) == expected.has_value(), "exactly the durations that fit are taken");
  require(parsed.value.count() == expected.value_or(0), "seconds have the value of their decimal");
}

}  // namespace

void check(Input input) {
  Input numbers = input;
  const auto high = static_cast<UInt128>(numbers.number());
  const std::uint64_t low = numbers.number();
  check_printing(static_cast<Int128>((high << 64) | low));
  check_mid({static_cast<std::int64_t>(high)}, {static_cast<std::int64_t>(low)});

  const std::string_view text = input.rest();
  check_parsing(text);
  check_duration(text);
  check_seconds(text);
}

}  // namespace tickpipe::internal::fuzzing
