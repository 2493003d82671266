#pragma once

#include "model/name_registry.h"
#include "model/trading_calendar.h"
#include "pipeline/bar_settings.h"
#include "shard/shard_engine.h"

namespace tickpipe::internal {

/// Rules of an engine that takes no quotes: it follows or folds what is stored. `calendars` and `symbols` outlive it.
ShardRules stored_rules(const BarSettings& settings, const CalendarRules& calendars, const SymbolRegistry& symbols);

}  // namespace tickpipe::internal
