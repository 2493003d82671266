#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// One thing that is wrong with a configuration. All texts are printable ASCII and hold no secret value.
struct ConfigProblem {
  std::string path;         ///< dotted key (`http.port`); empty = the source as a whole
  int line = 0;             ///< from 1; 0 = the source has no lines
  std::string message;      ///< what is wrong and what is expected
  std::string suggestion;   ///< the name that was probably meant; may be empty
  bool warning = false;     ///< the configuration can be used all the same
  std::string source = {};  ///< file, environment variable or `command line`
};

/// `pipeline.json:12: http.prot: unknown key; did you mean "port"?`
std::string format_problem(const ConfigProblem& problem);

/// Collects problems in the order they are found. Bounded: a hostile file of megabytes with a problem in every line
/// yields kMaxProblems of them and a last one that tells how many more there are.
class ProblemLog {
 public:
  static constexpr std::size_t kMaxProblems = 1000;

  void add(ConfigProblem problem);
  /// From now on only counted, so costly texts (suggestions) need not be made.
  [[nodiscard]] bool full() const { return problems_.size() >= kMaxProblems; }
  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] std::vector<ConfigProblem> take();

 private:
  std::vector<ConfigProblem> problems_;
  std::size_t errors_ = 0;
  std::size_t left_off_ = 0;
  bool left_off_error_ = false;
};

/// The place a value comes from: source and dotted key. Problems of the value are reported through it.
/// Lifetime: refers to a log that must outlive it; copies are cheap enough for set-up code.
class ConfigSite {
 public:
  /// `has_lines`: false for variables and the command line, whose line numbers would mean nothing.
  ConfigSite(ProblemLog& log, std::string_view source, bool has_lines);

  /// The same source, another key. Text from outside is made safe here.
  [[nodiscard]] ConfigSite at(std::string_view path) const;
  [[nodiscard]] ConfigSite child(std::string_view name) const;

  void error(int line, std::string message, std::string suggestion = {}) const;
  void warning(int line, std::string message, std::string suggestion = {}) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const ProblemLog& log() const { return *log_; }

 private:
  void add(int line, std::string message, std::string suggestion, bool warning) const;

  ProblemLog* log_;
  std::string source_;
  std::string path_;
  bool has_lines_;
};

}  // namespace tickpipe::internal
