#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/bytes.h"
#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/quote.h"
#include "model/reason.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// The last in-order accepted quote of an LP and symbol (or of a symbol): what the next one is compared with.
struct PriceLevel {
  UnixNanos ts_event = kNoTime;
  Price bid;
  Price ask;
  [[nodiscard]] bool known() const noexcept { return ts_event != kNoTime; }
};

/// Consecutive refused quotes of one LP and symbol that agree with each other: after ten the market has moved.
struct RefusedStreak {
  static constexpr std::size_t kEscape = 10;
  Reason reason = Reason::kImplausiblePrice;
  bool is_live = false;
  std::uint8_t count = 0;  ///< at most kEscape - 1
  Price bid;               ///< of the first of them
  Price ask;
  std::array<UnixNanos, kEscape - 1> times{};
};

/// What one LP's quotes of one symbol are judged by.
struct PriceTrack {
  PriceLevel level;  ///< of quotes that did not come live
  PriceLevel live;
  std::unique_ptr<RefusedStreak> streak;  ///< rare, so kept apart
};

/// Tells implausible prices and spikes. Place: shard, after the duplicate check. Pure rules; the state is the caller's.
///
/// A price is implausible when bid or ask is `reject_ratio` times the reference or more, or its inverse or less. A
/// spike is a mid that moved by `spike_threshold` or more, relative to the reference. All arithmetic is exact.
class PriceGate {
 public:
  struct Rules {
    std::int64_t reject_ratio_units = 0;     ///< in 1e-9, more than one
    std::int64_t spike_threshold_units = 0;  ///< in 1e-9, more than zero
    bool reject_spikes = false;
  };
  enum class Verdict : std::uint8_t {
    kGood,
    kSpike,     ///< accepted, to be flagged
    kNewLevel,  ///< accepted as it ends a streak; to be flagged as a spike and as a new level
    kRefusedImplausible,
    kRefusedSpike
  };

  explicit PriceGate(const Rules& rules) noexcept;

  /// Judges a quote that did not come live. The reference is the LP's own level, or the symbol's when the LP has none;
  /// a level more than a day away in event time is forgotten. A quote older than the level is refused or not by its
  /// `predecessor` in event time, if that is known: so loading a file again refuses what it refused before. kRefused*
  /// extend the streak in `track`; anything else ends it. The caller reports accepted quotes with accept_historical().
  Verdict judge_historical(const Quote& quote, PriceTrack& track, const PriceLevel& symbol_level,
                           const PriceLevel& predecessor = {}) const;

  /// Judges a quote that came live. The reference is the LP's own live level, however old, or the symbol's latest quote
  /// when the LP has none. An accepted quote that is in order, or that is told kNewLevel, is the new live level.
  Verdict judge_live(const Quote& quote, PriceTrack& track, const PriceLevel& symbol_latest) const;

  /// Whether judge_historical() will ask for the predecessor.
  static bool needs_predecessor(const Quote& quote, const PriceTrack& track) noexcept {
    return quote.ts_event < track.level.ts_event && is_near(track.level, quote.ts_event);
  }

  /// Moves a level to an accepted quote that did not come live, unless the quote is older than it (by less than a day).
  /// Returns whether the level is another one now.
  static bool accept_historical(PriceLevel& level, UnixNanos ts_event, Price bid, Price ask) noexcept {
    if (ts_event < level.ts_event && is_near(level, ts_event)) return false;
    const PriceLevel before = std::exchange(level, {ts_event, bid, ask});
    return before.ts_event != ts_event || before.bid != bid || before.ask != ask;
  }

 private:
  static bool is_near(const PriceLevel& level, UnixNanos ts_event) noexcept;
  /// Judges by a reference; null = there is none.
  Verdict judge(const Quote& quote, PriceTrack& track, const PriceLevel* reference) const;
  [[nodiscard]] Verdict compare(const Quote& quote, Price bid, Price ask) const noexcept;
  [[nodiscard]] bool implausible(Price price, Price reference) const noexcept;
  [[nodiscard]] bool is_spike(Price bid, Price ask, Price reference_bid, Price reference_ask) const noexcept;
  /// Counts a refused quote; true when it is the one that ends the streak and is accepted after all.
  bool escapes(const Quote& quote, Reason reason, PriceTrack& track) const;

  Rules rules_;
  int quiet_shift_;  ///< a move of less than 2^-quiet_shift_ of the reference is neither spike nor implausible
};

void encode_price_track(ByteWriter& out, const PriceTrack& track);
/// `has_live` is false for a track that was written before there were live levels.
void decode_price_track(ByteReader& in, PriceTrack& track, bool has_live = true);
void encode_price_level(ByteWriter& out, const PriceLevel& level);
PriceLevel decode_price_level(ByteReader& in) noexcept;

}  // namespace tickpipe::internal
