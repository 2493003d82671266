#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "model/market_data.h"
#include "publish/bar_cache.h"
#include "publish/hot_ticks.h"

namespace tickpipe::internal {

/// What is in memory of one symbol. Everything up to `group` is guarded by `mutex`.
struct SymbolView {
  SymbolView(SymbolId id, std::size_t timeframe_count, std::size_t hot_limit)
      : symbol(id), hot(id, hot_limit), series(timeframe_count) {}

  const SymbolId symbol;
  mutable std::mutex mutex;
  Tick latest;  ///< seq 0 = none
  HotTicks hot;
  /// `hot` holds what the store has of its size, or need not be filled from it.
  bool is_hot_filled = true;
  /// While `hot` is being filled from the store: committed quotes that belong below its completeness.
  std::optional<std::vector<Tick>> late_while_filling;
  std::vector<Tick> amended_while_filling;  ///< what is read from the store meanwhile may be older than they are
  UnixNanos last_event = kNoTime;
  UnixNanos last_received = kNoTime;
  std::vector<LpActivity> lps;
  std::size_t last_lp = 0;
  std::vector<BarSeries> series;  ///< by timeframe index

  /// Of the committer thread: the group of this symbol in the current batch, if `group_number` is that batch's.
  std::uint32_t group = 0;
  std::uint64_t group_number = 0;

  void add_quote(const Tick& tick);
  [[nodiscard]] SymbolActivity activity() const;

  /// The open bars of a timeframe as readers see them: complete up to the newest quote, none without quotes; ascending,
  /// open times within the range of the query, whose limit is ignored.
  [[nodiscard]] std::vector<Bar> shown_open(std::size_t timeframe_index, const BarQuery& query,
                                            const std::function<const TradingCalendar&(SymbolId)>& calendar_of) const;

 private:
  LpActivity& lp_activity(LpId lp);
};

}  // namespace tickpipe::internal
