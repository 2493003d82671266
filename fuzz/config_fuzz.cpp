// Input: `0` and the text of a configuration file, or `1`, a byte that chooses a key, and the text of its value as in a
// variable or on the command line.

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "app/config/config_document.h"
#include "app/config/config_loader.h"
#include "app/config/config_schema.h"
#include "fuzz/fuzzing.h"

namespace tickpipe::internal::fuzzing {
namespace {

bool same_but_for_lines(const ConfigNode& a, const ConfigNode& b) {
  return a.kind == b.kind && a.boolean == b.boolean && a.key == b.key && a.text == b.text &&
         std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(), same_but_for_lines);
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

void check_problems(const ConfigResult& result, int lines) {
  bool has_error = false;
  require(result.problems.size() <= ProblemLog::kMaxProblems + 1, "problems are bounded");
  for (const ConfigProblem& problem : result.problems) {
    require(is_printable(format_problem(problem)), "a problem is printable");
    require(!problem.message.empty(), "a problem says what is wrong");
    require(problem.line >= 0 && problem.line <= lines, "a problem is in a line that is there");
    has_error = has_error || !problem.warning;
  }
  require(result.ok() == !has_error, "it is good if there is no error");
}

std::string settings(const PipelineConfig& config) {
  std::string out;
  for (const ConfigEntry& entry : config_schema()) out += std::string(entry.path) + entry.render(config) + '\n';
  return out;
}

/// Every key with its value, as a file.
std::string as_file(const PipelineConfig& config) {
  std::map<std::string, std::string> groups;
  for (const ConfigEntry& entry : config_schema()) {
    const std::size_t dot = entry.path.find('.');
    const std::string group(dot == std::string_view::npos ? "" : entry.path.substr(0, dot));
    std::string& members = groups[group];
    if (!members.empty()) members += ",\n";
    members += json_quote(dot == std::string_view::npos ? entry.path : entry.path.substr(dot + 1)) + ": " +
               entry.render(config);
  }
  std::string out = "{" + groups[""];
  for (const auto& [group, members] : groups) {
    if (!group.empty()) out += ",\n" + json_quote(group) + ": {" + members + "}";
  }
  return out + "}";
}

/// A good configuration, written down, is the same configuration.
void check_settings(const ConfigResult& result) {
  if (!result.ok()) return;
  const ConfigResult again = load_config_text(as_file(result.config), "again");
  for (const ConfigProblem& problem : again.problems) {
    if (!problem.warning) std::fprintf(stderr, "%s\n", format_problem(problem).c_str());
  }
  require(again.ok(), "a good configuration, written down, is good");
  require(settings(again.config) == settings(result.config), "a good configuration, written down, is the same");
}

void check_document(std::string_view text) {
  ProblemLog log;
  const ConfigSite site(log, "c.json", true);
  const auto document = parse_config_document(text, site);
  const bool has_errors = log.error_count() > 0;
  const std::vector<ConfigProblem> problems = log.take();
  require(document.has_value() || has_errors, "a document that is refused has an error");

  constexpr bool kAllowComments = true;
  const bool accepted = nlohmann::json::accept(text, kAllowComments);
  require(!document || accepted, "a document is JSON with comments");
  if (accepted && !document) {
    const std::string& message = problems.front().message;
    require(message.find("zero byte") != std::string::npos || message.find("more than") != std::string::npos,
            "JSON with comments is a document unless it goes beyond a bound");
  }
  if (!document) return;
  const std::string json = to_json(*document);
  ProblemLog other_log;
  const auto again = parse_config_document(json, ConfigSite(other_log, "again", true));
  require(again.has_value() && same_but_for_lines(*document, *again), "a document, written down, is the same");
  require(to_json(*again) == json, "a document is always written down alike");
}

void check_file(std::string_view text) {
  check_document(text);
  const ConfigResult result = load_config_text(text, "c.json");
  check_problems(result, 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n')));
  check_settings(result);
}

void check_value(const ConfigEntry& entry, const std::string& text) {
  ConfigSources sources;
  sources.default_file.clear();
  sources.overrides = {{std::string(entry.path), text}};
  const ConfigResult by_option = load_config(sources);
  check_problems(by_option, 0);
  check_settings(by_option);
  if (text.empty()) return;  // to a variable that is no value

  sources.overrides.clear();
  sources.environment = {{environment_name(entry.path), text}};
  const ConfigResult by_variable = load_config(sources);
  check_problems(by_variable, 0);
  require(by_option.problems.size() == by_variable.problems.size(), "a variable and an option have the same problems");
  require(settings(by_option.config) == settings(by_variable.config), "a variable and an option mean the same");
}

}  // namespace

void check(Input input) {
  if (!input.flag()) return check_file(input.rest());
  const auto& schema = config_schema();
  const ConfigEntry& entry = schema[input.byte() % schema.size()];
  check_value(entry, std::string(input.rest()));
}

}  // namespace tickpipe::internal::fuzzing
