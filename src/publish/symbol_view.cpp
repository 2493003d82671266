#include "publish/symbol_view.h"

#include <algorithm>

namespace tickpipe::internal {

void SymbolView::add_quote(const Tick& tick) {
  last_event = std::max(last_event, tick.ts_event);
  last_received = std::max(last_received, tick.ts_recv);
  LpActivity& lp = lp_activity(tick.lp);
  ++lp.tick_count;
  lp.last_event = std::max(lp.last_event, tick.ts_event);
  lp.last_received = std::max(lp.last_received, tick.ts_recv);
  if (!hot.add(tick) && late_while_filling) late_while_filling->push_back(tick);
}

LpActivity& SymbolView::lp_activity(LpId lp) {
  if (last_lp < lps.size() && lps[last_lp].lp == lp) return lps[last_lp];
  const auto known = std::find_if(lps.begin(), lps.end(), [lp](const LpActivity& other) { return other.lp == lp; });
  last_lp = static_cast<std::size_t>(known - lps.begin());
  if (known == lps.end()) lps.push_back({.lp = lp});
  return lps[last_lp];
}

SymbolActivity SymbolView::activity() const {
  return {.symbol = symbol,
          .tick_count = hot.newest_seq(),
          .last_event = last_event,
          .last_received = last_received,
          .lps = lps};
}

std::vector<Bar> SymbolView::shown_open(std::size_t timeframe_index, const BarQuery& query,
                                        const std::function<const TradingCalendar&(SymbolId)>& calendar_of) const {
  std::vector<Bar> bars = series[timeframe_index].open();
  if (timeframe_index != 0) {
    for (const Bar& base : series[0].open()) {
      auto above = std::find_if(bars.begin(), bars.end(), [&](const Bar& bar) {
        return base.open_time >= bar.open_time && base.open_time < bar.close_time;
      });
      if (above == bars.end()) {
        const Interval whole = calendar_of(symbol).interval(query.timeframe, base.open_time);
        Bar fresh;
        fresh.open_time = whole.open;
        fresh.close_time = whole.close;
        const auto later = [](UnixNanos time, const Bar& bar) { return time < bar.open_time; };
        above = bars.insert(std::upper_bound(bars.begin(), bars.end(), whole.open, later), fresh);
      }
      above->add(base);
    }
  }
  std::erase_if(bars, [&](const Bar& bar) {
    return bar.tick_count == 0 || bar.open_time < query.from || bar.open_time >= query.to;
  });
  return bars;
}

}  // namespace tickpipe::internal
