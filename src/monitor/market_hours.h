#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "core/unix_nanos.h"
#include "model/trading_calendar.h"

namespace tickpipe::internal {

/// When a symbol can be expected to move. Pairs of traded currencies (`EURUSD`, `EUR/USD`, also with `-`, `_` or `.`)
/// and metals against a currency (`XAUUSD`) are closed from Friday to Sunday, 17:00 in New York; everything else is
/// always open. Holidays are not known.
///
/// Threads: any. Cost: below a microsecond within the week that was asked for last.
class MarketHours {
 public:
  /// Throws ConfigError when there is no time zone database.
  MarketHours();

  /// Whether `symbol`, in upper case, has a weekend.
  [[nodiscard]] static bool has_weekend(std::string_view symbol) noexcept;

  [[nodiscard]] bool is_open(std::string_view symbol, UnixNanos time) const;

  /// How much of [from, to) the market was open; zero if `to` is not after `from`. Times beyond those of ticks are
  /// moved to their near end.
  [[nodiscard]] std::chrono::nanoseconds open_time_between(std::string_view symbol, UnixNanos from, UnixNanos to) const;

 private:
  /// From one opening, on Sunday, to the next.
  struct Week {
    UnixNanos open;
    UnixNanos friday_close;
    UnixNanos end;
  };
  [[nodiscard]] Week find_week(UnixNanos time) const;
  [[nodiscard]] Week week_of(UnixNanos time) const;

  TradingCalendar calendar_;
  mutable std::mutex mutex_;
  mutable Week last_{};  // asked for last; changes hardly ever, as the time asked for is mostly now
};

}  // namespace tickpipe::internal
