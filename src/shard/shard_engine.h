#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/event_batch.h"
#include "model/history.h"
#include "model/quote.h"
#include "model/reason.h"
#include "model/trading_calendar.h"
#include "model/verdict_book.h"
#include "shard/price_gate.h"
#include "shard/stored_quotes.h"
#include "shard/symbol_state.h"

namespace tickpipe::internal {

/// What of the rules may change while a shard runs.
struct ShardThresholds {
  PriceGate::Rules prices;
  std::chrono::nanoseconds live_tick_age{0};
  std::chrono::nanoseconds bar_revision_window{0};
};

/// What a shard needs to know. References outlive the shard.
struct ShardRules {
  std::uint32_t shard = 0;
  std::uint32_t shard_count = 1;
  bool deduplicate = true;
  std::chrono::nanoseconds dedup_window = std::chrono::seconds{5};
  bool flag_out_of_order = true;
  PriceGate::Rules prices;
  std::chrono::nanoseconds live_tick_age = std::chrono::seconds{60};  ///< older: never the latest quote
  /// Live ticks: from the end of a closed base bar to the symbol's newest event time, while they may still correct it.
  std::chrono::nanoseconds bar_revision_window = std::chrono::minutes{10};
  bool tell_readers = false;        ///< fill EventBatch::open_bars and EventBatch::latest
  VerdictBook* verdicts = nullptr;  ///< for quotes that have a verdict sink; outlives the shard
  Price (*bar_price)(Price bid, Price ask) = mid_price;
  std::vector<Timeframe> timeframes;
  std::function<const TradingCalendar&(SymbolId)> calendar_of;        ///< asked once per symbol
  std::function<bool(LpId)> is_selected = [](LpId) { return true; };  ///< asked once per LP and symbol
  const History* history = nullptr;                                   ///< null = nothing is stored
  Position run_start;                                                 ///< newest commit when the process started
  /// Accepted ticks of one shard after which all shards write a checkpoint; bounds the work of a restart.
  std::uint32_t checkpoint_every = 250'000;
  std::atomic<std::uint64_t>* checkpoint_round = nullptr;  ///< shared by all shards; null = each for itself
};

/// Counters of a shard since start. Written by the shard, read by anyone.
struct ShardCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> out_of_order{0};
  std::atomic<std::uint64_t> spikes{0};
  std::atomic<std::uint64_t> late_for_bars{0};
  std::atomic<std::uint64_t> bar_events{0};
  std::array<std::atomic<std::uint64_t>, kReasonCount> refused{};
};

/// The rules of a shard without its thread: duplicates, plausibility, order, seq, the latest quote, bars.
///
/// Place:    inbox -> [shard engine] -> batch. A symbol lives in exactly one engine: symbol % shard_count.
/// Order:    ticks of a symbol leave in the order of process() calls.
/// Threads:  one at a time; counters() from any.
/// Cost:     a tick in order costs no allocation, lock, clock call or virtual call.
class ShardEngine {
 public:
  explicit ShardEngine(ShardRules rules);

  /// Decides on a quote; when accepted it goes to `batch.ticks`. `committed` is the number of the newest committed
  /// batch of this shard. When the store cannot be read the quote is refused as kStoreUnavailable and nothing changes.
  void process(const Quote& quote, EventBatch& batch, std::uint64_t committed);

  /// Closes every bar of every symbol that ends at or before `time`.
  void close_through(UnixNanos time, EventBatch& batch);

  /// Closes the bars that ended `grace` ago by the wall clock, of symbols that are live or have received nothing for
  /// 60 s. To be called about once a second.
  void close_by_clock(UnixNanos now, std::chrono::nanoseconds grace, EventBatch& batch);

  void set_thresholds(const ShardThresholds& thresholds);

  /// From now on quotes of this UTC day are refused as kTooOld, duplicates too; unseal() takes that back.
  void seal(SymbolId symbol, std::int32_t day, EventBatch& batch);
  void unseal(SymbolId symbol, std::int32_t day, EventBatch& batch);
  /// Closed bars of the symbol that ended at or before `end` are removed: a quote whose base bar is among them does not
  /// bring it back, but is stored as late for bars.
  void give_up_bars(SymbolId symbol, UnixNanos end);

  /// Makes `batch` whole: bars that changed, and a checkpoint when one is due or `force_checkpoint`.
  void complete(EventBatch& batch, std::uint64_t committed, bool force_checkpoint);

  /// Whether complete() will add a checkpoint.
  [[nodiscard]] bool checkpoint_due() const noexcept;

