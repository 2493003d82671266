#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/config/config_document.h"
#include "app/config/config_problem.h"
#include "pipeline/server.h"

namespace tickpipe::internal {

/// A list of feeds, each a text (`"sim:EURUSD"`) or an object with `type`, as compact JSON. What is wrong with one of
/// them is reported with its line.
std::optional<std::string> read_feeds(const ConfigNode& node, const ConfigSite& site);

/// The feeds of a JSON text that read_feeds() gave.
std::vector<ConfiguredFeed> configured_feeds(const std::string& feeds_json);

/// One feed of the command line: `sim`, `replay:FILE`. Throws ConfigError.
ConfiguredFeed feed_of_option(const std::string& spec);

}  // namespace tickpipe::internal
