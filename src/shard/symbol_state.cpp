#include "shard/symbol_state.h"

#include <algorithm>
#include <chrono>

#include "core/bytes.h"
#include "core/error.h"

namespace tickpipe {
namespace {

constexpr std::uint8_t kSnapshotVersion = 1;
constexpr std::chrono::nanoseconds kActiveWithin = std::chrono::seconds{60};

}  // namespace

void SymbolState::apply(LpState& lp, const Tick& tick) noexcept {
  if (tick.kind == RecordKind::kGap) {
    lp.after_gap = true;
    return;
  }
  if (tick.kind != RecordKind::kQuote) return;
  seq = tick.seq;
  lp.after_gap = false;
  lp.prices.streak.reset();
  lp.newest = std::max(lp.newest, tick.ts_event);
  if (tick.flags & kNewLevel) lp.prices.level = {};
  PriceGate::accept_historical(lp.prices.level, tick.ts_event, tick.bid, tick.ask);
  PriceGate::accept_historical(level, tick.ts_event, tick.bid, tick.ask);
  if (tick.flags & kUnselected) return;
  newest = std::max(newest, tick.ts_event);
  if (latest.seq == 0 || tick.ts_event >= latest.ts_event) latest = tick;
}

UnixNanos SymbolState::watermark() const noexcept {
  if (lps.size() == 1) return lps.front().is_selected ? lps.front().newest : kNoTime;
  UnixNanos reached = newest;
  if (newest == kNoTime) return reached;
  for (const LpState& lp : lps) {
    if (lp.is_selected && lp.newest != kNoTime && newest - lp.newest <= kActiveWithin) {
      reached = std::min(reached, lp.newest);
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
  encode_price_level(w, level);
  w.varint(lps.size());
  for (const LpState& lp : lps) {
    w.u16(lp.lp.value);
    w.u8(static_cast<std::uint8_t>((lp.after_gap ? 1 : 0) | (lp.is_selected ? 2 : 0)));
    w.i64(lp.newest.ns);
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
  if (r.u8() != kSnapshotVersion) throw Error("the stored state of a symbol has an unknown version");
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
  level = decode_price_level(r);
  const std::uint64_t lp_count = r.varint();
  lps.clear();
  for (std::uint64_t i = 0; i < lp_count && r.ok(); ++i) {
    LpState& lp = lps.emplace_back();
    lp.lp.value = r.u16();
    const std::uint8_t bits = r.u8();
    lp.after_gap = (bits & 1) != 0;
    lp.is_selected = (bits & 2) != 0;
    lp.newest.ns = r.i64();
    decode_price_track(r, lp.prices);
    lp.window.assume_stored_through(lp.newest);
  }
}

}  // namespace tickpipe
