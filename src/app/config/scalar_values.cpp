#include "app/config/scalar_values.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "app/config/key_suggestion.h"
#include "core/decimal.h"
#include "core/duration_text.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using Kind = ConfigNode::Kind;

void report_kind(const ConfigNode& node, const ConfigSite& site, const std::string& expected) {
  std::string message = "expected " + expected + ", got " + std::string(kind_of(node));
  if (node.kind == Kind::kNull) message += "; leave the key out to take the default";
  const bool quoted = node.kind == Kind::kString && expected.find("string") == std::string::npos;
  if (quoted && expected.find("duration") == std::string::npos) message += "; write it without quotes";
  site.error(node.line, std::move(message));
}

/// The text that a string list is made of; false if the element is not one.
bool check_element(const ConfigNode& element, const ConfigSite& site) {
  if (element.kind != Kind::kString) {
    report_kind(element, site, "a list of strings");
    return false;
  }
  if (element.text.empty() || !is_plain_text(element.text)) {
    site.error(element.line, element.text.empty() ? "an empty string in the list"
                                                  : "a control character or invalid UTF-8 in the list");
    return false;
  }
  return true;
}

}  // namespace

std::string_view kind_of(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return node.boolean ? "true" : "false";
    case Kind::kNumber:
      return "a number";
    case Kind::kString:
      return "a string";
    case Kind::kList:
      return "a list";
    case Kind::kObject:
      return "an object";
  }
  return "nothing";
}

std::string join_choices(const std::vector<std::string_view>& choices) {
  std::string out;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) out += i + 1 == choices.size() ? " or " : ", ";
    out += choices[i];
  }
  return out;
}

std::optional<bool> read_bool(const ConfigNode& node, const ConfigSite& site) {
  if (node.kind == Kind::kBool) return node.boolean;
  report_kind(node, site, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const ConfigNode& node, const ConfigSite& site, Bounds<std::int64_t> bounds) {
  const std::string range = std::to_string(bounds.min) + " to " + std::to_string(bounds.max);
  if (node.kind != Kind::kNumber) {
    report_kind(node, site, "a whole number, " + range);
    return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, status] = std::from_chars(node.text.data(), end, value);
  if (stop != end) {
    site.error(node.line, safe_text(node.text) + " is not a whole number without exponent");
    return std::nullopt;
  }
  if (status != std::errc{} || value < bounds.min || value > bounds.max) {
    site.error(node.line, safe_text(node.text) + " is not within " + range);
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> read_decimal(const ConfigNode& node, const ConfigSite& site, Bounds<std::int64_t> units) {
  const std::string range = decimal_to_string(units.min) + " to " + decimal_to_string(units.max);
  if (node.kind != Kind::kNumber) {
    report_kind(node, site, "a number, " + range);
    return std::nullopt;
  }
  const Decimal decimal = parse_decimal(node.text);
  if (decimal.status == DecimalStatus::kOk && decimal.units >= units.min && decimal.units <= units.max) {
    return decimal.units;
  }
  const bool in_range = decimal.status == DecimalStatus::kOk;
  site.error(node.line, safe_text(node.text) + " is not within " + range +
                            (in_range ? std::string{} : " or has more than 9 decimal places"));
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> read_duration(const ConfigNode& node, const ConfigSite& site,
                                                      Bounds<std::chrono::nanoseconds> bounds) {
  constexpr std::string_view kExpected = R"(a duration such as "500ms", "30s", "5m" or "24h")";
  if (node.kind != Kind::kString) {
    report_kind(node, site, std::string(kExpected));
    return std::nullopt;
  }
  const DurationText duration = parse_duration(node.text);
  const std::string shown = "\"" + safe_text(node.text) + "\"";
  if (duration.status == DurationStatus::kSyntax) {
    const bool is_number = !node.text.empty() && node.text.find_first_not_of("0123456789.") == std::string::npos;
    site.error(node.line, shown + " is not " + std::string(kExpected) + " (ns us ms s m h d)" +
                              (is_number ? "; its unit is missing" : ""));
    return std::nullopt;
  }
  if (duration.status == DurationStatus::kRange || duration.value < bounds.min || duration.value > bounds.max) {
    site.error(node.line, shown + " is not within " + format_duration(bounds.min) + " to " +
                              format_duration(bounds.max) +
                              (duration.status == DurationStatus::kRange ? " or not a whole number of ns" : ""));
    return std::nullopt;
  }
  return duration.value;
}

std::optional<std::string> read_string(const ConfigNode& node, const ConfigSite& site) {
  if (node.kind != Kind::kString) {
    report_kind(node, site, "a string");
    return std::nullopt;
  }
  if (!is_plain_text(node.text)) {
    site.error(node.line, "a control character or invalid UTF-8 in the string");
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::size_t> read_choice(const ConfigNode& node, const ConfigSite& site,
                                       const std::vector<std::string_view>& choices) {
  if (node.kind != Kind::kString) {
    report_kind(node, site, "a string, " + join_choices(choices));
    return std::nullopt;
  }
  const auto it = std::find(choices.begin(), choices.end(), node.text);
  if (it != choices.end()) return static_cast<std::size_t>(it - choices.begin());
  site.error(node.line, "\"" + safe_text(node.text) + "\" is not " + join_choices(choices),
             closest(node.text, choices));
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_string_list(const ConfigNode& node, const ConfigSite& site) {
  if (node.kind == Kind::kString) {
    if (!check_element(node, site)) return std::nullopt;
    return std::vector<std::string>{node.text};
  }
  if (node.kind != Kind::kList) {
    report_kind(node, site, "a list of strings");
    return std::nullopt;
  }
  std::vector<std::string> strings;
  std::unordered_set<std::string_view> seen;
  bool good = true;
  for (const ConfigNode& element : node.children) {
    if (!check_element(element, site)) {
      good = false;
    } else if (seen.insert(element.text).second) {
      strings.push_back(element.text);
    }
  }
  if (!good) return std::nullopt;
  return strings;
}

}  // namespace tickpipe::internal
