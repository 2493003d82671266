#pragma once

#include <optional>
#include <string_view>

#include "app/config/config_schema.h"

namespace tickpipe::internal {

/// Turns the text of an environment variable or option into a value for `entry`, which then checks it:
/// - strings, choices and durations as they are; `true`/`false` and `1`/`0`; numbers;
/// - lists as JSON (first character `[`) or separated by commas; empty text = empty list;
/// - `day_close` and `quote_source` as JSON or in their short form (`LP1,LP2`); `auth` as JSON;
/// - `feeds` as a JSON list, or the text is one feed, whose own text may hold commas (`sim:EURUSD,BTCUSD`).
/// Spaces around anything but strings are dropped. Problems go to `site`; returns nothing after one.
std::optional<ConfigNode> value_from_text(const ConfigEntry& entry, std::string_view text, const ConfigSite& site);

}  // namespace tickpipe::internal
