#pragma once

#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/ids.h"

namespace tickpipe {

/// A raw quote whose form is good: names interned, prices exact and positive, not crossed, time within bounds. What a
/// shard's inbox carries. What depends on other ticks (duplicates, plausibility, order) is decided by the shard.
struct Quote {
  UnixNanos ts_event;  ///< the LP's time
  UnixNanos ts_recv;   ///< ours, never stepping back
  Price bid;
  Price ask;
  Quantity bid_size = kNoQuantity;
  Quantity ask_size = kNoQuantity;
  SymbolId symbol;
  LpId lp;
};
static_assert(sizeof(Quote) == 56);

}  // namespace tickpipe
