#include "shard/symbol_state.h"

#include <algorithm>
#include <chrono>

#include "core/bytes.h"
#include "core/error.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint8_t kSnapshotVersion = 2;
constexpr std::chrono::nanoseconds kActiveWithin = std::chrono::seconds{60};

}  // namespace

bool LpState::take_times(const Tick& tick) noexcept {
  const bool is_live = (tick.flags & kHistorical) == 0;
  greatest = std::max(greatest, tick.ts_event);
  reached = std::max(reached, is_live ? std::min(tick.ts_event, tick.ts_recv) : tick.ts_event);
  if (tick.ts_event >= newest) {
    newest = tick.ts_event;
    newest_received = tick.ts_recv;
    behind_count = 0;
    return false;
  }
  if (!is_live || newest <= newest_received) return false;
  behind_newest = behind_count == 0 ? tick.ts_event : std::max(behind_newest, tick.ts_event);
  if (++behind_count < kClockEscape) return false;
  newest = behind_newest;
  newest_received = tick.ts_recv;
  behind_count = 0;
  return true;
}

void SymbolState::apply(LpState& lp, const Tick& tick, std::chrono::nanoseconds live_tick_age) noexcept {
  if (tick.kind == RecordKind::kGap) {
    lp.after_gap = true;
    return;
  }
  if (tick.kind != RecordKind::kQuote) return;
  const bool is_live = (tick.flags & kHistorical) == 0;
  const bool is_in_order = tick.ts_event >= lp.newest;
  seq = tick.seq;
  lp.after_gap = false;
  if (lp.prices.streak) lp.prices.streak.reset();
  if (is_live) {
    if (is_in_order || (tick.flags & kNewLevel)) lp.prices.live = {tick.ts_event, tick.bid, tick.ask};
  } else {
    if (tick.flags & kNewLevel) lp.prices.level = {};
    PriceGate::accept_historical(lp.prices.level, tick.ts_event, tick.bid, tick.ask);
    PriceGate::accept_historical(level, tick.ts_event, tick.bid, tick.ask);
  }
  const bool was_brought_back = lp.take_times(tick);
  if (tick.flags & kUnselected) return;
  if (tick.flags & (kLateForBars | kFoldedLater)) ++late_ticks;
  take_newest(tick, was_brought_back);
  take_latest(tick, is_in_order, live_tick_age);
}

void SymbolState::take_newest(const Tick& tick, bool was_brought_back) noexcept {
  last_received = std::max(last_received, tick.ts_recv);
  if (was_brought_back) {
    newest = kNoTime;
    for (const LpState& lp : lps) {
      if (lp.is_selected) newest = std::max(newest, lp.newest);
    }
  } else if (tick.ts_event < newest) {
    return;
  } else {
    newest = tick.ts_event;
  }
  const auto distance = tick.ts_recv - tick.ts_event;
  newest_was_timely = distance <= kActiveWithin && distance >= -kActiveWithin;
}

void SymbolState::take_latest(const Tick& tick, bool is_in_order, std::chrono::nanoseconds live_tick_age) noexcept {
  bool is_latest = false;
  if (tick.flags & kHistorical) {
    const bool ties = tick.ts_event == latest.ts_event && (latest.flags & kHistorical);
    is_latest = latest.seq == 0 || ties || tick.ts_event > latest.ts_event;
  } else {
    is_latest = is_in_order && tick.ts_recv - tick.ts_event <= live_tick_age;
  }
  if (is_latest) latest = tick;
}

bool SymbolState::follows_clock(UnixNanos now) const noexcept {
  return newest_was_timely || last_received == kNoTime || now - last_received >= kActiveWithin;
}

UnixNanos SymbolState::watermark() const noexcept {
  if (lps.size() == 1) return lps.front().is_selected ? lps.front().reached : kNoTime;
  UnixNanos reached = newest;
  if (newest == kNoTime) return reached;
  for (const LpState& lp : lps) {
    if (lp.is_selected && lp.newest != kNoTime && newest - lp.newest <= kActiveWithin) {
      reached = std::min(reached, lp.reached);
    }
  }
  return reached;
}

