#pragma once

#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// One trading week of FX and metals: open in [open, close), closed in [close, next_open).
struct FxWeek {
  UnixNanos open;       ///< Sunday 17:00 in New York
  UnixNanos close;      ///< Friday 17:00 in New York
  UnixNanos next_open;  ///< of the week after
};

/// The week that holds `time`, or that ended last before it. New York time by the rule in force since 2007: DST from
/// the second Sunday of March to the first of November, 02:00 each, so that the clock changes while the market rests.
/// Earlier years are cut by the same rule. Needs no time zone data. Cost: some tens of ns.
FxWeek fx_week_at(UnixNanos time) noexcept;

}  // namespace tickpipe::internal
