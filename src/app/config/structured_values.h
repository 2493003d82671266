#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/config/config_document.h"
#include "app/config/config_problem.h"
#include "model/timeframe.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {

/// Readers of the values that are more than one word. Each reports every problem to `site` and then returns nothing.

struct DayClose {
  std::string default_close;
  std::vector<CalendarRules::Rule> rules;
};

/// `HH:MM ZONE`, or `{"default": ..., "rules": [{"match", "day_close"}]}`, where a missing default is `built_in`.
/// Zones are checked; the patterns are upper-cased, as symbols are.
std::optional<DayClose> read_day_close(const ConfigNode& node, const ConfigSite& site, const std::string& built_in);

/// Ascending, not empty, each a multiple of the smallest (one week is exempt).
std::optional<std::vector<Timeframe>> read_timeframes(const ConfigNode& node, const ConfigSite& site);

/// `last` (gives an empty list, which means all), one LP name or a list of them.
std::optional<std::vector<std::string>> read_quote_source(const ConfigNode& node, const ConfigSite& site);

/// Symbols, upper-cased, without duplicates.
std::optional<std::vector<std::string>> read_symbols(const ConfigNode& node, const ConfigSite& site);

/// Empty, or `host:port`.
std::optional<std::string> read_host_and_port(const ConfigNode& node, const ConfigSite& site);

/// A list of these, none of them empty.
std::optional<std::vector<std::string>> read_hosts_and_ports(const ConfigNode& node, const ConfigSite& site);

/// An IP address or host name to listen on, not empty.
std::optional<std::string> read_address(const ConfigNode& node, const ConfigSite& site);

/// Web origins: `scheme://host[:port]` or `*`.
std::optional<std::vector<std::string>> read_origins(const ConfigNode& node, const ConfigSite& site);

/// Reports the members of an object that are not among `names`; whether there were none.
bool check_member_names(const ConfigNode& object, const ConfigSite& site, const std::vector<std::string_view>& names);

}  // namespace tickpipe::internal
