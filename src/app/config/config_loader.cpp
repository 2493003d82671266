#include "app/config/config_loader.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "app/config/config_checks.h"
#include "app/config/config_document.h"
#include "app/config/config_schema.h"
#include "app/config/key_suggestion.h"
#include "app/config/scalar_values.h"
#include "app/config/text_value.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kPrefix = "TICKPIPE_";
constexpr std::string_view kCommandLine = "command line";
/// Of that prefix, but for the project's own tests.
constexpr std::array<std::string_view, 1> kOtherVariables = {"TICKPIPE_RECORDINGS"};

struct ShortName {
  std::string_view variable;
  std::string_view path;
};
constexpr std::array<ShortName, 2> kShortNames = {{{"REDIS_ADDR", "redis_addr"}, {"PIPELINE_WORKERS", "worker_count"}}};

class Loader {
 public:
  void load_file(const std::string& path);
  void load_text(std::string_view text, std::string_view name);
  void load_environment(const std::vector<std::pair<std::string, std::string>>& variables);
  void load_overrides(const std::vector<std::pair<std::string, std::string>>& overrides);
  ConfigResult finish();

 private:
  void apply(const ConfigEntry& entry, const ConfigNode& node, const ConfigSite& site);
  void apply_text(const ConfigEntry& entry, std::string_view text, const ConfigSite& site);
  void apply_group(const ConfigNode& object, const ConfigSite& source, const std::string& group);
  void report_unknown(const ConfigNode& member, const ConfigSite& source, const std::string& group);
  void report_unknown_variable(const std::string& name);

  ConfigResult result_;
  ProblemLog log_;
  ConfigOrigins origins_;
};

void Loader::apply(const ConfigEntry& entry, const ConfigNode& node, const ConfigSite& site) {
  const std::size_t errors_before = log_.error_count();
  entry.set(node, site, result_.config);
  const bool good = log_.error_count() == errors_before;
  origins_.insert_or_assign(std::string(entry.path), ConfigOrigin{site, node.line, good});
}

void Loader::apply_text(const ConfigEntry& entry, std::string_view text, const ConfigSite& site) {
  if (const std::optional<ConfigNode> node = value_from_text(entry, text, site)) {
    apply(entry, *node, site);
  } else {
    origins_.insert_or_assign(std::string(entry.path), ConfigOrigin{site, 0, false});
  }
}

void Loader::report_unknown(const ConfigNode& member, const ConfigSite& source, const std::string& group) {
  if (log_.full()) return source.error(member.line, "unknown key");
  const ConfigSite site = source.at(group).child(member.key);
  // A dotted key means a nested one: it is known, only written the way the command line and the documents do.
  std::string suggestion = suggest_key(group, member.key, config_paths());
  std::string message = "unknown key";
  if (const std::size_t dot = suggestion.find('.'); dot != std::string::npos) {
    message += R"( here; it is written {")" + suggestion.substr(0, dot) + R"(": {")" + suggestion.substr(dot + 1) +
               R"(": ...}})";
  }
  site.error(member.line, std::move(message), std::move(suggestion));
}

void Loader::apply_group(const ConfigNode& object, const ConfigSite& source, const std::string& group) {
  for (const ConfigNode& member : object.children) {
    const std::string path = group.empty() ? member.key : group + "." + member.key;
    // A key with a dot in it is no path, though it looks like one.
    const bool is_name = member.key.find('.') == std::string::npos;
    const ConfigEntry* const entry = is_name ? find_config_entry(path) : nullptr;
    if (entry != nullptr) {
      apply(*entry, member, source.at(path));
    } else if (!is_name || !is_config_group(path)) {
      report_unknown(member, source, group);
    } else if (member.kind != ConfigNode::Kind::kObject) {
      source.at(path).error(member.line,
                            "expected an object with the keys of this group, got " + std::string(kind_of(member)));
    } else {
      apply_group(member, source, path);
    }
  }
}

void Loader::load_text(std::string_view text, std::string_view name) {
  const ConfigSite source(log_, name, true);
  const std::optional<ConfigNode> document = parse_config_document(text, source);
  if (!document) return;
  if (document->kind != ConfigNode::Kind::kObject) {
    source.error(document->line, "expected an object { ... }, got " + std::string(kind_of(*document)));
    return;
  }
  apply_group(*document, source, {});
}

