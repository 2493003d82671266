#pragma once

#include <cstdint>

#include "core/int128.h"
#include "core/price.h"
#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// One OHLC bar: the ticks of one symbol with open_time <= ts_event < close_time.
///
/// The times of its first and last tick are part of the value, so that a tick can be folded in at any later moment and
/// in any order and still gives what a fold over all ticks sorted by (ts_event, acceptance) gives.
struct Bar {
  UnixNanos open_time;
  UnixNanos close_time;  ///< exclusive
  Price open;
  Price high;
  Price low;
  Price close;
  UnixNanos first_tick = kEndOfTime;
  UnixNanos last_tick = kNoTime;
  std::uint64_t tick_count = 0;
  Int128 trade_volume = 0;  ///< in 1e-9; sum of trade sizes
  std::uint64_t trade_count = 0;
  std::uint32_t revision = 0;
  bool is_closed = false;

  /// Folds one tick in. Ties in time go by call order: the first call keeps the open, the last call takes the close.
  void add(UnixNanos ts_event, Price price) noexcept {
    if (tick_count == 0) {
      open = high = low = close = price;
      first_tick = last_tick = ts_event;
    } else {
      if (price > high) high = price;
      if (price < low) low = price;
      if (ts_event >= last_tick) {
        last_tick = ts_event;
        close = price;
      } else if (ts_event < first_tick) {
        first_tick = ts_event;
        open = price;
      }
    }
    ++tick_count;
  }

  void add_trade(Quantity size) noexcept {
    trade_volume += size.units;
    ++trade_count;
  }

  /// Folds another bar in, whose ticks are all before or all after those of this one.
  void add(const Bar& other) noexcept {
    trade_volume += other.trade_volume;
    trade_count += other.trade_count;
    if (other.tick_count == 0) return;
    if (tick_count == 0) {
      open = other.open;
      high = other.high;
      low = other.low;
      close = other.close;
      first_tick = other.first_tick;
      last_tick = other.last_tick;
    } else {
      if (other.high > high) high = other.high;
      if (other.low < low) low = other.low;
      if (other.last_tick > last_tick) {
        last_tick = other.last_tick;
        close = other.close;
      }
      if (other.first_tick < first_tick) {
        first_tick = other.first_tick;
        open = other.open;
      }
    }
    tick_count += other.tick_count;
  }

  /// What users see as volume, in 1e-9: traded size, or the tick count of a bar without trades.
  [[nodiscard]] Int128 volume() const noexcept {
    return trade_count != 0 ? trade_volume : static_cast<Int128>(tick_count) * kUnitsPerOne;
  }

  friend bool operator==(const Bar&, const Bar&) = default;
};

}  // namespace tickpipe::internal
