#include "core/duration_text.h"

#include <array>
#include <limits>

#include "core/decimal.h"
#include "core/int128.h"

namespace tickpipe::internal {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanos;
};

constexpr std::array<Unit, 7> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"d", 86'400'000'000'000}}};

/// Digits that a 64-bit integer always takes; times a day in ns that is still far within 128 bits.
constexpr std::size_t kMaxDigits = 18;

constexpr DurationText kSyntaxError{std::chrono::nanoseconds{0}, DurationStatus::kSyntax};
constexpr DurationText kRangeError{std::chrono::nanoseconds{0}, DurationStatus::kRange};

Int128 value_of(std::string_view digits) {
  Int128 value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

}  // namespace

DurationText parse_duration(std::string_view text) noexcept {
  const std::size_t number_size = text.find_first_not_of("0123456789.");
  if (number_size == std::string_view::npos) return kSyntaxError;
  const NumberParts parts = split_number(text.substr(0, number_size));
  if (!parts.valid) return kSyntaxError;
  const std::string_view unit_name = text.substr(number_size);
  const Unit* unit = nullptr;
  for (const Unit& candidate : kUnits) {
    if (candidate.name == unit_name) unit = &candidate;
  }
  if (unit == nullptr) return kSyntaxError;

  std::string_view fraction = parts.fraction;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  // 10^16 is the highest power of ten that a fraction of a day can need, so longer ones are never whole nanoseconds.
  if (parts.integer.size() > kMaxDigits + 1 || fraction.size() > kMaxDigits) return kRangeError;
  Int128 scale = 1;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  const Int128 scaled_fraction = value_of(fraction) * unit->nanos;
  if (scaled_fraction % scale != 0) return kRangeError;
  const Int128 nanos = value_of(parts.integer) * unit->nanos + scaled_fraction / scale;
  if (nanos > std::numeric_limits<std::int64_t>::max()) return kRangeError;
  return {std::chrono::nanoseconds{static_cast<std::int64_t>(nanos)}, DurationStatus::kOk};
}

std::string format_duration(std::chrono::nanoseconds value) {
  if (value.count() == 0) return "0ms";
  const Unit* best = &kUnits.front();
  for (const Unit& unit : kUnits) {
    if (value.count() % unit.nanos == 0) best = &unit;
  }
  return std::to_string(value.count() / best->nanos).append(best->name);
}

}  // namespace tickpipe::internal
