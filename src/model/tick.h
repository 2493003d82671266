#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/ids.h"

namespace tickpipe::internal {

/// What a record of the event stream and of the store is. The numbers are part of the store format; a reader skips and
/// counts numbers that it does not know.
enum class RecordKind : std::uint8_t {
  kQuote = 0,
  kTrade = 1,  ///< `bid` holds the price, `bid_size` the size; takes no seq and enters bar volume only
  kGap = 2,    ///< the LP may have missed ticks before this moment; takes no seq, no price
};

/// Bits of Tick::flags; part of the store format.
enum TickFlag : std::uint8_t {
  kOutOfOrder = 1,     ///< older than the newest of the same LP and symbol
  kSpike = 2,          ///< moved by `price_sanity_threshold` or more
  kLateForBars = 4,    ///< in no bar: its bar could no longer be corrected
  kUnselected = 8,     ///< outside the selected stream (`quote_source`): in no bar, never the latest quote
  kAfterGap = 16,      ///< first tick of its LP and symbol after a gap marker
  kHistorical = 32,    ///< did not come live
  kNewLevel = 64,      ///< ended a streak of refused quotes: sets the price level, also when it is late
  kFoldedLater = 128,  ///< was kLateForBars until it was loaded as history: in its bars from that commit on
};

/// An accepted record: the unit of the event stream and of the store.
struct Tick {
  UnixNanos ts_event;
  UnixNanos ts_recv;
  Price bid;
  Price ask;
  Quantity bid_size = kNoQuantity;
  Quantity ask_size = kNoQuantity;
  std::uint64_t seq = 0;  ///< per symbol, from 1, without holes; a trade or gap repeats that of the quote before it
  SymbolId symbol;
  LpId lp;
  RecordKind kind = RecordKind::kQuote;
  std::uint8_t flags = 0;

  friend bool operator==(const Tick&, const Tick&) = default;
};
static_assert(sizeof(Tick) == 64);
static_assert(std::is_trivially_copyable_v<Tick>);

/// Whether a quote belongs to the stream of all live quotes: of the selected stream, and not older than
/// `live_tick_age` when it was received.
inline bool is_streamed(const Tick& tick, std::chrono::nanoseconds live_tick_age) noexcept {
  return (tick.flags & (kHistorical | kUnselected)) == 0 && tick.ts_recv - tick.ts_event <= live_tick_age;
}

/// Names of the flags a user sees, joined by `|`: `out_of_order spike late_for_bars unselected gap`.
std::string flags_to_string(std::uint8_t flags);

}  // namespace tickpipe::internal
