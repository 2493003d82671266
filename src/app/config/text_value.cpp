#include "app/config/text_value.h"

#include <string>
#include <utility>

#include "core/decimal.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using Kind = ConfigNode::Kind;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

ConfigNode string_node(std::string_view text) {
  ConfigNode node;
  node.kind = Kind::kString;
  node.text = text;
  return node;
}

ConfigNode split_list(std::string_view text) {
  ConfigNode list;
  list.kind = Kind::kList;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    list.children.push_back(string_node(trim(text.substr(0, comma))));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) list.children.push_back(string_node({}));  // a trailing comma: an empty element, refused later
  }
  return list;
}

std::optional<ConfigNode> bool_node(std::string_view text, const ConfigSite& site) {
  ConfigNode node;
  node.kind = Kind::kBool;
  node.boolean = text == "true" || text == "1";
  if (node.boolean || text == "false" || text == "0") return node;
  site.error(0, "\"" + safe_text(text) + "\" is not true or false");
  return std::nullopt;
}

std::optional<ConfigNode> number_node(std::string_view text, const ConfigSite& site) {
  ConfigNode node;
  node.kind = Kind::kNumber;
  node.text = text;
  if (split_number(text).valid) return node;
  site.error(0, "\"" + safe_text(text) + "\" is not a number");
  return std::nullopt;
}

}  // namespace

std::optional<ConfigNode> value_from_text(const ConfigEntry& entry, std::string_view text, const ConfigSite& site) {
  const std::string_view trimmed = trim(text);
  if (trimmed.size() > kMaxConfigBytes) {
    site.error(0, "too long");
    return std::nullopt;
  }
  switch (entry.type) {
    case ConfigType::kString:
      return string_node(text);
    case ConfigType::kChoice:
    case ConfigType::kDuration:
      return string_node(trimmed);
    case ConfigType::kBool:
      return bool_node(trimmed, site);
    case ConfigType::kInteger:
    case ConfigType::kDecimal:
      return number_node(trimmed, site);
    case ConfigType::kAuth:
      return parse_config_document(trimmed, site);
    case ConfigType::kDayClose:
      if (trimmed.starts_with('{')) return parse_config_document(trimmed, site);
      return string_node(trimmed);
    case ConfigType::kFeeds: {
      if (trimmed.starts_with('[')) return parse_config_document(trimmed, site);
      ConfigNode list;
      list.kind = Kind::kList;
      if (!trimmed.empty()) list.children.push_back(string_node(trimmed));
      return list;
    }
    case ConfigType::kQuoteSource:
      if (trimmed.find(',') == std::string_view::npos && !trimmed.starts_with('[')) return string_node(trimmed);
      [[fallthrough]];
    case ConfigType::kList:
      if (trimmed.starts_with('[')) return parse_config_document(trimmed, site);
      return split_list(trimmed);
  }
  return std::nullopt;
}

}  // namespace tickpipe::internal
