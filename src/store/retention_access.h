#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/unix_nanos.h"
#include "model/ids.h"

namespace tickpipe::internal {

class Packer;
class Tail;
struct Rocks;

/// What the chunks of one symbol and UTC day hold. Both times and positions only ever grow.
struct DayContent {
  UnixNanos last_received = kNoTime;  ///< greatest receive time
  Position newest;                    ///< of the commits that wrote them
  std::uint64_t quotes = 0;
};

/// The store by days: what retention asks of it. EmbeddedStore hands it out.
///
/// Threads: any, also beside commits. Errors: Error.
class RetentionAccess {
 public:
  /// Without a packer only what is packed is seen.
  RetentionAccess(const Rocks& rocks, const Tail& tail, Packer* packer, bool sync_writes)
      : rocks_(rocks), tail_(tail), packer_(packer), sync_writes_(sync_writes) {}

  /// The days of a symbol that hold ticks and ended at or before `end`, ascending. A few look-ups per day.
  [[nodiscard]] std::vector<std::int32_t> days_with_ticks(SymbolId symbol, UnixNanos end) const;
  [[nodiscard]] bool has_ticks(SymbolId symbol, std::int32_t day) const;
  /// Adds what was stored for the day after `content.newest`. Reads all of that.
  void look_at(SymbolId symbol, std::int32_t day, DayContent& content) const;
  /// Removes all ticks of the day, or none when it throws.
  void remove_ticks(SymbolId symbol, std::int32_t day);

  void for_each_sealed_day(const std::function<void(SymbolId, std::int32_t day)>& take) const;
  /// Ascending.
  [[nodiscard]] std::vector<std::int32_t> sealed_days(SymbolId symbol) const;
  [[nodiscard]] bool is_sealed(SymbolId symbol, std::int32_t day) const;

  /// Whether a closed bar of the symbol, of any timeframe, ended at or before `end`.
  [[nodiscard]] bool has_bars(SymbolId symbol, UnixNanos end) const;
  /// Removes the closed bars of a symbol that ended at or before `end`, of every timeframe that is stored, and notes
  /// that they may be gone. Returns how many of them were bars of quotes: one of trades alone is no bar to readers.
  /// Some may be gone when it throws.
  std::uint64_t remove_bars(SymbolId symbol, UnixNanos end);
  /// Hands over the `end` of the last remove_bars(), per symbol.
  void for_each_bar_limit(const std::function<void(SymbolId, UnixNanos end)>& take) const;

 private:
  /// Days are looked at and removed in chunks: what is not in one yet is packed, if it is of the symbol and that time.
  void pack(SymbolId symbol, UnixNanos from, UnixNanos to) const;

  const Rocks& rocks_;
  const Tail& tail_;
  Packer* const packer_;
  const bool sync_writes_;
};

}  // namespace tickpipe::internal