void Loader::load_file(const std::string& path) {
  result_.file = path;
  const ConfigSite source(log_, path, true);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return source.error(0, "is a directory, not a configuration file");
  // No check for a regular file: a pipe (`--config <(...)`) is as good.
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const bool exists = std::filesystem::exists(path, ignored);
    return source.error(0, exists ? "cannot open the configuration file for reading" : "no such configuration file");
  }
  std::string text(kMaxConfigBytes + 1, '\0');  // one more than is taken, so that a longer file shows
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return source.error(0, "cannot read the configuration file");
  text.resize(static_cast<std::size_t>(file.gcount()));
  load_text(text, path);
}

void Loader::report_unknown_variable(const std::string& name) {
  const ConfigSite source(log_, name, false);
  if (log_.full()) return source.warning(0, "unknown variable");
  std::string path;
  for (std::size_t i = kPrefix.size(); i < name.size(); ++i) {
    const bool is_dot = name[i] == '_' && i + 1 < name.size() && name[i + 1] == '_';
    if (is_dot) ++i;
    path += is_dot ? '.' : name[i];
  }
  std::transform(path.begin(), path.end(), path.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string group = path.substr(0, path.find('.'));
  if (const ConfigEntry* const entry = find_config_entry(group); entry != nullptr && group.size() < path.size()) {
    // Such as TICKPIPE_AUTH__MODE: the key has parts, but is set as a whole.
    return source.warning(0, "unknown variable, ignored; the value is set as a whole", environment_name(entry->path));
  }
  const std::string suggestion = suggest_key({}, path, config_paths());
  const bool is_key = find_config_entry(suggestion) != nullptr;
  source.warning(0, "unknown variable, ignored", is_key ? environment_name(suggestion) : std::string{});
}

void Loader::load_environment(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : variables) values.try_emplace(name, value);
  const auto value_of = [&values](const std::string& name) -> const std::string* {
    const auto it = values.find(name);
    return it == values.end() || it->second.empty() ? nullptr : &it->second;
  };

  std::set<std::string> known(kOtherVariables.begin(), kOtherVariables.end());
  for (const ConfigEntry& entry : config_schema()) {
    std::string name = environment_name(entry.path);
    known.insert(name);
    const std::string* value = value_of(name);
    for (const ShortName& other : kShortNames) {
      if (value != nullptr || other.path != entry.path) continue;
      name = other.variable;
      value = value_of(name);
    }
    if (value != nullptr) apply_text(entry, *value, ConfigSite(log_, name, false).at(entry.path));
  }
  for (const auto& [name, value] : values) {
    if (name.starts_with(kPrefix) && !known.contains(name) && !value.empty()) report_unknown_variable(name);
  }
}

void Loader::load_overrides(const std::vector<std::pair<std::string, std::string>>& overrides) {
  const ConfigSite source(log_, kCommandLine, false);
  for (const auto& [path, value] : overrides) {
    if (const ConfigEntry* const entry = find_config_entry(path); entry != nullptr) {
      apply_text(*entry, value, source.at(path));
    } else {
      std::string suggestion = suggest_key({}, path, config_paths());
      if (is_config_group(suggestion)) suggestion.clear();
      source.at(path).error(0, "unknown key", std::move(suggestion));
    }
  }
}

ConfigResult Loader::finish() {
  check_together(result_.config, origins_);
  warn_about_unused(result_.config, origins_);
  result_.problems = log_.take();
  return std::move(result_);
}

}  // namespace

bool ConfigResult::ok() const {
  return std::all_of(problems.begin(), problems.end(), [](const ConfigProblem& problem) { return problem.warning; });
}

ConfigResult load_config(const ConfigSources& sources) {
  Loader loader;
  std::error_code ignored;
  if (!sources.file.empty()) {
    loader.load_file(sources.file);
  } else if (!sources.default_file.empty() && std::filesystem::exists(sources.default_file, ignored)) {
    loader.load_file(sources.default_file);
  }
  loader.load_environment(sources.environment);
  loader.load_overrides(sources.overrides);
  return loader.finish();
}

ConfigResult load_config_text(std::string_view text, std::string_view name) {
  Loader loader;
  loader.load_text(text, name);
  return loader.finish();
}

}  // namespace tickpipe::internal
