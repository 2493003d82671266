#include "shard/price_gate.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

constexpr std::int64_t kNanosPerDay = 86400 * kNanosPerSecond;

/// The smallest s for which a relative move of less than 2^-s stays below both limits.
int quiet_shift(const PriceGate::Rules& rules) {
  // The nearer of 1 - 1/ratio and ratio - 1 is the former.
  const Int128 ratio = rules.reject_ratio_units;
  const auto shrink = static_cast<std::int64_t>((ratio - kUnitsPerOne) * kUnitsPerOne / ratio);
  const std::int64_t limit = std::min(shrink, rules.spike_threshold_units);
  int shift = 0;
  while (shift < 62 && (kUnitsPerOne >> shift) >= limit) ++shift;
  return shift;
}

}  // namespace

PriceGate::PriceGate(const Rules& rules) noexcept : rules_(rules), quiet_shift_(quiet_shift(rules)) {}

bool PriceGate::is_near(const PriceLevel& level, UnixNanos ts_event) noexcept {
  if (!level.known()) return false;
  const std::int64_t distance = ts_event.ns - level.ts_event.ns;
  return distance <= kNanosPerDay && distance >= -kNanosPerDay;
}

bool PriceGate::implausible(Price price, Price reference) const noexcept {
  const Int128 p = price.units;
  const Int128 r = reference.units;
  return p * kUnitsPerOne >= r * rules_.reject_ratio_units || p * rules_.reject_ratio_units <= r * kUnitsPerOne;
}

bool PriceGate::is_spike(Price bid, Price ask, Price reference_bid, Price reference_ask) const noexcept {
  // Twice the mids, so that nothing is rounded. 2^64 * 2^63 still fits 128 signed bits.
  const Int128 sum = static_cast<Int128>(bid.units) + ask.units;
  const Int128 reference = static_cast<Int128>(reference_bid.units) + reference_ask.units;
  const Int128 move = sum > reference ? sum - reference : reference - sum;
  // An unsigned product: move < 2^64 and 1e9 < 2^30, threshold < 2^63.
  return static_cast<UInt128>(move) * static_cast<UInt128>(kUnitsPerOne) >=
         static_cast<UInt128>(reference) * static_cast<UInt128>(rules_.spike_threshold_units);
}

PriceGate::Verdict PriceGate::compare(const Quote& quote, Price bid, Price ask) const noexcept {
  if (implausible(quote.bid, bid) || implausible(quote.ask, ask)) return Verdict::kRefusedImplausible;
  return is_spike(quote.bid, quote.ask, bid, ask) ? Verdict::kSpike : Verdict::kGood;
}

PriceGate::Verdict PriceGate::judge_historical(const Quote& quote, PriceTrack& track, const PriceLevel& symbol_level,
                                               const PriceLevel& predecessor) const {
  const PriceLevel* reference = &track.level;
  if (predecessor.known() && needs_predecessor(quote, track)) reference = &predecessor;
  if (!is_near(*reference, quote.ts_event)) reference = &symbol_level;
  return judge(quote, track, is_near(*reference, quote.ts_event) ? reference : nullptr);
}

PriceGate::Verdict PriceGate::judge_live(const Quote& quote, PriceTrack& track, const PriceLevel& symbol_latest) const {
  const PriceLevel& reference = track.live.known() ? track.live : symbol_latest;
  return judge(quote, track, reference.known() ? &reference : nullptr);
}

