#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tickpipe/decimal.h"
#include "tickpipe/timestamp.h"

namespace tickpipe {

/// An accepted and committed quote.
struct Tick {
  std::string symbol;
  std::string lp;
  Price bid;
  Price ask;
  std::optional<Quantity> bid_size;  ///< nothing: the LP sent none
  std::optional<Quantity> ask_size;
  Timestamp timestamp = Timestamp::none();  ///< the LP's time
  Timestamp received = Timestamp::none();   ///< ours
  std::uint64_t seq = 0;                    ///< per symbol, from 1, without holes, continued across restarts
  bool out_of_order = false;                ///< older than the newest of the same LP and symbol
  bool spike = false;                       ///< moved by `price_sanity_threshold` or more
  bool late_for_bars = false;               ///< stored, but in no bar
  bool unselected = false;                  ///< outside `quote_source`: in no bar, never the latest quote

  // Of subscriptions only.
  bool is_snapshot = false;   ///< the latest quote as of subscribing, or after a gap
  bool is_after_gap = false;  ///< what came before it could not be read again; always a snapshot
  std::uint64_t skipped = 0;  ///< seq before it that are not part of the stream: no live ticks

  /// `SYMBOL-seq`
  [[nodiscard]] std::string id() const { return symbol + "-" + std::to_string(seq); }
};

/// One OHLC bar: the ticks of [open_time, close_time) in event time.
struct Bar {
  std::string symbol;
  std::string timeframe;  ///< `1m`
  Timestamp open_time = Timestamp::none();
  Timestamp close_time = Timestamp::none();  ///< exclusive
  Price open;
  Price high;
  Price low;
  Price close;
  std::uint64_t tick_count = 0;
  double volume = 0;           ///< sum of trade sizes, or the tick count of a bar without trades; the nearest double
  std::uint32_t revision = 0;  ///< how often a late tick has corrected it since it closed
  bool is_closed = false;
};

}  // namespace tickpipe
