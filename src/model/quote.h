#pragma once

#include <cstdint>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/ids.h"

namespace tickpipe::internal {

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
  std::uint16_t marks = 0;  ///< kLiveQuote, kReceiveTimed, and the number of a verdict sink
};

/// Bits and parts of Quote::marks.
inline constexpr std::uint16_t kLiveQuote = 0x8000;     ///< came as it happened
inline constexpr std::uint16_t kReceiveTimed = 0x4000;  ///< the LP sent no time: it is that of receipt, no identity
inline constexpr std::uint16_t kVerdictMask = 0x3FFF;   ///< whom to tell the verdict; 0 = nobody

static_assert(sizeof(Quote) == 56);

}  // namespace tickpipe::internal
