#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/bar.h"
#include "model/names.h"
#include "model/tick.h"
#include "model/timeframe.h"

namespace tickpipe::internal {

/// A quote as Redis holds it. Numbers of symbol and LP are not known yet. Whether it came live is not said.
struct EdgeQuote {
  Name symbol;
  Name lp;
  Tick tick;
};

/// A bar as Redis holds it: whole, an open one too. Of its volume only the sum is known, and of its first and last tick
/// no time.
struct EdgeBar {
  Name symbol;
  Timeframe timeframe;
  Bar bar;
};

/// Reads the JSON that model/market_json.h writes, exactly: no number goes through a double.
///
/// Takes:   one flat object of strings without escapes, numbers, literals and lists of such strings, in any order, each
///          member once. Members that it does not know are ignored.
/// Errors:  nothing for any other text, and for what no node writes: a price that is not positive, bid above ask, a
/// high
///          below the low, a time out of range. Any bytes may be given.
/// Cost:    under a microsecond, no allocation.
std::optional<EdgeQuote> parse_edge_quote(std::string_view json) noexcept;
std::optional<EdgeBar> parse_edge_bar(std::string_view json) noexcept;

}  // namespace tickpipe::internal
