#include "app/config/structured_values.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "app/config/key_suggestion.h"
#include "app/config/scalar_values.h"
#include "core/error.h"
#include "core/safe_text.h"
#include "model/names.h"

namespace tickpipe::internal {
namespace {

using Kind = ConfigNode::Kind;

std::string quoted(std::string_view text) { return "\"" + safe_text(text) + "\""; }

bool check_day_close(const ConfigNode& node, const ConfigSite& site) {
  if (!read_string(node, site)) return false;
  try {
    const TradingCalendar calendar(node.text);
    return true;
  } catch (const ConfigError& error) {
    std::string_view message = error.what();
    constexpr std::string_view kOwnName = "day_close ";  // the site names the key already
    if (message.starts_with(kOwnName)) message.remove_prefix(kOwnName.size());
    site.error(node.line, std::string(message));
  } catch (const std::exception& error) {
    site.error(node.line, "cannot read the time zone database: " + safe_text(error.what(), 200));
  }
  return false;
}

/// Symbols are upper case, so a pattern in lower case would never match.
std::optional<std::string> read_pattern(const ConfigNode& node, const ConfigSite& site) {
  if (!read_string(node, site)) return std::nullopt;
  std::string pattern;
  bool good = !node.text.empty() && node.text.size() <= 2 * kMaxNameChars;
  for (const char c : node.text) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool other = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    good = good && (lower || other || std::string_view("._-/:*?").find(c) != std::string_view::npos);
    pattern += lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (good) return pattern;
  site.error(node.line, quoted(node.text) + " can match no symbol; write one like EURUSD, with * for any characters");
  return std::nullopt;
}

std::optional<CalendarRules::Rule> read_rule(const ConfigNode& node, const ConfigSite& site) {
  const ConfigNode* const match = node.find("match");
  const ConfigNode* const day_close = node.find("day_close");
  if (node.kind != Kind::kObject || match == nullptr || day_close == nullptr) {
    site.error(node.line, R"(a rule is {"match": "BTC*", "day_close": "00:00 UTC"})");
    return std::nullopt;
  }
  const bool names_good = check_member_names(node, site, {"match", "day_close"});
  std::optional<std::string> pattern = read_pattern(*match, site.child("match"));
  const bool close_good = check_day_close(*day_close, site.child("day_close"));
  if (!names_good || !pattern || !close_good) return std::nullopt;
  return CalendarRules::Rule{std::move(*pattern), day_close->text};
}

/// A list of strings, each of which `convert` turns into its stored form, or into nothing if it breaks `rule`.
template <typename Convert>
std::optional<std::vector<std::string>> read_names(const ConfigNode& node, const ConfigSite& site,
                                                   std::string_view rule, Convert convert) {
  if (!read_string_list(node, site)) return std::nullopt;
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  bool good = true;
  const auto read_one = [&](const ConfigNode& element) {
    std::optional<std::string> name = convert(element.text);
    if (!name) {
      site.error(element.line, quoted(element.text) + " is not " + std::string(rule));
      good = false;
    } else if (seen.insert(*name).second) {
      names.push_back(std::move(*name));
    }
  };
  if (node.kind == Kind::kString) {
    read_one(node);
  } else {
    for (const ConfigNode& element : node.children) read_one(element);
  }
  if (!good) return std::nullopt;
  return names;
}

bool is_host_and_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* const end = text.data() + text.size();
    const auto [stop, status] = std::from_chars(text.data() + colon + 1, end, port);
    if (stop != end || status != std::errc{}) port = 0;
  }
  return port >= 1 && port <= 65535 && text.find_first_of(" /@") == std::string::npos;
}

}  // namespace

bool check_member_names(const ConfigNode& object, const ConfigSite& site, const std::vector<std::string_view>& names) {
  bool good = true;
  for (const ConfigNode& member : object.children) {
    if (std::find(names.begin(), names.end(), member.key) != names.end()) continue;
    good = false;
    if (site.log().full()) break;
    std::string suggestion = closest(member.key, names);
    std::string message = "unknown key";
    if (suggestion.empty()) message += "; here are " + join_choices(names);
    site.child(member.key).error(member.line, std::move(message), std::move(suggestion));
  }
  return good;
}

std::optional<DayClose> read_day_close(const ConfigNode& node, const ConfigSite& site, const std::string& built_in) {
  if (node.kind == Kind::kString) {
    if (!check_day_close(node, site)) return std::nullopt;
    return DayClose{node.text, {}};
  }
  if (node.kind != Kind::kObject) {
    site.error(node.line, R"(expected "17:00 America/New_York" or {"default": ..., "rules": [...]}, got )" +
                              std::string(kind_of(node)));
    return std::nullopt;
  }
  bool good = check_member_names(node, site, {"default", "rules"});
  DayClose day_close{built_in, {}};
  if (const ConfigNode* const member = node.find("default"); member != nullptr) {
    good = check_day_close(*member, site.child("default")) && good;
    day_close.default_close = member->text;
  }
  if (const ConfigNode* const rules = node.find("rules"); rules != nullptr) {
    if (rules->kind != Kind::kList) {
      site.child("rules").error(rules->line, "expected a list of rules, got " + std::string(kind_of(*rules)));
      return std::nullopt;
    }
    for (const ConfigNode& element : rules->children) {
      std::optional<CalendarRules::Rule> rule = read_rule(element, site.child("rules"));
      if (rule) day_close.rules.push_back(std::move(*rule));
      good = good && rule.has_value();
    }
  }
  if (!good) return std::nullopt;
  return day_close;
}