void SymbolState::encode(std::string& out) const {
  encode_without_bars(out);
  ByteWriter w(out);
  bars.encode(w);
}

void SymbolState::encode_without_bars(std::string& out) const {
  ByteWriter w(out);
  w.u8(kSnapshotVersion);
  w.varint(seq);
  w.varint(latest.seq);
  if (latest.seq != 0) {
    w.i64(latest.ts_event.ns);
    w.i64(latest.ts_recv.ns);
    w.signed_varint(latest.bid.units);
    w.signed_varint(latest.ask.units);
    w.i64(latest.bid_size.units);
    w.i64(latest.ask_size.units);
    w.u16(latest.lp.value);
    w.u8(latest.flags);
  }
  w.i64(newest.ns);
  w.i64(last_received.ns);
  w.u8(newest_was_timely ? 1 : 0);
  w.varint(late_ticks);
  encode_price_level(w, level);
  w.varint(lps.size());
  for (const LpState& lp : lps) {
    w.u16(lp.lp.value);
    w.u8(static_cast<std::uint8_t>((lp.after_gap ? 1 : 0) | (lp.is_selected ? 2 : 0)));
    w.i64(lp.greatest.ns);
    w.i64(lp.newest.ns);
    w.i64(lp.newest_received.ns);
    w.i64(lp.reached.ns);
    w.u8(lp.behind_count);
    if (lp.behind_count != 0) w.i64(lp.behind_newest.ns);
    encode_price_track(w, lp.prices);
  }
}

void SymbolState::decode(std::string_view bytes) {
  ByteReader r(bytes);
  decode_head(r);
  bars.decode(r);
  if (!r.ok() || !r.at_end()) throw Error("the stored state of a symbol is damaged");
}

void SymbolState::decode_without_bars(std::string_view bytes) {
  ByteReader r(bytes);
  decode_head(r);
  if (!r.ok() || !r.at_end()) throw Error("the state of a symbol is damaged");
}

void SymbolState::decode_head(ByteReader& r) {
  // Version 1 knew no live ticks.
  const std::uint8_t version = r.u8();
  if (version == 0 || version > kSnapshotVersion) throw Error("the stored state of a symbol has an unknown version");
  const bool has_live = version >= 2;
  seq = r.varint();
  latest = {};
  latest.seq = r.varint();
  if (latest.seq != 0) {
    latest.symbol = id;
    latest.ts_event.ns = r.i64();
    latest.ts_recv.ns = r.i64();
    latest.bid.units = r.signed_varint();
    latest.ask.units = r.signed_varint();
    latest.bid_size.units = r.i64();
    latest.ask_size.units = r.i64();
    latest.lp.value = r.u16();
    latest.flags = r.u8();
  }
  newest.ns = r.i64();
  if (has_live) {
    last_received.ns = r.i64();
    newest_was_timely = r.u8() != 0;
    late_ticks = r.varint();
  }
  level = decode_price_level(r);
  const std::uint64_t lp_count = r.varint();
  lps.clear();
  for (std::uint64_t i = 0; i < lp_count && r.ok(); ++i) {
    LpState& lp = lps.emplace_back();
    lp.lp.value = r.u16();
    const std::uint8_t bits = r.u8();
    lp.after_gap = (bits & 1) != 0;
    lp.is_selected = (bits & 2) != 0;
    lp.greatest.ns = r.i64();
    lp.newest = lp.reached = lp.greatest;
    if (has_live) {
      lp.newest.ns = r.i64();
      lp.newest_received.ns = r.i64();
      lp.reached.ns = r.i64();
      lp.behind_count = r.u8();
      if (lp.behind_count != 0) lp.behind_newest.ns = r.i64();
    }
    decode_price_track(r, lp.prices, has_live);
    lp.window.assume_stored_through(lp.greatest);
  }
}

}  // namespace tickpipe::internal