  /// Bars that changed since complete(); a batch should not carry too many.
  [[nodiscard]] std::size_t changed_bars() const noexcept { return changed_bars_; }

  // Restart, before the first process(): snapshots first, then records in order.
  void restore(SymbolId symbol, Position position, std::string_view snapshot);
  void restore_sealed(SymbolId symbol, std::int32_t day) { state(symbol).sealed_days.add(day); }
  void replay(const Tick& tick, Position position);
  void replay(const CloseMark& mark, Position position);
  /// A quote that was late for bars and folded in later (EventBatch::amended); behind the records of its commit.
  void replay_amended(const Tick& tick, Position position);
  /// From here on ShardRules::is_selected holds; until here what was selected when the data was written.
  void finish_restore();

  // Other bar settings, before the first process(): per symbol, all its quotes ascending by (ts_event, seq), between
  // begin and end, which take everything else over from the state under the old settings.
  void begin_rebuild(const SymbolState& old_state);
  void rebuild(const Tick& tick);
  void end_rebuild(const SymbolState& old_state);

  [[nodiscard]] const SymbolState* find(SymbolId symbol) const noexcept;
  void for_each_symbol(const std::function<void(const SymbolState&)>& take) const;
  [[nodiscard]] const ShardCounters& counters() const noexcept { return counters_; }
  /// Distinct bars created or changed since start, per timeframe. Same thread as process().
  [[nodiscard]] const std::vector<std::uint64_t>& changed_bars_by_timeframe() const noexcept {
    return context_.changed;
  }
  /// The last failure to read the store. Any thread.
  struct HistoryFailure {
    std::string text;  ///< empty = there was none
    std::chrono::steady_clock::time_point at;
  };
  [[nodiscard]] HistoryFailure history_failure() const {
    const std::lock_guard lock(history_failure_mutex_);
    return history_failure_;
  }

 private:
  /// Accepts a quote into `batch` or tells why not.
  std::optional<Reason> decide(const Quote& quote, EventBatch& batch, std::uint64_t committed);
  PriceGate::Verdict judge_price(const Quote& quote, SymbolState& symbol, LpState& lp);
  void on_duplicate(const Quote& quote, SymbolState& symbol, LpState& lp, EventBatch& batch, std::uint64_t committed);
  /// A quote that is stored as late for bars and is loaded as history: it enters its bars.
  void fold_late_quote(const Quote& quote, SymbolState& symbol, EventBatch& batch, std::uint64_t committed);
  void close_symbol(SymbolState& symbol, UnixNanos time, EventBatch& batch);
  /// Whether the base bar for `ts` is closed and bar retention has removed it.
  [[nodiscard]] static bool is_bar_removed(const SymbolState& symbol, UnixNanos ts) {
    return ts < symbol.bars_removed_through && symbol.bars.closed_base_end(ts) <= symbol.bars_removed_through;
  }
  SymbolState& state(SymbolId symbol);
  LpState& lp_state(SymbolState& symbol, LpId lp) const;
  bool is_duplicate(SymbolState& symbol, LpState& lp, const Quote& quote);
  /// The quote before this one in event time, for late quotes; unknown when it is not in memory.
  PriceLevel predecessor(const SymbolState& symbol, const LpState& lp, const Quote& quote);
  void refuse(Reason reason) noexcept { bump(counters_.refused[index_of(reason)]); }
  void note_changed_bars(SymbolState& symbol, std::size_t before);
  void note_unsaved(SymbolState& symbol);
  void note_touched(SymbolState& symbol);
  /// One writer, so no read-modify-write is needed.
  static void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  ShardRules rules_;
  PriceGate gate_;
  BarContext context_;
  std::optional<StoredQuotes> stored_;
  std::vector<std::unique_ptr<SymbolState>> symbols_;  ///< index: symbol / shard_count
  std::vector<SymbolState*> with_changed_bars_;
  std::vector<SymbolState*> unsaved_;
  std::vector<SymbolState*> touched_;
  struct InFlightLateQuote {
    std::uint64_t batch = 0;
    Tick tick;
  };
  static constexpr std::size_t kSweepLateAt = 64;
  std::size_t sweep_late_at_ = kSweepLateAt;
  std::vector<InFlightLateQuote> late_in_flight_;  ///< late for bars, in batches that may not be committed yet
  std::size_t changed_bars_ = 0;
  std::uint64_t accepted_since_checkpoint_ = 0;
  std::uint64_t seen_round_ = 0;
  ShardCounters counters_;
  mutable std::mutex history_failure_mutex_;
  HistoryFailure history_failure_;
};

}  // namespace tickpipe::internal