std::optional<std::vector<Timeframe>> read_timeframes(const ConfigNode& node, const ConfigSite& site) {
  const ConfigNode as_list{.kind = Kind::kList, .line = node.line, .key = {}, .text = {}, .children = {node}};
  const ConfigNode& list = node.kind == Kind::kString ? as_list : node;
  if (!read_string_list(list, site)) return std::nullopt;
  if (list.children.empty()) {
    site.error(node.line, R"(an empty list; write at least one, such as "1m")");
    return std::nullopt;
  }
  std::vector<Timeframe> timeframes;
  bool good = true;
  for (const ConfigNode& element : list.children) {
    const std::optional<Timeframe> timeframe = parse_timeframe(element.text);
    if (!timeframe) {
      site.error(element.line,
                 quoted(element.text) + " is no timeframe; write Ns, Nm or Nh that divides 24 h, 1d or 1w");
      good = false;
    } else if (std::find(timeframes.begin(), timeframes.end(), *timeframe) != timeframes.end()) {
      site.error(element.line, quoted(element.text) + " is the same timeframe as an earlier one");
      good = false;
    } else {
      timeframes.push_back(*timeframe);
    }
  }
  if (!good) return std::nullopt;
  std::sort(timeframes.begin(), timeframes.end());
  const Timeframe smallest = timeframes.front();
  for (const ConfigNode& element : list.children) {
    const Timeframe timeframe = *parse_timeframe(element.text);
    if (timeframe == kOneWeek || timeframe.length % smallest.length == std::chrono::seconds{0}) continue;
    site.error(element.line, quoted(element.text) + " is not a multiple of the smallest timeframe, " + smallest.name());
    good = false;
  }
  if (!good) return std::nullopt;
  return timeframes;
}

std::optional<std::vector<std::string>> read_quote_source(const ConfigNode& node, const ConfigSite& site) {
  constexpr std::string_view kAll = "last";
  if (node.kind == Kind::kString && node.text == kAll) return std::vector<std::string>{};
  if (node.kind == Kind::kList && node.children.empty()) {
    site.error(node.line, R"(an empty list; write "last" for all LPs)");
    return std::nullopt;
  }
  constexpr std::string_view kRule = "an LP name (1 to 32 of A-Z a-z 0-9 . _ -); in a list, \"last\" is none";
  return read_names(node, site, kRule, [kAll](const std::string& text) -> std::optional<std::string> {
    const std::optional<Name> name = text == kAll ? std::nullopt : parse_lp(text);
    if (!name) return std::nullopt;
    return std::string(name->view());
  });
}

std::optional<std::vector<std::string>> read_symbols(const ConfigNode& node, const ConfigSite& site) {
  constexpr std::string_view kRule = "a symbol (1 to 32 of A-Z 0-9 . _ - / :, first and last alphanumeric)";
  return read_names(node, site, kRule, [](const std::string& text) -> std::optional<std::string> {
    const std::optional<Name> name = parse_symbol(text);
    if (!name) return std::nullopt;
    return std::string(name->view());
  });
}

std::optional<std::string> read_host_and_port(const ConfigNode& node, const ConfigSite& site) {
  std::optional<std::string> text = read_string(node, site);
  if (!text || text->empty() || is_host_and_port(*text)) return text;
  site.error(node.line, "not host:port, as in localhost:6379");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_hosts_and_ports(const ConfigNode& node, const ConfigSite& site) {
  return read_names(node, site, "host:port, as in localhost:26379",
                    [](const std::string& text) -> std::optional<std::string> {
                      if (!is_host_and_port(text)) return std::nullopt;
                      return text;
                    });
}

std::optional<std::string> read_address(const ConfigNode& node, const ConfigSite& site) {
  std::optional<std::string> text = read_string(node, site);
  if (!text) return std::nullopt;
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view(".:-%[]").find(c) != std::string_view::npos;
  };
  if (!text->empty() && std::all_of(text->begin(), text->end(), fits)) return text;
  site.error(node.line, quoted(*text) + " is not an address, such as 127.0.0.1, ::1 or 0.0.0.0 for all");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_origins(const ConfigNode& node, const ConfigSite& site) {
  constexpr std::string_view kRule = "an origin such as https://charts.example.com or http://localhost:3000";
  return read_names(node, site, kRule, [](const std::string& text) -> std::optional<std::string> {
    if (text == "*") return text;
    std::string_view rest = text;
    for (const std::string_view scheme : {"https://", "http://"}) {
      if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
    }
    const bool has_scheme = rest.size() < text.size();
    if (!has_scheme || rest.empty() || rest.find_first_of("/?# ,") != std::string_view::npos) return std::nullopt;
    return text;
  });
}

}  // namespace tickpipe::internal
