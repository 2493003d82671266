#include "store/chunk_codec.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/error.h"

namespace tickpipe {
namespace {

constexpr std::uint8_t kVersion = 1;

// What all records of the chunk share and is therefore written once or not at all.
constexpr std::uint8_t kOnlyQuotes = 1;
constexpr std::uint8_t kConsecutiveSeq = 2;
constexpr std::uint8_t kNoSizes = 4;
constexpr std::uint8_t kOneLp = 8;
constexpr std::uint8_t kOneFlags = 16;

// time, receive time, bid, spread, sizes, seq, lp, kind, flags
constexpr std::size_t kMaxRecordBytes = 7 * kMaxVarintBytes + 3 + 1 + 1;

std::uint8_t shared_by(std::span<const Tick* const> ticks) {
  std::uint8_t shared = kOnlyQuotes | kConsecutiveSeq | kNoSizes | kOneLp | kOneFlags;
  const Tick& first = *ticks.front();
  std::uint64_t seq = first.seq;
  for (const Tick* tick : ticks) {
    if (tick->kind != RecordKind::kQuote) shared &= static_cast<std::uint8_t>(~kOnlyQuotes);
    if (tick->seq != seq++) shared &= static_cast<std::uint8_t>(~kConsecutiveSeq);
    if (tick->bid_size != kNoQuantity || tick->ask_size != kNoQuantity) shared &= static_cast<std::uint8_t>(~kNoSizes);
    if (tick->lp != first.lp) shared &= static_cast<std::uint8_t>(~kOneLp);
    if (tick->flags != first.flags) shared &= static_cast<std::uint8_t>(~kOneFlags);
  }
  return shared;
}

/// 0 stands for a size that was not sent; sizes that were are not negative.
std::uint64_t encode_size(Quantity size) {
  return size == kNoQuantity ? 0 : static_cast<std::uint64_t>(size.units) + 1;
}
Quantity decode_size(std::uint64_t value) {
  return value == 0 ? kNoQuantity : Quantity{static_cast<std::int64_t>(value - 1)};
}

struct Parsed {
  ChunkHeader header;
  std::uint8_t shared = 0;
};

Parsed parse_header(ByteReader& in) {
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kVersion) {
    throw Error("a chunk of ticks has format " + std::to_string(version) +
                ", which this release cannot read: use the release that wrote it, or a newer one");
  }
  Parsed parsed;
  parsed.shared = in.u8();
  parsed.header.first.ns = in.i64();
  parsed.header.last.ns = in.i64();
  parsed.header.count = in.varint();
  if (!in.ok() || parsed.header.count == 0 || parsed.header.count > kMaxChunkTicks) {
    throw Error("a chunk of ticks is damaged");
  }
  return parsed;
}

}  // namespace

void encode_chunk(std::span<const Tick* const> ticks, std::string& out) {
  const std::uint8_t shared = shared_by(ticks);
  const Tick& first = *ticks.front();
  ByteWriter head(out);
  head.u8(kVersion);
  head.u8(shared);
  head.i64(first.ts_event.ns);
  head.i64(ticks.back()->ts_event.ns);
  head.varint(ticks.size());
  head.varint(first.seq);
  if (shared & kOneLp) head.u16(first.lp.value);
  if (shared & kOneFlags) head.u8(first.flags);

  const std::size_t start = out.size();
  out.resize(start + ticks.size() * kMaxRecordBytes);
  char* p = out.data() + start;
  std::int64_t ts = first.ts_event.ns;
  std::int64_t lag = 0;
  std::int64_t bid = 0;
  std::int64_t spread = 0;
  std::uint64_t seq = first.seq;
  for (const Tick* tick : ticks) {
    p = put_varint(p, static_cast<std::uint64_t>(tick->ts_event.ns - ts));
    ts = tick->ts_event.ns;
    const std::int64_t tick_lag = wrapping_sub(tick->ts_recv.ns, ts);
    p = put_varint(p, zigzag(wrapping_sub(tick_lag, lag)));
    lag = tick_lag;
    p = put_varint(p, zigzag(wrapping_sub(tick->bid.units, bid)));
    bid = tick->bid.units;
    const std::int64_t tick_spread = wrapping_sub(tick->ask.units, bid);
    p = put_varint(p, zigzag(wrapping_sub(tick_spread, spread)));
    spread = tick_spread;
    if (!(shared & kConsecutiveSeq)) {
      p = put_varint(p, zigzag(static_cast<std::int64_t>(tick->seq - seq)));
      seq = tick->seq;
    }
    if (!(shared & kNoSizes)) {
      p = put_varint(p, encode_size(tick->bid_size));
      p = put_varint(p, encode_size(tick->ask_size));
    }
    if (!(shared & kOneLp)) p = put_varint(p, tick->lp.value);
    if (!(shared & kOnlyQuotes)) *p++ = static_cast<char>(tick->kind);
    if (!(shared & kOneFlags)) *p++ = static_cast<char>(tick->flags);
  }
  out.resize(static_cast<std::size_t>(p - out.data()));
}

ChunkHeader decode_chunk_header(std::string_view bytes) {
  ByteReader in(bytes);
  return parse_header(in).header;
}

std::size_t decode_chunk(std::string_view bytes, SymbolId symbol, std::vector<Tick>& out) {
  ByteReader in(bytes);
  const auto [header, shared] = parse_header(in);
  Tick tick;
  tick.symbol = symbol;
  std::uint64_t seq = in.varint();
  if (shared & kOneLp) tick.lp.value = in.u16();
  if (shared & kOneFlags) tick.flags = in.u8();
  tick.ts_event = header.first;
  std::int64_t lag = 0;
  std::int64_t spread = 0;
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < header.count; ++i) {
    tick.ts_event.ns = wrapping_add(tick.ts_event.ns, static_cast<std::int64_t>(in.varint()));
    lag = wrapping_add(lag, in.signed_varint());
    tick.ts_recv.ns = wrapping_add(tick.ts_event.ns, lag);
    tick.bid.units = wrapping_add(tick.bid.units, in.signed_varint());
    spread = wrapping_add(spread, in.signed_varint());
    tick.ask.units = wrapping_add(tick.bid.units, spread);
    if (shared & kConsecutiveSeq) {
      tick.seq = seq++;
    } else {
      seq += static_cast<std::uint64_t>(in.signed_varint());
      tick.seq = seq;
    }
    if (!(shared & kNoSizes)) {
      tick.bid_size = decode_size(in.varint());
      tick.ask_size = decode_size(in.varint());
    }
    if (!(shared & kOneLp)) tick.lp.value = static_cast<std::uint16_t>(in.varint());
    const std::uint8_t kind = shared & kOnlyQuotes ? std::uint8_t{0} : in.u8();
    if (!(shared & kOneFlags)) tick.flags = in.u8();
    if (kind > static_cast<std::uint8_t>(RecordKind::kGap)) {
      ++unknown;
      continue;
    }
    tick.kind = static_cast<RecordKind>(kind);
    out.push_back(tick);
  }
  if (!in.ok() || !in.at_end() || tick.ts_event != header.last) throw Error("a chunk of ticks is damaged");
  return unknown;
}

}  // namespace tickpipe
