#include "app/config/config_problem.h"

#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxSourceChars = 256;
/// 64 levels of long keys; anything beyond is no key of ours.
constexpr std::size_t kMaxPathChars = 256;

}  // namespace

std::string format_problem(const ConfigProblem& problem) {
  std::string out = problem.source;
  if (problem.line > 0) out += ":" + std::to_string(problem.line);
  if (!out.empty()) out += ": ";
  if (problem.warning) out += "warning: ";
  if (!problem.path.empty()) out += problem.path + ": ";
  out += problem.message;
  if (!problem.suggestion.empty()) out += "; did you mean \"" + problem.suggestion + "\"?";
  return out;
}

void ProblemLog::add(ConfigProblem problem) {
  if (!problem.warning) ++errors_;
  if (!full()) {
    problems_.push_back(std::move(problem));
    return;
  }
  ++left_off_;
  left_off_error_ = left_off_error_ || !problem.warning;
}

std::vector<ConfigProblem> ProblemLog::take() {
  if (left_off_ > 0) {
    problems_.push_back({.path = {},
                         .line = 0,
                         .message = "and " + std::to_string(left_off_) + " more problems",
                         .suggestion = {},
                         .warning = !left_off_error_,
                         .source = {}});
  }
  return std::move(problems_);
}

ConfigSite::ConfigSite(ProblemLog& log, std::string_view source, bool has_lines)
    : log_(&log), source_(safe_text(source, kMaxSourceChars)), has_lines_(has_lines) {}

ConfigSite ConfigSite::at(std::string_view path) const {
  ConfigSite site = *this;
  site.path_ = safe_text(path, kMaxPathChars);
  return site;
}

ConfigSite ConfigSite::child(std::string_view name) const {
  ConfigSite site = *this;
  if (!site.path_.empty()) site.path_ += '.';
  site.path_ += safe_text(name);
  return site;
}

void ConfigSite::error(int line, std::string message, std::string suggestion) const {
  add(line, std::move(message), std::move(suggestion), false);
}

void ConfigSite::warning(int line, std::string message, std::string suggestion) const {
  add(line, std::move(message), std::move(suggestion), true);
}

void ConfigSite::add(int line, std::string message, std::string suggestion, bool warning) const {
  log_->add({.path = path_,
             .line = has_lines_ ? line : 0,
             .message = std::move(message),
             .suggestion = std::move(suggestion),
             .warning = warning,
             .source = source_});
}

}  // namespace tickpipe::internal
