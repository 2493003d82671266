#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/event_batch.h"
#include "model/name_registry.h"
#include "store/embedded_store.h"

namespace tickpipe::internal::testing {

inline constexpr UnixNanos kStoreNoon{1'770'033'600 * kNanosPerSecond};  // 2026-02-02T12:00:00Z

inline Name symbol_name(std::uint32_t number) { return parse_symbol("SYM" + std::to_string(number)).value(); }
inline Name lp_name(std::uint16_t number) { return parse_lp("lp-" + std::to_string(number)).value(); }

inline const std::vector<Timeframe>& store_timeframes() {
  static const std::vector<Timeframe> timeframes = {Timeframe{std::chrono::minutes{1}},
                                                    Timeframe{std::chrono::hours{1}}, kOneWeek};
  return timeframes;
}

/// A store and its registries, opened together.
struct OpenStore {
  /// `run_weight` as in EmbeddedStore::Options: 1 packs each commit for itself.
  explicit OpenStore(const std::filesystem::path& database, bool read_only = false, std::size_t run_weight = 0,
                     rocksdb::Env* env = nullptr)
      : store({.database = database,
               .read_only = read_only,
               .sync_commits = false,
               .timeframes = read_only ? std::vector<Timeframe>{} : store_timeframes(),
               .run_weight = run_weight,
               .env = env},
              symbols, lps) {}

  void intern(std::uint32_t symbol_count, std::uint16_t lp_count) {
    for (std::uint32_t i = 0; i < symbol_count; ++i) symbols.intern(symbol_name(i));
    for (std::uint16_t i = 0; i < lp_count; ++i) lps.intern(lp_name(i));
  }
  void commit(std::uint64_t position, const std::vector<EventBatch>& batches) {
    std::vector<const EventBatch*> pointers;
    for (const EventBatch& batch : batches) pointers.push_back(&batch);
    store.commit({position}, pointers);
  }

  SymbolRegistry symbols{1000};
  LpRegistry lps{100};
  EmbeddedStore store;
};

inline Tick make_tick(std::uint32_t symbol, std::uint64_t seq, UnixNanos ts) {
  Tick tick;
  tick.symbol = SymbolId{symbol};
  tick.seq = seq;
  tick.ts_event = ts;
  tick.ts_recv = ts + std::chrono::milliseconds{3};
  tick.bid = Price{static_cast<std::int64_t>(1000 + seq)};
  tick.ask = Price{static_cast<std::int64_t>(1001 + seq)};
  return tick;
}

inline Bar make_bar(UnixNanos open_time, Timeframe timeframe, std::int64_t price) {
  Bar bar;
  bar.open_time = open_time;
  bar.close_time = open_time + timeframe.nanos();
  bar.add(open_time, Price{price});
  bar.is_closed = true;
  return bar;
}

/// What happened to a symbol, in order: a tick or a close mark.
struct StoredEvent {
  Position position;
  std::optional<Tick> tick;
  std::optional<CloseMark> close;
  friend bool operator==(const StoredEvent& a, const StoredEvent& b) {
    const auto mark = [](const StoredEvent& e) {
      return e.close ? std::tuple(e.close->symbol, e.close->after_seq, e.close->closed_through)
                     : std::tuple(SymbolId{}, std::uint64_t{0}, kNoTime);
    };
    return a.position == b.position && a.tick == b.tick && mark(a) == mark(b);
  }
};

/// Random commits, and all of them again in the slow and obvious form.
class StoreLife {
 public:
  using BarId = std::tuple<SymbolId, Timeframe, UnixNanos>;
  static constexpr std::uint32_t kShards = 2;
  static constexpr std::uint32_t kSymbols = 5;
  static constexpr std::uint16_t kLps = 3;

  explicit StoreLife(std::uint64_t seed) : random_(seed) {}

  /// The batches of the next commit, one per shard.
  std::vector<EventBatch> next() {
    ++position_.value;
    std::vector<EventBatch> batches(kShards);
    for (std::uint32_t shard = 0; shard < kShards; ++shard) batches[shard].shard = shard;
    // A commit is a burst, some seconds or some hours of event time.
    const std::int64_t reach = std::int64_t{1} << (20 + random_() % 28);
    std::uint64_t count = 1 + random_() % 40;
    if (random_() % 30 == 0) count = 9000;  // more than one chunk
    for (; count > 0; --count) {
      const auto symbol = static_cast<std::uint32_t>(random_() % kSymbols);
      EventBatch& batch = batches[symbol % kShards];
      now_.ns += static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(reach));
      UnixNanos ts = now_;
      if (random_() % 5 == 0)
        ts.ns -= static_cast<std::int64_t>(random_() % (std::uint64_t{1} << (10 + random_() % 40)));
      if (random_() % 10 == 0) ts.ns -= ts.ns % (86400 * kNanosPerSecond) + static_cast<std::int64_t>(random_() % 2);
      if (random_() % 6 == 0 && !ticks[SymbolId{symbol}].empty()) ts = ticks[SymbolId{symbol}].back().ts_event;
      Tick tick = make_tick(symbol, ++seq_[symbol], ts);
      tick.lp.value = static_cast<std::uint16_t>(random_() % kLps);
      tick.flags = random_() % 4 == 0 ? static_cast<std::uint8_t>(random_() % 64) : std::uint8_t{kHistorical};
      add(batch, tick);
      for (const RecordKind kind : {RecordKind::kTrade, RecordKind::kGap}) {
        if (random_() % 12 != 0) continue;
        tick.kind = kind;
        add(batch, tick);
      }
      if (random_() % 15 == 0) {
        const CloseMark mark{SymbolId{symbol}, seq_[symbol], now_};
        batch.closes.push_back(mark);
        events[mark.symbol].push_back({position_, std::nullopt, mark});
      }
    }
    for (std::uint64_t n = random_() % 5; n > 0; --n) add_bar(batches);
    return batches;
  }

  [[nodiscard]] std::vector<Tick> quotes(SymbolId symbol, UnixNanos from, UnixNanos to) const {
    std::vector<Tick> found;
    const auto it = ticks.find(symbol);
    if (it == ticks.end()) return found;
    for (const Tick& tick : it->second) {
      if (tick.kind == RecordKind::kQuote && tick.ts_event >= from && tick.ts_event < to) found.push_back(tick);
    }
    std::stable_sort(found.begin(), found.end(), [](const Tick& a, const Tick& b) {
      return std::tuple(a.ts_event, a.seq) < std::tuple(b.ts_event, b.seq);
    });
    return found;
  }

  [[nodiscard]] Position position() const { return position_; }
  [[nodiscard]] UnixNanos now() const { return now_; }
  std::mt19937_64& random() { return random_; }

  std::map<SymbolId, std::vector<Tick>> ticks;          ///< every record, in the order of acceptance
  std::map<SymbolId, std::vector<StoredEvent>> events;  ///< the same with the close marks
  std::map<BarId, StoredBar> bars;                      ///< the newest state

 private:
  void add(EventBatch& batch, const Tick& tick) {
    batch.ticks.push_back(tick);
    ticks[tick.symbol].push_back(tick);
    events[tick.symbol].push_back({position_, tick, std::nullopt});
  }
  void add_bar(std::vector<EventBatch>& batches) {
    const auto symbol = static_cast<std::uint32_t>(random_() % kSymbols);
    const auto index = static_cast<std::uint32_t>(random_() % store_timeframes().size());
    const Timeframe timeframe = store_timeframes()[index];
    const UnixNanos open = kStoreNoon + timeframe.nanos() * static_cast<int>(random_() % 8);
    StoredBar& stored = bars[{SymbolId{symbol}, timeframe, open}];
    if (stored.position == position_) return;  // a commit carries a bar once
    const std::uint32_t revision = stored.position.value == 0 ? 0 : stored.bar.revision + 1;
    stored = {make_bar(open, timeframe, static_cast<std::int64_t>(random_() % 1000)), position_};
    stored.bar.revision = revision;
    batches[symbol % kShards].bars.push_back({SymbolId{symbol}, index, stored.bar});
  }

  std::mt19937_64 random_;
  Position position_;
  UnixNanos now_ = kStoreNoon;
  std::array<std::uint64_t, kSymbols> seq_{};
};

/// Checks and collects what read_after() hands over.
class CollectingVisitor final : public LogVisitor {
 public:
  void on_removed(Position position) override { removed.push_back(position); }
  void on_tick(const Tick& tick, Position position) override {
    events[tick.symbol].push_back({position, tick, std::nullopt});
    advance(position, false);
  }
  void on_close(const CloseMark& mark, Position position) override {
    events[mark.symbol].push_back({position, std::nullopt, mark});
    advance(position, false);
  }
  void on_amended(const Tick& tick, Position position) override { amended.emplace_back(position, tick); }
  void on_bar(const keys::BarKey& key, const StoredBar& bar) override {
    is_unique = bars.emplace(std::tuple(key.symbol, key.timeframe, key.open_time), bar).second && is_unique;
    advance(bar.position, true);
  }

  std::map<SymbolId, std::vector<StoredEvent>> events;
  std::map<StoreLife::BarId, StoredBar> bars;
  std::vector<std::pair<Position, Tick>> amended;
  bool is_ascending = true;  ///< commits in order, bars of a commit behind its ticks
  bool is_unique = true;     ///< no bar twice
  std::vector<Position> removed;

 private:
  void advance(Position position, bool is_bar) {
    const std::pair at(position, is_bar);
    is_ascending = is_ascending && at >= at_;
    at_ = at;
  }
  std::pair<Position, bool> at_{};
};

}  // namespace tickpipe::internal::testing
