#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/price.h"
#include "model/timeframe.h"
#include "model/trading_calendar.h"
#include "pipeline/pipeline_config.h"

namespace tickpipe::internal {

/// Everything that decides which bars the same ticks give. Kept in the store: bars cut by other settings must not be
/// mixed with these.
struct BarSettings {
  std::vector<Timeframe> timeframes;
  BarPrice bar_price = BarPrice::kMid;
  std::string day_close;
  std::vector<CalendarRules::Rule> day_close_rules;

  static BarSettings of(const PipelineConfig& config);
  /// Throws Error on text that encode() did not write.
  static BarSettings decode(std::string_view text);
  [[nodiscard]] std::string encode() const;

  /// The configuration keys in which two differ, joined by commas.
  [[nodiscard]] static std::string changed_keys(const BarSettings& a, const BarSettings& b);

  [[nodiscard]] CalendarRules calendars() const { return {day_close, day_close_rules}; }
};

/// The price of a tick that bars are made of.
using BarPriceFunction = Price (*)(Price bid, Price ask);
BarPriceFunction bar_price_function(BarPrice kind);

}  // namespace tickpipe::internal