PriceGate::Verdict PriceGate::judge(const Quote& quote, PriceTrack& track, const PriceLevel* reference) const {
  if (reference != nullptr) {
    const auto quiet = [this](Price price, Price level) {
      const std::int64_t move = price.units - level.units;  // both are positive: no overflow
      return (move < 0 ? -move : move) < (level.units >> quiet_shift_);
    };
    if (!quiet(quote.bid, reference->bid) || !quiet(quote.ask, reference->ask)) [[unlikely]] {
      const Verdict verdict = compare(quote, reference->bid, reference->ask);
      if (verdict == Verdict::kRefusedImplausible) {
        return escapes(quote, Reason::kImplausiblePrice, track) ? Verdict::kNewLevel : verdict;
      }
      if (verdict == Verdict::kSpike) {
        if (rules_.reject_spikes) {
          return escapes(quote, Reason::kSpike, track) ? Verdict::kNewLevel : Verdict::kRefusedSpike;
        }
        track.streak.reset();
        return Verdict::kSpike;
      }
    }
  }
  if (track.streak) track.streak.reset();
  return Verdict::kGood;
}

bool PriceGate::escapes(const Quote& quote, Reason reason, PriceTrack& track) const {
  const bool is_live = (quote.marks & kLiveQuote) != 0;
  const auto agrees_with_first = [&](const RefusedStreak& s) {
    if (s.reason != reason || s.is_live != is_live) return false;
    if (reason == Reason::kSpike) return !is_spike(quote.bid, quote.ask, s.bid, s.ask);
    return !implausible(quote.bid, s.bid) && !implausible(quote.ask, s.ask);
  };
  if (!track.streak) track.streak = std::make_unique<RefusedStreak>();
  RefusedStreak& streak = *track.streak;
  if (streak.count == 0 || !agrees_with_first(streak)) {
    streak = {.reason = reason,
              .is_live = is_live,
              .count = 1,
              .bid = quote.bid,
              .ask = quote.ask,
              .times = {quote.ts_event}};
    return false;
  }
  const auto end = streak.times.begin() + streak.count;
  if (std::find(streak.times.begin(), end, quote.ts_event) != end) return false;
  if (streak.count + 1U == RefusedStreak::kEscape) {
    track.streak.reset();
    return true;
  }
  streak.times[streak.count++] = quote.ts_event;
  return false;
}

void encode_price_level(ByteWriter& out, const PriceLevel& level) {
  out.i64(level.ts_event.ns);
  out.signed_varint(level.bid.units);
  out.signed_varint(level.ask.units);
}

PriceLevel decode_price_level(ByteReader& in) noexcept {
  PriceLevel level;
  level.ts_event.ns = in.i64();
  level.bid.units = in.signed_varint();
  level.ask.units = in.signed_varint();
  return level;
}

namespace {
constexpr std::uint8_t kLiveStreak = 0x80;
}

void encode_price_track(ByteWriter& out, const PriceTrack& track) {
  encode_price_level(out, track.level);
  encode_price_level(out, track.live);
  out.u8(track.streak ? track.streak->count : std::uint8_t{0});
  if (!track.streak) return;
  const auto reason = static_cast<std::uint8_t>(track.streak->reason);
  out.u8(track.streak->is_live ? reason | kLiveStreak : reason);
  out.signed_varint(track.streak->bid.units);
  out.signed_varint(track.streak->ask.units);
  for (std::size_t i = 0; i < track.streak->count; ++i) out.i64(track.streak->times[i].ns);
}

void decode_price_track(ByteReader& in, PriceTrack& track, bool has_live) {
  track.level = decode_price_level(in);
  track.live = has_live ? decode_price_level(in) : PriceLevel{};
  track.streak.reset();
  const std::uint8_t count = in.u8();
  if (count == 0 || count >= RefusedStreak::kEscape) return;
  track.streak = std::make_unique<RefusedStreak>();
  track.streak->count = count;
  const std::uint8_t reason = in.u8();
  track.streak->is_live = (reason & kLiveStreak) != 0;
  track.streak->reason = static_cast<Reason>(reason & ~kLiveStreak);
  track.streak->bid.units = in.signed_varint();
  track.streak->ask.units = in.signed_varint();
  for (std::size_t i = 0; i < count; ++i) track.streak->times[i].ns = in.i64();
}

}  // namespace tickpipe::internal
