#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/doorbell.h"
#include "model/event_batch.h"

namespace tickpipe::internal {

/// What was committed since the sink last looked, in the order of the commits. Waits here, within a bound, while the
/// sink is busy with Redis.
///
/// Threads: on_committed() and on_commit_end() on the thread that commits, which never waits for Redis; the rest any.
/// Cost:    a copy of each quote and closed bar.
class RedisBacklog final : public BatchListener {
 public:
  /// What the sink takes at once.
  struct Delivery {
    Position position;              ///< all of the commits up to this one are in here, or were before
    std::vector<Tick> ticks;        ///< accepted quotes
    std::vector<BarEvent> bars;     ///< closed and corrected ones
    std::vector<Tick> latest;       ///< latest quotes that are not part of the stream of live quotes
    std::vector<SymbolId> changed;  ///< of whose open bars some changed
    std::vector<SymbolId> amended;  ///< of whose older quotes flags changed
    std::vector<SymbolId> overrun;  ///< of whose quotes and bars some are not in here, as there was no room
    std::chrono::steady_clock::time_point since;  ///< when the oldest of it was committed

    [[nodiscard]] bool empty() const noexcept {
      return ticks.empty() && bars.empty() && latest.empty() && changed.empty() && amended.empty() && overrun.empty();
    }
    void clear() noexcept;
  };

  struct Options {
    std::size_t max_ticks = 65'536;
    std::size_t max_bars = 65'536;
    std::chrono::nanoseconds live_tick_age{0};
    std::function<bool(SymbolId)> is_wanted;  ///< asked once for each symbol, on the thread that commits
  };

  /// `bell` is rung at the end of each commit that brought something; it outlives the backlog.
  RedisBacklog(Options options, Doorbell& bell) : options_(std::move(options)), bell_(bell) {}

  void on_committed(const EventBatch& batch, Position position) override;
  void on_commit_end() override;

  /// Exchanges what waits for the empty `delivery`, whose memory is used again.
  void take(Delivery& delivery);
  [[nodiscard]] bool empty() const;
  [[nodiscard]] Position newest() const;
  [[nodiscard]] std::size_t depth() const;

 private:
  bool is_wanted(SymbolId symbol);
  void add_ticks(const EventBatch& batch);
  void add_bars(const EventBatch& batch);
  void overrun();

  const Options options_;
  Doorbell& bell_;
  mutable std::mutex mutex_;  ///< guards what follows
  Delivery waiting_;
  // Of the thread that commits.
  std::vector<std::uint8_t> wanted_;  ///< by symbol: 0 not asked yet, 1 no, 2 yes
  std::vector<std::uint8_t> is_overrun_;
};

}  // namespace tickpipe::internal
