#include "feed/setting_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>

#include "core/decimal.h"
#include "core/duration_text.h"
#include "core/error.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

/// A duration, also a negative one.
std::optional<nanoseconds> read_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const DurationText duration = parse_duration(text);
  if (duration.status != DurationStatus::kOk) return std::nullopt;
  return is_negative ? -duration.value : duration.value;
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

}  // namespace tickpipe::internal
