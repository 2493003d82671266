#include "app/config/default_config.h"

#include <string_view>

#include "app/config/config_schema.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxColumns = 110;

void add_comment(std::string_view text, std::string_view indent, std::string& out) {
  const std::string start = std::string(indent) + "// ";
  while (!text.empty()) {
    const std::size_t room = kMaxColumns - start.size();
    std::size_t end = text.size();
    if (end > room) {
      end = text.rfind(' ', room);
      if (end == std::string_view::npos) end = text.find(' ');
      if (end == std::string_view::npos) end = text.size();
    }
    out += start;
    out += text.substr(0, end);
    out += '\n';
    text.remove_prefix(end);
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
}

std::string describe(const ConfigEntry& entry) {
  std::string text(entry.comment);
  if (!entry.limits.empty()) text += " Values: " + entry.limits + ".";
  if (!entry.not_built.empty()) text += " Not in this build yet: " + std::string(entry.not_built) + ".";
  return text;
}

std::string_view group_of(std::string_view path) {
  const std::size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

}  // namespace

std::string default_config_text() {
  const PipelineConfig defaults;
  std::string out =
      "// The configuration of tickpipe: every key with its default. Leave out what you do not change.\n"
      "// Durations: a number and ns, us, ms, s, m, h or d, such as \"500ms\". Every key can also be set by an\n"
      "// environment variable (http.port: TICKPIPE_HTTP__PORT), some by options of a command; these count for more.\n"
      "{\n";
  std::string_view section;
  std::string_view group;
  const auto& schema = config_schema();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const ConfigEntry& entry = schema[i];
    if (entry.section != section) {
      section = entry.section;
      out += i == 0 ? "  // ---- " : "\n  // ---- ";
      out += std::string(section) + " ----\n";
    }
    const std::string_view new_group = group_of(entry.path);
    if (new_group != group && !new_group.empty()) out += "  \"" + std::string(new_group) + "\": {\n";
    group = new_group;
    const std::string indent = group.empty() ? "  " : "    ";
    const std::string_view name = group.empty() ? entry.path : entry.path.substr(group.size() + 1);
    add_comment(describe(entry), indent, out);
    out += indent + "\"" + std::string(name) + "\": " + entry.render(defaults);

    const bool is_last = i + 1 == schema.size();
    const bool ends_group = !group.empty() && (is_last || group_of(schema[i + 1].path) != group);
    if (ends_group) out += "\n  }";
    out += is_last ? "\n" : ",\n";
  }
  return out + "}\n";
}

}  // namespace tickpipe::internal
