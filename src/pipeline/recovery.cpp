#include "pipeline/recovery.h"

#include <vector>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kBarsPerCommit = 8192;

class Replay final : public LogVisitor {
 public:
  explicit Replay(std::span<ShardEngine* const> engines) : engines_(engines) {}
  void on_tick(const Tick& tick, Position position) override {
    engine(tick.symbol).replay(tick, position);
    ++records_;
  }
  void on_close(const CloseMark& mark, Position position) override {
    engine(mark.symbol).replay(mark, position);
    ++records_;
  }
  void on_amended(const Tick& tick, Position position) override {
    engine(tick.symbol).replay_amended(tick, position);
    ++records_;
  }
  void on_bar(const keys::BarKey& /*key*/, const StoredBar& /*bar*/) override {}
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  ShardEngine& engine(SymbolId symbol) { return *engines_[symbol.value % engines_.size()]; }
  std::span<ShardEngine* const> engines_;
  std::uint64_t records_ = 0;
};

void commit_next(EmbeddedStore& store, const EventBatch& batch) {
  const EventBatch* const batches[] = {&batch};
  store.commit({store.newest_position().value + 1}, batches);
}

}  // namespace

std::uint64_t restore_engines(const EmbeddedStore& store, std::span<ShardEngine* const> engines) {
  store.for_each_snapshot([&](SymbolId symbol, Position position, std::string_view bytes) {
    engines[symbol.value % engines.size()]->restore(symbol, position, bytes);
  });
  Replay replay(engines);
  store.read_after(store.checkpoint(), replay);
  return replay.records();
}

void restore_retention(const EmbeddedStore& store, std::span<ShardEngine* const> engines) {
  store.retention().for_each_sealed_day(
      [&](SymbolId symbol, std::int32_t day) { engines[symbol.value % engines.size()]->restore_sealed(symbol, day); });
  store.retention().for_each_bar_limit(
      [&](SymbolId symbol, UnixNanos end) { engines[symbol.value % engines.size()]->give_up_bars(symbol, end); });
}

void commit_checkpoint(EmbeddedStore& store, std::span<ShardEngine* const> engines) {
  std::vector<EventBatch> batches(engines.size());
  std::vector<const EventBatch*> all;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    batches[i].shard = static_cast<std::uint32_t>(i);
    engines[i]->complete(batches[i], 0, true);
    batches[i].is_checkpoint = true;  // also when there is nothing to save: then its records are in older snapshots
    all.push_back(&batches[i]);
  }
  // In one commit, so that the checkpoint never covers a shard whose snapshots are still to come.
  store.commit({store.newest_position().value + 1}, all);
}

std::uint64_t mend_bars(EmbeddedStore& store, const ShardEngine& engine, ShardEngine& folder,
                        std::span<const Timeframe> timeframes) {
  EventBatch batch;
  std::uint64_t mended = 0;
  const auto commit_wrong = [&] {
    folder.complete(batch, batch.number++, false);
    std::erase_if(batch.bars, [&](BarEvent& event) {
      const auto stored = store.find_bar(event.symbol, timeframes[event.timeframe_index], event.bar.open_time);
      const bool is_removed = event.bar.close_time <= engine.find(event.symbol)->bars_removed_through;
      if (!stored) return event.bar.tick_count == 0 || is_removed;
      const Bar& bar = stored->bar;
      if (bar.tick_count > event.bar.tick_count) return true;
      event.bar.trade_volume = bar.trade_volume;  // trades are not folded again
      event.bar.trade_count = bar.trade_count;
      event.bar.revision = bar.revision + 1;
      return bar.tick_count == event.bar.tick_count && bar.open == event.bar.open && bar.high == event.bar.high &&
             bar.low == event.bar.low && bar.close == event.bar.close;
    });
    mended += batch.bars.size();
    if (!batch.bars.empty()) commit_next(store, batch);
    batch.clear();
  };
  engine.for_each_symbol([&](const SymbolState& state) {
    folder.begin_rebuild(state);
    store.scan(state.id, kFirstTickTime, kEndOfTickTime, [&](const Tick& tick) {
      folder.rebuild(tick);
      if (folder.changed_bars() >= kBarsPerCommit) commit_wrong();
      return true;
    });
    folder.end_rebuild(state);
    commit_wrong();
  });
  return mended;
}

void rebuild_bars(EmbeddedStore& store, std::span<ShardEngine* const> old_engines,
                  std::span<ShardEngine* const> engines, std::span<const Timeframe> timeframes) {
  EventBatch batch;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    ShardEngine& engine = *engines[i];
    batch.shard = static_cast<std::uint32_t>(i);
    for (const ShardEngine* old_engine : old_engines) {
      old_engine->for_each_symbol([&](const SymbolState& old_state) {
        if (old_state.id.value % engines.size() != i) return;
        for (const Timeframe timeframe : timeframes) store.drop_bars(old_state.id, timeframe);
        engine.begin_rebuild(old_state);
        store.scan(old_state.id, kFirstTickTime, kEndOfTickTime, [&](const Tick& tick) {
          engine.rebuild(tick);
          if (engine.changed_bars() < kBarsPerCommit) return true;
          batch.clear();
          ++batch.number;
          engine.complete(batch, batch.number - 1, false);
          commit_next(store, batch);
          return true;
        });
        engine.end_rebuild(old_state);
      });
    }
  }
  commit_checkpoint(store, engines);
}

}  // namespace tickpipe::internal
