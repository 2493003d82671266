#include "store/row_codec.h"

#include <algorithm>
#include <unordered_map>

namespace tickpipe::internal {
namespace {

// The first byte of a row: its kind in the lowest two bits, and what needs not be written.
constexpr std::uint8_t kKindMask = 3;
constexpr std::uint8_t kOtherKind = 3;  ///< it follows in a byte of its own
constexpr std::uint8_t kSameSymbol = 4;
constexpr std::uint8_t kSameLp = 8;
constexpr std::uint8_t kSameFlags = 16;
constexpr std::uint8_t kHasSizes = 32;
constexpr std::uint8_t kNextSeq = 64;

constexpr std::size_t kMaxRowBytes = 3 + 9 * kMaxVarintBytes;

std::uint64_t encode_size(Quantity size) {
  return size == kNoQuantity ? 0 : static_cast<std::uint64_t>(size.units) + 1;
}
Quantity decode_size(std::uint64_t value) {
  return value == 0 ? kNoQuantity : Quantity{static_cast<std::int64_t>(value - 1)};
}

}  // namespace

void RowEncoder::start(std::size_t count, std::string& out) {
  ++commit_;
  before_ = Tick{};
  before_.ts_event.ns = 0;
  lag_ = 0;
  ByteWriter(out).varint(count);
}

void RowEncoder::append(std::span<const Tick> ticks, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + ticks.size() * kMaxRowBytes);
  char* p = out.data() + start;
  for (const Tick& tick : ticks) {
    if (tick.symbol.value >= symbols_.size()) symbols_.resize(tick.symbol.value + std::size_t{1});
    SymbolState& state = symbols_[tick.symbol.value];
    if (state.commit != commit_) state = {.commit = commit_, .bid = 0, .seq = 0};
    const bool has_sizes = tick.bid_size != kNoQuantity || tick.ask_size != kNoQuantity;
    const auto kind = static_cast<std::uint8_t>(tick.kind);
    std::uint8_t head = std::min(kind, kOtherKind);
    if (tick.symbol == before_.symbol) head |= kSameSymbol;
    if (tick.lp == before_.lp) head |= kSameLp;
    if (tick.flags == before_.flags) head |= kSameFlags;
    if (has_sizes) head |= kHasSizes;
    if (tick.seq == state.seq + 1) head |= kNextSeq;
    *p++ = static_cast<char>(head);
    if (kind >= kOtherKind) *p++ = static_cast<char>(kind);
    if (!(head & kSameSymbol)) p = put_varint(p, tick.symbol.value);
    if (!(head & kSameLp)) p = put_varint(p, tick.lp.value);
    if (!(head & kSameFlags)) *p++ = static_cast<char>(tick.flags);
    p = put_varint(p, zigzag(wrapping_sub(tick.ts_event.ns, before_.ts_event.ns)));
    const std::int64_t lag = wrapping_sub(tick.ts_recv.ns, tick.ts_event.ns);
    p = put_varint(p, zigzag(wrapping_sub(lag, lag_)));
    p = put_varint(p, zigzag(wrapping_sub(tick.bid.units, state.bid)));
    p = put_varint(p, zigzag(wrapping_sub(tick.ask.units, tick.bid.units)));
    if (!(head & kNextSeq)) p = put_varint(p, tick.seq);
    if (has_sizes) {
      p = put_varint(p, encode_size(tick.bid_size));
      p = put_varint(p, encode_size(tick.ask_size));
    }
    lag_ = lag;
    state.bid = tick.bid.units;
    state.seq = tick.seq;
    before_ = tick;
  }
  out.resize(static_cast<std::size_t>(p - out.data()));
}

void decode_rows(ByteReader& in, std::vector<Tick>& out) {
  struct State {
    std::int64_t bid = 0;
    std::uint64_t seq = 0;
  };
  std::unordered_map<std::uint32_t, State> symbols;
  Tick tick;
  tick.ts_event.ns = 0;
  std::int64_t lag = 0;
  for (std::uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    const std::uint8_t head = in.u8();
    const std::uint8_t kind = (head & kKindMask) == kOtherKind ? in.u8() : head & kKindMask;
    if (!(head & kSameSymbol)) tick.symbol.value = static_cast<std::uint32_t>(in.varint());
    if (!(head & kSameLp)) tick.lp.value = static_cast<std::uint16_t>(in.varint());
    if (!(head & kSameFlags)) tick.flags = in.u8();
    State& state = symbols[tick.symbol.value];
    tick.ts_event.ns = wrapping_add(tick.ts_event.ns, in.signed_varint());
    lag = wrapping_add(lag, in.signed_varint());
    tick.ts_recv.ns = wrapping_add(tick.ts_event.ns, lag);
    tick.bid.units = wrapping_add(state.bid, in.signed_varint());
    tick.ask.units = wrapping_add(tick.bid.units, in.signed_varint());
    tick.seq = head & kNextSeq ? state.seq + 1 : in.varint();
    tick.bid_size = head & kHasSizes ? decode_size(in.varint()) : kNoQuantity;
    tick.ask_size = head & kHasSizes ? decode_size(in.varint()) : kNoQuantity;
    state = {.bid = tick.bid.units, .seq = tick.seq};
    if (kind > static_cast<std::uint8_t>(RecordKind::kGap)) continue;
    tick.kind = static_cast<RecordKind>(kind);
    out.push_back(tick);
  }
}

}  // namespace tickpipe::internal
