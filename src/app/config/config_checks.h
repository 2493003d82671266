#pragma once

#include <map>
#include <string>

#include "app/config/config_problem.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

/// Who set a key last.
struct ConfigOrigin {
  ConfigSite site;
  int line = 0;
  bool good = true;  ///< false: the value was refused, so the configuration holds an older one
};

/// Keyed by path; keys that nobody set are missing.
using ConfigOrigins = std::map<std::string, ConfigOrigin, std::less<>>;

/// Reports what no single key shows: values that are good alone, but not together. Each problem is reported where the
/// key in question was set. A check is skipped when one of its values was refused before.
void check_together(const PipelineConfig& config, const ConfigOrigins& origins);

/// Warns, once a key, about settings other than the default that this build has no use for.
void warn_about_unused(const PipelineConfig& config, const ConfigOrigins& origins);

}  // namespace tickpipe::internal
