#pragma once

#include <optional>
#include <string>

#include "app/config/config_document.h"
#include "app/config/config_problem.h"

namespace tickpipe::internal {

/// Checks `auth`: `mode`, and the `keys` or the `jwt` that the mode needs. Returns it as compact JSON; reports every
/// problem to `site`, without the secrets in it, and then returns nothing.
std::optional<std::string> read_auth(const ConfigNode& node, const ConfigSite& site);

}  // namespace tickpipe::internal
