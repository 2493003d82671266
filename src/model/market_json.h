#pragma once

#include <string_view>

#include "core/json_writer.h"
#include "model/bar.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// The JSON of quotes and bars, wherever it is sent. Each writes members with a comma behind, without braces.

/// As in REST, without what depends on when it is asked for.
void write_quote_members(JsonWriter& json, const Tick& tick, std::string_view symbol, std::string_view lp);
/// `bid_size` and `ask_size`, as far as they are known.
void write_size_members(JsonWriter& json, const Tick& tick);
/// `flags`, if there are any that a user sees.
void write_flags_member(JsonWriter& json, const Tick& tick);

/// Everything behind `timeframe`.
void write_bar_members(JsonWriter& json, const Bar& bar);

}  // namespace tickpipe::internal
