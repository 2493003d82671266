#include "app/config/config_document.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using nlohmann::json;

/// The parser looks at most one character ahead, and a line break belongs to the line it ends: so the line of the last
/// character read is the line of the token just scanned, also of a number, whose end shows only in what follows it.
struct LineCounter {
  int of_last_char = 1;
  int of_next_char = 1;
};

class CountingIterator {
 public:
  // NOLINTBEGIN(readability-identifier-naming): names that std::iterator_traits looks for
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  // NOLINTEND(readability-identifier-naming)

  CountingIterator() = default;
  CountingIterator(const char* at, LineCounter* lines) : at_(at), lines_(lines) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    lines_->of_last_char = lines_->of_next_char;
    if (*at_ == '\n') ++lines_->of_next_char;
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_ = nullptr;
  LineCounter* lines_ = nullptr;
};

/// Builds the tree from parser events. Every event returns false to stop the parse; then a problem has been reported.
class TreeBuilder : public json::json_sax_t {
 public:
  TreeBuilder(const LineCounter& lines, const ConfigSite& site) : lines_(lines), site_(site) {}

  ConfigNode take_root() { return std::move(root_); }

  bool null() override { return add(ConfigNode::Kind::kNull, {}); }
  bool boolean(bool value) override { return add(ConfigNode::Kind::kBool, {}, value); }
  bool number_integer(number_integer_t value) override { return add(ConfigNode::Kind::kNumber, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return add(ConfigNode::Kind::kNumber, std::to_string(value));
  }
  bool number_float(number_float_t /*rounded*/, const string_t& raw) override {
    return add(ConfigNode::Kind::kNumber, raw);
  }
  bool string(string_t& value) override { return add(ConfigNode::Kind::kString, std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }  // no such thing in JSON text

  bool start_object(std::size_t /*size*/) override { return open(ConfigNode::Kind::kObject); }
  bool start_array(std::size_t /*size*/) override { return open(ConfigNode::Kind::kList); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    key_line_ = lines_.of_last_char;
    const auto [first, is_new] = stack_.back().line_of_key.try_emplace(name, key_line_);
    if (!is_new && !site_.log().full()) {
      site_of(name).error(key_line_, "given twice; the first one is in line " + std::to_string(first->second));
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& last_token, const json::exception& error) override {
    site_.error(lines_.of_last_char, explain(last_token, error));
    return false;
  }

 private:
  struct Frame {
    ConfigNode node;
    std::map<std::string, int, std::less<>> line_of_key;
  };

  ConfigNode make(ConfigNode::Kind kind, std::string text, bool boolean) {
    ConfigNode node;
    node.kind = kind;
    node.text = std::move(text);
    node.boolean = boolean;
    const bool is_member = !stack_.empty() && stack_.back().node.kind == ConfigNode::Kind::kObject;
    node.line = is_member ? key_line_ : lines_.of_last_char;
    if (is_member) node.key = std::move(key_);
    return node;
  }

  bool add(ConfigNode::Kind kind, std::string text, bool boolean = false) {
    if (!within_bounds()) return false;
    attach(make(kind, std::move(text), boolean));
    return true;
  }

  bool open(ConfigNode::Kind kind) {
    if (!within_bounds()) return false;
    if (stack_.size() >= kMaxConfigDepth) {
      site_.error(lines_.of_last_char, "nested more than " + std::to_string(kMaxConfigDepth) + " deep");
      return false;
    }
    ConfigNode node = make(kind, {}, false);
    stack_.push_back({std::move(node), {}});
    return true;
  }

  bool close() {
    ConfigNode node = std::move(stack_.back().node);
    stack_.pop_back();
    attach(std::move(node));
    return true;
  }

  void attach(ConfigNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
    } else {
      stack_.back().node.children.push_back(std::move(node));
    }
  }

  bool within_bounds() {
    if (++values_ <= kMaxConfigValues) return true;
    site_.error(lines_.of_last_char, "more than " + std::to_string(kMaxConfigValues) + " values");
    return false;
  }

  [[nodiscard]] ConfigSite site_of(std::string_view name) const {
    ConfigSite site = site_;
    for (const Frame& frame : stack_) {
      if (!frame.node.key.empty()) site = site.child(frame.node.key);
    }
    return site.child(name);
  }

  /// The parser's own text without its position (it counts in its own way) and without what it last read, which may be
  /// half of a password.
  [[nodiscard]] std::string explain(const std::string& last_token, const json::exception& error) const {
    const bool quotable = last_token.find('"') == std::string::npos && !last_token.empty();
    if (error.id == 406) return "a number that is too large: " + safe_text(last_token);
    const std::string what = error.what();
    const bool in_list = !stack_.empty() && stack_.back().node.kind == ConfigNode::Kind::kList;
    const bool ends_object = what.find("object key - unexpected '}'") != std::string::npos;
    const bool ends_list = in_list && what.find("unexpected ']'") != std::string::npos;
    if (ends_object || ends_list) {
      return std::string("not valid JSON: a comma before the closing ") + (ends_object ? "}" : "]");
    }
    if (values_ == 0 && what.find("unexpected end of input") != std::string::npos) {
      return "nothing in it; write {} to take every default";
    }
    const std::size_t dash = what.find(" - ");
    std::string reason = dash == std::string::npos ? "syntax error" : what.substr(dash + 3);
    const std::size_t last_read = reason.find("; last read");
    if (last_read != std::string::npos) {
      reason.resize(last_read);
      if (quotable) reason += " at " + safe_text(last_token);
    }
    return "not valid JSON: " + safe_text(reason, 200);
  }

  const LineCounter& lines_;
  const ConfigSite& site_;
  ConfigNode root_;
  std::vector<Frame> stack_;
  std::string key_;
  int key_line_ = 0;
  std::size_t values_ = 0;
};

void write_json(const ConfigNode& node, std::string& out) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      out += "null";
      break;
    case ConfigNode::Kind::kBool:
      out += node.boolean ? "true" : "false";
      break;
    case ConfigNode::Kind::kNumber:
      out += node.text;
      break;
    case ConfigNode::Kind::kString:
      out += json_quote(node.text);
      break;
    case ConfigNode::Kind::kList:
    case ConfigNode::Kind::kObject: {
      const bool is_object = node.kind == ConfigNode::Kind::kObject;
      out += is_object ? '{' : '[';
      for (const ConfigNode& child : node.children) {
        if (&child != &node.children.front()) out += ',';
        if (is_object) out += json_quote(child.key) + ":";
        write_json(child, out);
      }
      out += is_object ? '}' : ']';
      break;
    }
  }
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view name) const {
  const auto it = std::find_if(children.begin(), children.end(), [name](const auto& c) { return c.key == name; });
  return it == children.end() ? nullptr : &*it;
}

std::optional<ConfigNode> parse_config_document(std::string_view text, const ConfigSite& site) {
  if (text.size() > kMaxConfigBytes) {
    site.error(0, "larger than " + std::to_string(kMaxConfigBytes >> 20) + " MiB, so not a configuration");
    return std::nullopt;
  }
  // The parser takes a zero byte for the end of the input and would silently ignore what follows it.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n');
    site.error(static_cast<int>(line), "not valid JSON: a zero byte");
    return std::nullopt;
  }
  LineCounter lines;
  TreeBuilder builder(lines, site);
  const CountingIterator begin(text.data(), &lines);
  const CountingIterator end(text.data() + text.size(), &lines);
  constexpr bool kToTheEnd = true;
  constexpr bool kAllowComments = true;
  if (!json::sax_parse(begin, end, &builder, json::input_format_t::json, kToTheEnd, kAllowComments)) {
    return std::nullopt;
  }
  return builder.take_root();
}

std::string to_json(const ConfigNode& node) {
  std::string out;
  write_json(node, out);
  return out;
}

std::string json_quote(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_plain_text(std::string_view text) {
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (has_control) return false;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  quoted += '"';
  return json::accept(quoted);  // the parser checks UTF-8
}

}  // namespace tickpipe::internal
