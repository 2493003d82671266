#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "feed/replay_options.h"
#include "feed/sim_options.h"

namespace tickpipe::internal {

/// `none`: a place in the list of feeds that stays empty.
struct NoFeed {};

/// One element of the configured `feeds`, checked.
struct FeedSpec {
  std::string name;  ///< shown in the status: `sim`, `sim:EURUSD,BTCUSD`, `replay:quotes.csv`, `none`
  std::variant<NoFeed, SimOptions, ReplayOptions> options;
};

/// Reads the text form: `sim`, `sim:EURUSD,BTCUSD`, `replay:FILE`, `none`. Throws ConfigError.
FeedSpec parse_feed_spec(std::string_view text);

/// Key and value of an object form, the value as text: strings unquoted, numbers and booleans as written, lists joined
/// by commas.
using FeedSettings = std::vector<std::pair<std::string, std::string>>;

/// Reads the object form; `kind` is its `type`, which is not among the settings. Throws ConfigError for an unknown kind
/// or key (naming the known ones), a key that comes twice, a value out of its range, or values that do not go together.
FeedSpec make_feed_spec(std::string_view kind, const FeedSettings& settings);

}  // namespace tickpipe::internal
