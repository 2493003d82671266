#pragma once

#include <cctype>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tickpipe::internal::testing {

/// Reads the part of YAML in which docs/openapi.yaml is written: block mappings and sequences, flow collections on one
/// line, quoted and plain scalars, and text folded with `>-`. Throws on everything that it does not understand.
class YamlSubset {
 public:
  static nlohmann::json parse(std::string_view text) { return YamlSubset(text).block(0); }

 private:
  using Json = nlohmann::json;
  struct Line {
    std::size_t indent;
    std::string text;
  };

  explicit YamlSubset(std::string_view text) {
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const std::size_t indent = line.find_first_not_of(' ');
      if (indent == std::string_view::npos || line[indent] == '#') continue;
      if (line.find('\t') != std::string_view::npos) fail(line);
      lines_.push_back({indent, std::string(line.substr(indent))});
    }
  }

  [[noreturn]] static void fail(std::string_view text) {
    throw std::runtime_error("not in the subset of YAML: " + std::string(text));
  }

  static std::string_view trim(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
  }

  /// The end of a mapping's key in `text`, or npos.
  static std::size_t key_end(std::string_view text) {
    if (text.starts_with('{') || text.starts_with('[')) return std::string_view::npos;
    std::size_t from = 0;
    if (text.starts_with('"') || text.starts_with('\'')) from = text.find(text.front(), 1);
    for (std::size_t at = text.find(':', from); at != std::string_view::npos; at = text.find(':', at + 1)) {
      if (at + 1 == text.size() || text[at + 1] == ' ') return at;
    }
    return std::string_view::npos;
  }

  static std::string unquoted(std::string_view key) {
    key = trim(key);
    if (key.size() >= 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front()) {
      key = key.substr(1, key.size() - 2);
    }
    return std::string(key);
  }

  static Json plain(std::string_view text) {
    text = trim(text);
    if (text == "true" || text == "false") return text == "true";
    if (text.empty() || text == "null") return nullptr;
    const bool is_number = std::isdigit(static_cast<unsigned char>(text.back())) != 0 && Json::accept(text);
    return is_number ? Json::parse(text) : Json(std::string(text));
  }

  /// The value at the start of `text`, which is moved behind it.
  static Json inline_value(std::string_view& text, bool is_flow) {
    text = trim(text);
    if (text.starts_with('"')) {
      std::size_t end = 1;
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
      if (end >= text.size()) fail(text);
      Json value = Json::parse(text.substr(0, end + 1));
      text.remove_prefix(end + 1);
      return value;
    }
    if (text.starts_with('\'')) {
      const std::size_t end = text.find('\'', 1);
      if (end == std::string_view::npos) fail(text);
      Json value = std::string(text.substr(1, end - 1));
      text.remove_prefix(end + 1);
      return value;
    }
    if (text.starts_with('{') || text.starts_with('[')) return flow(text);
    const std::size_t end = is_flow ? text.find_first_of(",]}") : text.size();
    if (end == std::string_view::npos) fail(text);
    Json value = plain(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }

  static Json flow(std::string_view& text) {
    const bool is_map = text.front() == '{';
    Json value = is_map ? Json::object() : Json::array();
    text.remove_prefix(1);
    while (true) {
      text = trim(text);
      if (text.empty()) fail("a flow collection without its end");
      if (text.front() == (is_map ? '}' : ']')) break;
      if (is_map) {
        const std::size_t colon = text.find(": ");
        if (colon == std::string_view::npos) fail(text);
        const std::string key = unquoted(text.substr(0, colon));
        if (value.contains(key)) fail(text);
        text.remove_prefix(colon + 1);
        value[key] = inline_value(text, true);
      } else {
        value.push_back(inline_value(text, true));
      }
      text = trim(text);
      if (text.starts_with(',')) text.remove_prefix(1);
    }
    text.remove_prefix(1);
    return value;
  }

  static Json whole(std::string_view text) {
    Json value = inline_value(text, false);
    if (!trim(text).empty()) fail(text);
    return value;
  }

  Json block(std::size_t indent) {
    if (at_ >= lines_.size()) return nullptr;
    return lines_[at_].text.starts_with('-') ? sequence(indent) : mapping(indent);
  }

  Json sequence(std::size_t indent) {
    Json value = Json::array();
    while (at_ < lines_.size() && lines_[at_].indent == indent && lines_[at_].text.starts_with("- ")) {
      const std::string rest(trim(std::string_view(lines_[at_].text).substr(1)));
      if (key_end(rest) != std::string::npos) {
        lines_[at_] = {indent + lines_[at_].text.size() - rest.size(), rest};
        value.push_back(mapping(lines_[at_].indent));
      } else {
        ++at_;
        value.push_back(whole(rest));
      }
    }
    if (at_ < lines_.size() && lines_[at_].indent > indent) fail(lines_[at_].text);
    return value;
  }

  Json mapping(std::size_t indent) {
    Json value = Json::object();
    while (at_ < lines_.size() && lines_[at_].indent == indent) {
      const std::string line = lines_[at_++].text;
      const std::size_t end = key_end(line);
      if (end == std::string::npos) fail(line);
      const std::string key = unquoted(std::string_view(line).substr(0, end));
      if (value.contains(key)) fail(line);
      const std::string_view rest = trim(std::string_view(line).substr(end + 1));
      const bool has_more = at_ < lines_.size() && lines_[at_].indent > indent;
      if (rest == ">-") {
        std::string words;
        for (; at_ < lines_.size() && lines_[at_].indent > indent; ++at_) {
          words += (words.empty() ? "" : " ") + lines_[at_].text;
        }
        value[key] = words;
      } else if (!rest.empty()) {
        value[key] = whole(rest);
      } else {
        value[key] = has_more ? block(lines_[at_].indent) : Json();
      }
    }
    if (at_ < lines_.size() && lines_[at_].indent > indent) fail(lines_[at_].text);
    return value;
  }

  std::vector<Line> lines_;
  std::size_t at_ = 0;
};

}  // namespace tickpipe::internal::testing
