#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "model/bar.h"
#include "redis/redis_backlog.h"

namespace tickpipe::internal {

/// What Redis lacks: the sink's own list, by symbol. All of it can be written again without harm, so it is dropped only
/// once Redis has it. What is too much to be listed is noted as to be read again from the market data.
///
/// Threads: one.
class RedisWork {
 public:
  static constexpr std::int64_t kUnknown = -1;

  struct Symbol {
    std::vector<Tick> ticks;      ///< new ones; at most twice as many as are kept
    bool is_listed = false;       ///< in dirty()
    bool has_new_quotes = false;  ///< the latest quote may have changed
    bool rewrites_ticks = false;  ///< all quotes that are kept are to be written, in place of those that are there
    bool has_open_bars = false;   ///< open bars changed
    std::vector<std::uint8_t> rewrites_bars;                  ///< by timeframe: likewise
    std::uint64_t published_seq = 0;                          ///< of the newest quote that went over the channels
    bool publishes_latest = false;                            ///< quotes were left out: the latest one is due
    std::chrono::steady_clock::time_point latest_written_at;  ///< its epoch = not by this run
    // How many members the keys had when they were last seen; kUnknown = not seen yet.
    std::int64_t ticks_seen = kUnknown;
    std::vector<std::int64_t> bars_seen;
  };
  struct SeriesBar {
    Bar bar;
    bool is_published = false;
  };
  struct BarKey {
    SymbolId symbol;
    std::uint32_t timeframe_index = 0;
    UnixNanos open_time;
    friend auto operator<=>(const BarKey&, const BarKey&) = default;
  };

  RedisWork(std::size_t kept_ticks, std::size_t timeframes, std::size_t max_bars)
      : kept_ticks_(kept_ticks), timeframes_(timeframes), max_bars_(max_bars) {}

  Symbol& symbol(SymbolId id);
  /// Marks a symbol as one with work, and returns it.
  Symbol& touch(SymbolId id);

  /// Takes over what was committed. Quotes are listed only with `keeps_quotes`; else they are to be read again, and
  /// the latest one is due on the channels.
  void add(const RedisBacklog::Delivery& delivery, bool keeps_quotes);
  /// `is_published`: it went over the channels, or is not to.
  void add_bar(const BarEvent& event, bool is_published);
  void rewrite_ticks(SymbolId id);
  void rewrite_bars(SymbolId id, std::size_t timeframe_index);
  void rewrite_all(SymbolId id);
  /// The latest quote, or open bars, are to be written, although none came.
  void touch_latest(SymbolId id);
  void touch_open_bars(SymbolId id);
  /// Readers of the keys are to be told that any of them may hold what no channel has told.
  void announce_all();
  /// Nothing is known any more of what the keys hold.
  void forget_seen();
  /// A round failed: the listed quotes are to be read again.
  void forget_quotes();

  /// The quotes and the series of a symbol that were to be written again are in Redis.
  void settle(SymbolId id);
  /// Everything is in Redis, but open bars unless `with_open_bars`.
  void clear_written(bool with_open_bars);

  [[nodiscard]] const std::vector<SymbolId>& dirty() const noexcept { return dirty_; }
  [[nodiscard]] std::map<BarKey, SeriesBar>& bars() noexcept { return bars_; }
  /// Whether there is anything but open bars.
  [[nodiscard]] bool has_work() const noexcept { return has_work_ || !bars_.empty(); }
  [[nodiscard]] bool has_open_bars() const noexcept { return has_open_bars_; }
  [[nodiscard]] bool announces_all() const noexcept { return announces_all_; }

 private:
  void add_tick(const Tick& tick);
  void prune(std::vector<Tick>& ticks) const;

  const std::size_t kept_ticks_;
  const std::size_t timeframes_;
  const std::size_t max_bars_;
  std::vector<Symbol> symbols_;
  std::vector<SymbolId> dirty_;
  std::map<BarKey, SeriesBar> bars_;
  bool has_work_ = false;
  bool has_open_bars_ = false;
  bool announces_all_ = false;
};

}  // namespace tickpipe::internal
