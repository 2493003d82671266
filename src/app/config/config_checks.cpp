#include "app/config/config_checks.h"

#include <exception>
#include <initializer_list>
#include <string_view>

#include "app/config/config_schema.h"
#include "core/safe_text.h"
#include "model/trading_calendar.h"
#include "serve/listening_socket.h"

namespace tickpipe::internal {
namespace {

/// The origin of the first of the keys that was set, as long as none of their values was refused.
const ConfigOrigin* blame(const ConfigOrigins& origins, std::initializer_list<std::string_view> paths) {
  const ConfigOrigin* found = nullptr;
  for (const std::string_view path : paths) {
    const auto it = origins.find(path);
    if (it == origins.end()) continue;
    if (!it->second.good) return nullptr;
    if (found == nullptr) found = &it->second;
  }
  return found;
}

void check_day_close(const PipelineConfig& config, const ConfigOrigin& origin) {
  try {
    const Timeframe smallest = config.timeframes.front();
    std::string culprit;
    const CalendarRules rules(config.day_close, config.day_close_rules);
    if (rules.aligned_to(smallest, &culprit)) return;
    origin.site.error(origin.line, "\"" + safe_text(culprit) + "\" does not fall on a boundary of the smallest " +
                                       "timeframe, " + smallest.name() + ", at every offset of its zone since 1973; " +
                                       "take a smaller timeframe or another close");
  } catch (const std::exception& error) {  // a time zone file that cannot be read
    origin.site.error(origin.line, safe_text(error.what(), 200));
  }
}

}  // namespace

void check_together(const PipelineConfig& config, const ConfigOrigins& origins) {
  if (const ConfigOrigin* origin = blame(origins, {"day_close", "timeframes"}); origin != nullptr) {
    check_day_close(config, *origin);
  }
  const ConfigOrigin* const sentinels = blame(origins, {"redis_sentinels", "redis_master"});
  if (sentinels != nullptr && config.redis_sentinels.empty() != config.redis_master.empty()) {
    sentinels->site.error(sentinels->line, "redis_sentinels and redis_master go together");
  }
  const ConfigOrigin* const role = blame(origins, {"role", "redis_addr", "redis_sentinels"});
  if (role != nullptr && config.role == Role::kEdge && !config.has_redis()) {
    role->site.error(role->line, "an edge reads from Redis; set redis_addr, or redis_sentinels and redis_master");
  }
  const ConfigOrigin* const address = blame(origins, {"http.address", "http.allow_insecure"});
  if (address != nullptr && !config.http.allow_insecure && is_outside_number(config.http.address)) {
    address->site.error(address->line, outside_refusal(config.http.address));
  }
  const ConfigOrigin* const symbols = blame(origins, {"symbols", "max_symbols"});
  if (symbols != nullptr && config.symbols.size() > config.max_symbols) {
    symbols->site.error(symbols->line, std::to_string(config.symbols.size()) +
                                           " symbols are listed, but max_symbols is " +
                                           std::to_string(config.max_symbols));
  }
}

void warn_about_unused(const PipelineConfig& config, const ConfigOrigins& origins) {
  const PipelineConfig defaults;
  for (const ConfigEntry& entry : config_schema()) {
    if (entry.not_built.empty()) continue;
    const auto origin = origins.find(entry.path);
    if (origin == origins.end() || entry.render(config) == entry.render(defaults)) continue;
    origin->second.site.warning(origin->second.line,
                                "accepted, but not in this build yet: " + std::string(entry.not_built));
  }
}

}  // namespace tickpipe::internal
