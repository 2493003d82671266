#include "pipeline/stored_rules.h"

namespace tickpipe::internal {

ShardRules stored_rules(const BarSettings& settings, const CalendarRules& calendars, const SymbolRegistry& symbols) {
  ShardRules rules;
  rules.prices = {
      .reject_ratio_units = 5 * kUnitsPerOne, .spike_threshold_units = kUnitsPerOne, .reject_spikes = false};
  rules.bar_price = bar_price_function(settings.bar_price);
  rules.timeframes = settings.timeframes;
  rules.calendar_of = [&calendars, &symbols](SymbolId id) -> const TradingCalendar& {
    return calendars.for_symbol(symbols.name(id).view());
  };
  return rules;
}

}  // namespace tickpipe::internal
