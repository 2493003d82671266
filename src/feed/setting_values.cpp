#include "feed/setting_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "core/error.h"
#include "core/int128.h"
#include "core/safe_text.h"

namespace tickpipe {
namespace {

using std::chrono::nanoseconds;

struct DurationUnit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr std::array<DurationUnit, 7> kDurationUnits = {{{"ns", 1},
                                                         {"us", 1'000},
                                                         {"ms", 1'000'000},
                                                         {"s", 1'000'000'000},
                                                         {"m", 60'000'000'000},
                                                         {"h", 3'600'000'000'000},
                                                         {"d", 86'400'000'000'000}}};

std::optional<nanoseconds> read_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::size_t number_size = std::min(text.find_first_not_of("0123456789."), text.size());
  const Decimal number = parse_decimal(text.substr(0, number_size));
  if (number.status != DecimalStatus::kOk) return std::nullopt;
  for (const DurationUnit& unit : kDurationUnits) {
    if (unit.name != text.substr(number_size)) continue;
    const Int128 scaled = static_cast<Int128>(number.units) * unit.nanos;
    const Int128 value = scaled / kUnitsPerOne;
    if (scaled % kUnitsPerOne != 0 || value > nanoseconds::max().count()) return std::nullopt;
    const nanoseconds length{static_cast<std::int64_t>(value)};
    return is_negative ? -length : length;
  }
  return std::nullopt;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

}  // namespace

double Setting::number(double min, double max, std::string_view allowed) const {
  double out = 0;
  if (split_number(value).valid) {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (error == std::errc{} && end == value.data() + value.size() && out >= min && out <= max) return out;
  }
  if (!allowed.empty()) fail(allowed);
  fail("a number from " + short_number(min) + " to " + short_number(max));
}

std::uint64_t Setting::integer() const {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc{} || end != value.data() + value.size()) fail("a whole number from 0 to 18446744073709551615");
  return out;
}

bool Setting::boolean() const {
  if (value == "true") return true;
  if (value != "false") fail("true or false");
  return false;
}

nanoseconds Setting::duration(nanoseconds min, nanoseconds max, std::string_view allowed) const {
  const auto length = read_duration(value);
  if (!length || *length < min || *length > max) fail(allowed);
  return *length;
}

Name Setting::lp() const {
  const auto name = parse_lp(value);
  if (!name) fail("1 to 32 of A-Z a-z 0-9 . _ -");
  return *name;
}

std::vector<Name> Setting::symbols() const {
  std::vector<Name> out;
  std::string_view rest = value;
  while (true) {
    const std::size_t comma = rest.find(',');
    const auto symbol = parse_symbol(rest.substr(0, comma));
    if (!symbol) fail("symbols of 1 to 32 characters, separated by commas without spaces, as in EURUSD,BTCUSD");
    if (std::find(out.begin(), out.end(), *symbol) != out.end()) fail("each symbol once");
    out.push_back(*symbol);
    if (comma == std::string_view::npos) return out;
    rest.remove_prefix(comma + 1);
  }
}

void Setting::fail(std::string_view allowed) const {
  std::string text = "feed " + std::string(feed) + ": " + std::string(key) + " must be ";
  throw ConfigError(text.append(allowed).append(", not \"").append(safe_text(value)).append("\""));
}

}  // namespace tickpipe
