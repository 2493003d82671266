#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "model/event_batch.h"
#include "model/history.h"

namespace tickpipe::internal::testing {

/// Everything that was committed, kept the slow and obvious way: the model of a store, and a store that fails on
/// demand.
class MemoryHistory final : public History {
 public:
  explicit MemoryHistory(std::vector<Timeframe> timeframes = {}) : timeframes_(std::move(timeframes)) {}

  Position commit(const EventBatch& batch) {
    ++newest.value;
    for (const Tick& tick : batch.ticks) add(tick);
    for (const Tick& amended : batch.amended) {
      for (Tick& tick : ticks[amended.symbol]) {
        if (tick.kind == RecordKind::kQuote && tick.seq == amended.seq) tick = amended;
      }
    }
    for (const BarEvent& event : batch.bars) {
      bars[{event.symbol, timeframes_.at(event.timeframe_index), event.bar.open_time}] = {event.bar, newest};
    }
    return newest;
  }

  void add(const Tick& tick) {
    const auto later = [](const Tick& a, const Tick& b) {
      return std::tuple(a.ts_event, a.seq) < std::tuple(b.ts_event, b.seq);
    };
    auto& list = ticks[tick.symbol];
    list.insert(std::upper_bound(list.begin(), list.end(), tick, later), tick);
  }

  /// A tick as it is stored now.
  [[nodiscard]] Tick amended_form(const Tick& tick) const {
    const auto it = ticks.find(tick.symbol);
    if (it == ticks.end() || tick.kind != RecordKind::kQuote) return tick;
    for (const Tick& stored : it->second) {
      if (stored.kind == RecordKind::kQuote && stored.seq == tick.seq) return stored;
    }
    return tick;
  }

  UnixNanos scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                 const std::function<bool(const Tick&)>& take) const override {
    read();
    ++scans;
    const auto it = ticks.find(symbol);
    if (it == ticks.end()) return to;
    const auto before = [](const Tick& tick, UnixNanos time) { return tick.ts_event < time; };
    auto tick = std::lower_bound(it->second.begin(), it->second.end(), from, before);
    for (; tick != it->second.end() && tick->ts_event < to; ++tick) {
      if (tick->kind == RecordKind::kQuote && !take(*tick)) return tick->ts_event;
    }
    return to;
  }

  [[nodiscard]] std::optional<StoredBar> find_bar(SymbolId symbol, Timeframe timeframe,
                                                  UnixNanos open_time) const override {
    read();
    const auto it = bars.find({symbol, timeframe, open_time});
    if (it == bars.end()) return std::nullopt;
    return it->second;
  }

  void scan_bars(SymbolId symbol, Timeframe timeframe, UnixNanos from, UnixNanos to, bool newest_first,
                 const std::function<bool(const Bar&)>& take) const override {
    read();
    std::vector<Bar> found;
    for (const auto& [key, stored] : bars) {
      const auto& [bar_symbol, bar_timeframe, open_time] = key;
      if (bar_symbol == symbol && bar_timeframe == timeframe && open_time >= from && open_time < to) {
        found.push_back(stored.bar);
      }
    }
    if (newest_first) std::reverse(found.begin(), found.end());
    for (const Bar& bar : found) {
      if (!take(bar)) return;
    }
  }

  Position newest;
  std::map<SymbolId, std::vector<Tick>> ticks;  ///< ascending by (ts_event, seq)
  std::map<std::tuple<SymbolId, Timeframe, UnixNanos>, StoredBar> bars;
  bool fails = false;             ///< every read throws
  mutable std::size_t scans = 0;  ///< scan() calls that did not throw
  mutable std::size_t reads = 0;  ///< calls of any kind, failing ones too

 private:
  void read() const {
    ++reads;
    if (fails) throw Error("the disk is gone");
  }
  std::vector<Timeframe> timeframes_;
};

}  // namespace tickpipe::internal::testing
