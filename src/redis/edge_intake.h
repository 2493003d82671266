#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/event_batch.h"
#include "redis/edge_json.h"
#include "redis/edge_view.h"

namespace tickpipe::internal {

/// Puts together what an edge is told on the channels and what it reads from the keys: each quote once, in the order of
/// seq, and says which keys must be read for that.
///
/// Gaps:    a quote whose seq is not the next one waits, at most kMostWaiting of a symbol, until `ticks:SYMBOL` was
/// read:
///          first as many of the newest members as are missing, and all of them if that does not do. What is not there
///          either is lost, and counted.
/// Bars:    each state stands for itself, so it is taken as it comes.
/// Threads: one; counters any.
class EdgeIntake {
 public:
  using SteadyClock = std::chrono::steady_clock;

  /// Since start; they outlive an intake.
  struct Counters {
    std::atomic<std::uint64_t> quotes{0};    ///< taken over, but for those of the first load
    std::atomic<std::uint64_t> bars{0};      ///< likewise, states of bars
    std::atomic<std::uint64_t> messages{0};  ///< of the channels
    std::atomic<std::uint64_t> damaged{0};   ///< messages and members that are not what a node writes
    std::atomic<std::uint64_t> refilled{0};  ///< quotes that were read, as no message had brought them
    std::atomic<std::uint64_t> gaps{0};      ///< times that quotes were missing for good
    std::atomic<std::uint64_t> lost{0};      ///< these quotes
    std::atomic<std::uint64_t> unknown{0};   ///< left out: beyond max_symbols or max_lps
  };

  /// Keys to be read.
  struct Wanted {
    SymbolId symbol;
    std::size_t newest = 0;  ///< so many of `ticks:SYMBOL`; 0 = all
    bool with_bars = false;
  };
  /// What was read, of one moment. Bars by timeframe.
  struct Keys {
    std::optional<std::string> latest;
    std::vector<std::string> ticks;
    std::vector<std::vector<std::string>> bars;
  };

  static constexpr std::size_t kMostWaiting = 1000;
  /// The keys of a symbol are read at most once in so long.
  static constexpr std::chrono::milliseconds kReadInterval{100};
  /// All of them, or quotes that nothing waits for.
  static constexpr std::chrono::milliseconds kRereadInterval{500};

  /// Goes on where `data` ends. Both outlive it.
  EdgeIntake(EdgeData& data, std::chrono::nanoseconds live_tick_age, Counters& counters);

  /// A message of a channel of quotes, or of bars.
  void take_quote(std::string_view json);
  void take_bar(std::string_view json);

  /// All keys of a symbol are to be read.
  void want_everything(std::string_view symbol);

  /// What is to be read now: quotes that wait first, at most `most` symbols.
  [[nodiscard]] std::vector<Wanted> due(SteadyClock::time_point now, std::size_t most) const;
  /// When something is to be read next; max() = nothing is.
  [[nodiscard]] SteadyClock::time_point next_due() const;
  void take_keys(const Wanted& wanted, const Keys& keys, SteadyClock::time_point now);

  /// Whether all symbols that want_everything() named were read at least once.
  [[nodiscard]] bool is_complete() const noexcept { return unread_ == 0; }

  /// What came together since the last time, in order; empty when nothing did. It is not in the view yet.
  EventBatch& finish();
  void clear_batch() { batch_.clear(); }

 private:
  struct Symbol {
    std::uint64_t last_seq = 0;  ///< everything up to it was handed on, or is lost
    Tick latest;                 ///< seq 0 = none
    bool has_new_latest = false;
    bool is_known = false;
    bool is_new = true;         ///< its keys were never read
    std::vector<Tick> waiting;  ///< behind a gap, ascending by seq
    bool wants_all = false;
    bool wants_bars = false;
    bool is_listed = false;
    bool was_read = false;  ///< all keys, by this intake
    SteadyClock::time_point read_at;
    SteadyClock::time_point bars_read_at;
  };

  [[nodiscard]] static SteadyClock::time_point due_at(const Symbol& symbol);
  Symbol& of(SymbolId id);
  void list(SymbolId id);
  /// Gives it its numbers. Nothing if there are too many.
  std::optional<SymbolId> intern(const Name& symbol);
  std::optional<Tick> intern(const EdgeQuote& quote);
  std::optional<Tick> parse_member(std::string_view json, SymbolId symbol);
  std::optional<BarEvent> parse_bar_event(std::string_view json);
  void accept(Symbol& symbol, const Tick& tick);
  void become_latest(Symbol& symbol, const Tick& tick);
  [[nodiscard]] bool was_published_as_latest(const Tick& tick) const noexcept;
  void take_bar_event(const BarEvent& event);
  bool take_ticks(Symbol& symbol, std::vector<Tick>&& members, bool are_all);
  void take_latest(Symbol& symbol, SymbolId id, const Keys& keys, const std::vector<Tick>& members);
  static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
  }

  EdgeData& data_;
  const std::chrono::nanoseconds live_tick_age_;
  Counters& counters_;
  std::vector<Symbol> symbols_;
  std::vector<SymbolId> listed_;   ///< of which keys are wanted
  std::vector<SymbolId> touched_;  ///< whose latest quote is another one
  std::size_t unread_ = 0;         ///< symbols whose keys are wanted for the first time
  EventBatch batch_;
};

}  // namespace tickpipe::internal
