#pragma once

#include <string>

namespace tickpipe::internal {

/// The full default configuration as a commented file: every key with its meaning, limits and default. Loading it gives
/// exactly the defaults, without problems.
std::string default_config_text();

}  // namespace tickpipe::internal
