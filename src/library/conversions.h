#pragma once

#include <tickpipe/pipeline.h>
#include <tickpipe/status.h>
#include <tickpipe/tick.h>

#include "model/bar.h"
#include "model/name_registry.h"
#include "model/system_status.h"
#include "model/tick.h"
#include "model/timeframe.h"

namespace tickpipe::internal {

/// Writes into `out`, whose strings keep their memory.
void convert(const Tick& tick, const SymbolRegistry& symbols, const LpRegistry& lps, tickpipe::Tick& out);
tickpipe::Bar convert(const Bar& bar, std::string_view symbol, std::string_view timeframe);
Statistics convert(const SystemStats& stats);
Health convert(const HealthReport& report);

}  // namespace tickpipe::internal
