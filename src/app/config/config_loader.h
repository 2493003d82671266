#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/config_problem.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

inline constexpr std::string_view kDefaultConfigFile = "config/pipeline.json";

/// Where settings come from, weakest first. The loader reads no global state: the caller hands in the environment.
struct ConfigSources {
  std::string file;                              ///< `--config`: must exist; empty = `default_file` if it exists
  std::string default_file{kDefaultConfigFile};  ///< relative to the working directory; empty = none
  /// Names and values as in `environ`. Those of no key of ours are skipped; an empty value counts as unset, as
  /// container tools pass on variables that way. Of a name given twice the first one counts, as for getenv.
  std::vector<std::pair<std::string, std::string>> environment;
  /// `--set KEY=VALUE` and options that stand for a key, in order; the last one of a key wins. Here an empty value is a
  /// value: it empties a text or a list.
  std::vector<std::pair<std::string, std::string>> overrides;
};

struct ConfigResult {
  PipelineConfig config;                ///< complete and checked if `ok()`, else not to be used
  std::string file;                     ///< the file that was read; empty = none
  std::vector<ConfigProblem> problems;  ///< errors and warnings of all sources, in the order of the sources

  [[nodiscard]] bool ok() const;  ///< no errors; warnings do not count
};

/// Loads, merges and checks the configuration: built-in < file < environment < overrides. A value of a stronger source
/// replaces the whole value of its key, lists and objects too; a bad value of a weaker one is an error all the same.
/// Never throws on bad input. Reads no other file than that of the configuration, and the time zone database.
ConfigResult load_config(const ConfigSources& sources);

/// The same for a text in place of the file, without other sources. `name` stands for the file in messages.
ConfigResult load_config_text(std::string_view text, std::string_view name);

}  // namespace tickpipe::internal
