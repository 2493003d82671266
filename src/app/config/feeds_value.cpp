#include "app/config/feeds_value.h"

#include <utility>

#include "app/config/scalar_values.h"
#include "core/error.h"

namespace tickpipe::internal {
namespace {

using Kind = ConfigNode::Kind;

/// The value of a setting as text; nothing for one that no feed can have.
std::optional<std::string> setting_text(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::kString:
      return is_plain_text(node.text) ? std::optional(node.text) : std::nullopt;
    case Kind::kNumber:
      return node.text;
    case Kind::kBool:
      return node.boolean ? "true" : "false";
    case Kind::kList: {
      std::string joined;
      for (const ConfigNode& element : node.children) {
        if (element.kind != Kind::kString || element.text.find(',') != std::string::npos) return std::nullopt;
        if (!joined.empty()) joined += ',';
        joined += element.text;
      }
      return joined;
    }
    default:
      return std::nullopt;
  }
}

std::optional<FeedSpec> read_feed(const ConfigNode& node, const ConfigSite& site) {
  try {
    if (node.kind == Kind::kString && is_plain_text(node.text)) return parse_feed_spec(node.text);
    if (node.kind != Kind::kObject) {
      site.error(node.line, R"(a feed is a text such as "sim" or "replay:quotes.csv", or an object)");
      return std::nullopt;
    }
    const ConfigNode* const type = node.find("type");
    if (type == nullptr || type->kind != Kind::kString) {
      site.error(node.line, R"(a feed object needs a "type": "sim" or "replay")");
      return std::nullopt;
    }
    FeedSettings settings;
    for (const ConfigNode& member : node.children) {
      if (&member == type) continue;
      const auto text = setting_text(member);
      if (!text) {
        site.child(member.key).error(member.line, "expected a text, a number, true, false or a list of texts");
        return std::nullopt;
      }
      settings.emplace_back(member.key, *text);
    }
    return make_feed_spec(type->text, settings);
  } catch (const ConfigError& error) {
    site.error(node.line, error.what());
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> read_feeds(const ConfigNode& node, const ConfigSite& site) {
  if (node.kind != Kind::kList) {
    site.error(node.line, "expected a list of feeds, got " + std::string(kind_of(node)));
    return std::nullopt;
  }
  bool is_good = true;
  for (const ConfigNode& feed : node.children) is_good = read_feed(feed, site).has_value() && is_good;
  if (!is_good) return std::nullopt;
  return to_json(node);
}

std::vector<ConfiguredFeed> configured_feeds(const std::string& feeds_json) {
  ProblemLog problems;
  const ConfigSite site(problems, "feeds", false);
  std::vector<ConfiguredFeed> feeds;
  const auto list = parse_config_document(feeds_json, site);
  if (!list) return feeds;
  for (const ConfigNode& node : list->children) {
    if (auto spec = read_feed(node, site)) feeds.push_back({std::move(*spec), to_json(node)});
  }
  return feeds;
}

ConfiguredFeed feed_of_option(const std::string& spec) { return {parse_feed_spec(spec), json_quote(spec)}; }

}  // namespace tickpipe::internal
