#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/bar.h"
#include "model/name_registry.h"
#include "model/tick.h"
#include "pipeline/bar_settings.h"
#include "shard/shard_engine.h"
#include "store/embedded_store.h"

namespace tickpipe::internal {

/// A data directory opened to be read, also beside a running process: what was committed when it was opened.
class StoredData {
 public:
  /// Throws Error when there is no data or it cannot be read.
  explicit StoredData(const std::filesystem::path& data_dir);

  /// Throws Error naming the known symbols when `symbol` is not among them.
  [[nodiscard]] SymbolId symbol(const Name& symbol) const;
  [[nodiscard]] const std::vector<Timeframe>& timeframes() const noexcept { return settings_.timeframes; }
  [[nodiscard]] Name lp_name(LpId lp) const { return lps_.name(lp); }

  /// Quotes with from <= ts_event < to, ascending by (ts_event, seq).
  void for_each_tick(SymbolId symbol, UnixNanos from, UnixNanos to, const std::function<void(const Tick&)>& take) const;
  /// Bars with from <= open_time < to, ascending, open ones included. Throws Error on an unknown timeframe.
  void for_each_bar(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to,
                    const std::function<void(const Bar&)>& take);

 private:
  void restore_open_bars();

  SymbolRegistry symbols_;
  LpRegistry lps_;
  std::unique_ptr<EmbeddedStore> store_;
  BarSettings settings_;
  std::unique_ptr<CalendarRules> calendars_;
  std::unique_ptr<ShardEngine> engine_;  ///< the state at the newest commit; made when first needed
};

}  // namespace tickpipe::internal
