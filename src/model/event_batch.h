#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/bar.h"
#include "model/ids.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// A bar as of one commit. Closed: closed for the first time (revision 0) or corrected; a replacement of whatever was
/// known of the same symbol, timeframe and open time. Open: see EventBatch::open_bars.
struct BarEvent {
  SymbolId symbol;
  std::uint32_t timeframe_index = 0;  ///< into the configured timeframes, 0 = smallest
  Bar bar;
};

/// Bars were closed by something other than ticks (the wall clock, the end of a backfill): every bar of the symbol
/// that ends at or before `closed_through` is closed, after the tick `after_seq`. Kept so that a restart, which folds
/// ticks again, closes the same bars at the same point.
struct CloseMark {
  SymbolId symbol;
  std::uint64_t after_seq = 0;
  UnixNanos closed_through;
};

/// A UTC day of a symbol takes no quotes any more, as retention removes those it has; or takes them again.
struct SealedDay {
  SymbolId symbol;
  std::int32_t day = 0;  ///< since 1970-01-01
  bool is_sealed = true;
};

/// The whole state of a symbol as of the end of the batch, in the shard's own encoding.
struct SymbolSnapshot {
  SymbolId symbol;
  std::string bytes;
};

/// What one shard did since its last batch, in order: the unit that is committed and then published. Either all of it
/// is stored or nothing, and all lists describe the same moment.
struct EventBatch {
  std::uint32_t shard = 0;
  std::uint64_t number = 0;  ///< per shard and process, from 1
  std::vector<Tick> ticks;   ///< in the order of acceptance
  std::vector<BarEvent> bars;
  /// Bars that changed and are open, for readers; not stored. An open bar stays as it was last told until a closed one
  /// of the same open time comes in `bars`. One above the smallest timeframe lacks what its open base bars hold: a
  /// reader adds them (Bar::add).
  std::vector<BarEvent> open_bars;
  /// The latest quote of each symbol whose latest quote changed, for readers; not stored.
  std::vector<Tick> latest;
  /// Quotes of earlier batches, stored as late for bars, that this one folded in: as they are from now on
  /// (kFoldedLater instead of kLateForBars).
  std::vector<Tick> amended;
  std::vector<CloseMark> closes;
  std::vector<SealedDay> sealed;  ///< in order: the last word on a day counts
  std::vector<SymbolSnapshot> snapshots;
  bool is_checkpoint = false;  ///< `snapshots` holds every symbol that changed since the last checkpoint

  [[nodiscard]] bool empty() const noexcept {
    return ticks.empty() && bars.empty() && amended.empty() && closes.empty() && sealed.empty() && snapshots.empty() &&
           !is_checkpoint;
  }
  /// Empties it and keeps the memory.
  void clear() noexcept {
    ticks.clear();
    bars.clear();
    open_bars.clear();
    latest.clear();
    amended.clear();
    closes.clear();
    sealed.clear();
    snapshots.clear();
    is_checkpoint = false;
  }
};

/// Follows what was committed. Called once per batch, in order per shard, and at the end of each commit, on the thread
/// that commits; must not block.
class BatchListener {
 public:
  virtual ~BatchListener() = default;
  virtual void on_committed(const EventBatch& batch, Position position) = 0;
  /// All batches of a commit were told.
  virtual void on_commit_end() {}
};

}  // namespace tickpipe::internal
