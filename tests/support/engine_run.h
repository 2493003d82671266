#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shard/shard_engine.h"
#include "support/memory_history.h"

namespace tickpipe::internal::testing {

inline constexpr UnixNanos kEngineNoon{1'770'033'600 * kNanosPerSecond};  // 2026-02-02T12:00:00Z

inline Quote make_quote(UnixNanos ts, std::int64_t price, std::uint16_t lp = 0, std::uint32_t symbol = 0) {
  Quote quote;
  quote.ts_event = ts;
  quote.ts_recv = ts + std::chrono::milliseconds{1};
  quote.bid = Price{price};
  quote.ask = Price{price + 2};
  quote.symbol = SymbolId{symbol};
  quote.lp = LpId{lp};
  return quote;
}

/// The same, live: received `delay` after its event time.
inline Quote make_live_quote(UnixNanos ts, std::int64_t price, std::uint16_t lp = 0,
                             std::chrono::nanoseconds delay = std::chrono::milliseconds{1}) {
  Quote quote = make_quote(ts, price, lp);
  quote.ts_recv = ts + delay;
  quote.marks = kLiveQuote;
  return quote;
}

inline const std::vector<Timeframe>& engine_timeframes() {
  static const std::vector<Timeframe> timeframes = {
      Timeframe{std::chrono::minutes{1}}, Timeframe{std::chrono::minutes{5}}, Timeframe{std::chrono::hours{1}}};
  return timeframes;
}

inline ShardRules engine_rules() {
  static const TradingCalendar calendar("00:00 UTC");
  ShardRules rules;
  rules.prices = {5 * kUnitsPerOne, kUnitsPerOne / 10, false};
  rules.timeframes = engine_timeframes();
  rules.calendar_of = [](SymbolId) -> const TradingCalendar& { return calendar; };
  rules.is_selected = [](LpId lp) { return lp != LpId{9}; };
  return rules;
}

inline MemoryHistory make_history() { return MemoryHistory(engine_timeframes()); }

/// An engine and what a shard and a committer do around it, by hand. Its store is `history`; what was committed is kept
/// for a restart.
class EngineRun {
 public:
  /// The state of the newest commit that a restart would find.
  struct Stored {
    std::map<SymbolId, std::pair<Position, std::string>> snapshots;
    Position checkpoint;
    std::vector<std::pair<Position, EventBatch>> log;
  };

  explicit EngineRun(MemoryHistory history, ShardRules rules = engine_rules())
      : history_(std::move(history)), engine_(with_history(std::move(rules))) {
    batch_.number = 1;
  }
  EngineRun(const EngineRun&) = delete;
  EngineRun& operator=(const EngineRun&) = delete;

  /// Restores what `stored` holds into the engine, which is fresh.
  void restore(const Stored& stored) {
    for (const auto& [symbol, snapshot] : stored.snapshots) engine_.restore(symbol, snapshot.first, snapshot.second);
    for (const auto& [position, batch] : stored.log) {
      if (position <= stored.checkpoint) continue;
      // Per symbol: a close mark stands behind the quote whose seq it names.
      std::map<SymbolId, std::vector<CloseMark>> marks;
      for (const CloseMark& mark : batch.closes) marks[mark.symbol].push_back(mark);
      const auto replay_marks = [&, at = position](SymbolId symbol, std::uint64_t below_seq) {
        auto& list = marks[symbol];
        while (!list.empty() && list.front().after_seq < below_seq) {
          engine_.replay(list.front(), at);
          list.erase(list.begin());
        }
      };
      for (const Tick& tick : batch.ticks) {
        replay_marks(tick.symbol, tick.seq);
        engine_.replay(history_.amended_form(tick), position);
      }
      for (const auto& [symbol, list] : std::map(marks)) replay_marks(symbol, UINT64_MAX);
      for (const Tick& tick : batch.amended) engine_.replay_amended(tick, position);
    }
    engine_.finish_restore();
    stored_ = stored;
  }

  /// The accepted tick, or nothing; then refused_for() tells the reason.
  std::optional<Tick> process(const Quote& quote) {
    const auto before = reasons();
    const std::size_t ticks = batch_.ticks.size();
    engine_.process(quote, batch_, committed_);
    const auto after = reasons();
    refused_for_.reset();
    for (std::size_t i = 0; i < kReasonCount; ++i) {
      if (after[i] != before[i]) refused_for_ = static_cast<Reason>(i);
    }
    EXPECT_EQ(batch_.ticks.size() - ticks, refused_for_ ? 0U : 1U);
    if (refused_for_) return std::nullopt;
    return batch_.ticks.back();
  }
  [[nodiscard]] std::optional<Reason> refused_for() const { return refused_for_; }

  Tick accepted(const Quote& quote) {
    const auto tick = process(quote);
    EXPECT_TRUE(tick) << to_string(refused_for_.value_or(Reason::kMalformed));
    return tick.value_or(Tick{});
  }
  std::optional<Reason> refused(const Quote& quote) {
    process(quote);
    return refused_for_;
  }

  void close_by_clock(UnixNanos now, std::chrono::nanoseconds grace) { engine_.close_by_clock(now, grace, batch_); }
  void close_through(UnixNanos time) { engine_.close_through(time, batch_); }

  /// Hands the batch over; it is committed by commit_all(), at once by default.
  EventBatch hand_over(bool force_checkpoint = false, bool commit = true) {
    engine_.complete(batch_, committed_, force_checkpoint);
    pending_.push_back(batch_);
    batch_.clear();
    ++batch_.number;
    const EventBatch handed = pending_.back();
    if (commit) commit_all();
    return handed;
  }

  void commit_all() {
    for (const EventBatch& batch : pending_) {
      const Position position = history_.commit(batch);
      for (const SymbolSnapshot& snapshot : batch.snapshots) {
        stored_.snapshots[snapshot.symbol] = {position, snapshot.bytes};
      }
      if (batch.is_checkpoint) stored_.checkpoint = position;
      stored_.log.emplace_back(position, batch);
      committed_ = batch.number;
    }
    pending_.clear();
  }

  [[nodiscard]] std::string state(std::uint32_t symbol = 0) const {
    std::string bytes;
    if (const SymbolState* found = engine_.find(SymbolId{symbol})) found->encode(bytes);
    return bytes;
  }
  [[nodiscard]] ReasonCounts reasons() const {
    ReasonCounts counts{};
    for (std::size_t i = 0; i < kReasonCount; ++i) counts[i] = engine_.counters().refused[i].load();
    return counts;
  }

  [[nodiscard]] MemoryHistory& history() { return history_; }
  [[nodiscard]] ShardEngine& engine() { return engine_; }
  [[nodiscard]] const Stored& stored() const { return stored_; }

 private:
  ShardRules with_history(ShardRules rules) {
    rules.history = &history_;
    rules.run_start = history_.newest;
    return rules;
  }

  MemoryHistory history_;
  ShardEngine engine_;
  EventBatch batch_;
  std::vector<EventBatch> pending_;
  std::uint64_t committed_ = 0;
  std::optional<Reason> refused_for_;
  Stored stored_;
};

}  // namespace tickpipe::internal::testing
