#include "store/chunk_codec.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/bytes.h"
#include "core/error.h"
#include "store/column_codec.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint8_t kRows = 1;
constexpr std::uint8_t kColumns = 2;

// Rows: what all records of the chunk share and is therefore written once or not at all.
constexpr std::uint8_t kOnlyQuotes = 1;
constexpr std::uint8_t kConsecutiveSeq = 2;
constexpr std::uint8_t kNoSizes = 4;
constexpr std::uint8_t kOneLp = 8;
constexpr std::uint8_t kOneFlags = 16;

// Columns: those that are there besides time, receive time, bid, spread, seq, position.
constexpr std::uint8_t kHasSizes = 1;
constexpr std::uint8_t kHasLps = 2;
constexpr std::uint8_t kHasKinds = 4;
constexpr std::uint8_t kHasFlags = 8;
constexpr std::uint8_t kReceivedByItself = 16;  // as differences from one to the next instead of from the event time

/// 0 stands for a size that was not sent; sizes that were are not negative.
std::uint64_t encode_size(Quantity size) {
  return size == kNoQuantity ? 0 : static_cast<std::uint64_t>(size.units) + 1;
}
Quantity decode_size(std::uint64_t value) {
  return value == 0 ? kNoQuantity : Quantity{static_cast<std::int64_t>(value - 1)};
}

struct Parsed {
  ChunkHeader header;
  std::uint8_t version = 0;
  std::uint8_t shape = 0;  ///< what records share, or which columns there are
};

Parsed parse_header(ByteReader& in) {
  Parsed parsed;
  parsed.version = in.u8();
  if (in.ok() && parsed.version != kRows && parsed.version != kColumns) {
    throw Error("a chunk of ticks has format " + std::to_string(parsed.version) +
                ", which this release cannot read: use the release that wrote it, or a newer one");
  }
  parsed.shape = in.u8();
  parsed.header.first.ns = in.i64();
  parsed.header.last.ns = in.i64();
  parsed.header.count = in.varint();
  if (!in.ok() || parsed.header.count == 0 || parsed.header.count > kMaxChunkTicks) {
    throw Error("a chunk of ticks is damaged");
  }
  return parsed;
}

using Column = std::vector<std::int64_t>;

/// Writes columns one after the other.
class ColumnWriter {
 public:
  ColumnWriter(std::span<const StoredTick> ticks, std::string& out) : ticks_(ticks), out_(out) {}

  template <typename ValueOf>
  void amounts(ValueOf value_of) {
    write(ColumnKind::kAmounts, value_of);
  }
  /// The differences from one record to the next, the first from `before`.
  template <typename ValueOf>
  void differences(ColumnKind kind, std::int64_t before, ValueOf value_of) {
    write(kind, [&](const StoredTick& tick) {
      const std::int64_t value = value_of(tick);
      return wrapping_sub(value, std::exchange(before, value));
    });
  }

 private:
  template <typename ValueOf>
  void write(ColumnKind kind, ValueOf value_of) {
    column_.clear();
    for (const StoredTick& tick : ticks_) column_.push_back(value_of(tick));
    encode_column(kind, column_, out_);
  }
  std::span<const StoredTick> ticks_;
  std::string& out_;
  Column column_;
};

/// Loaded history was received at one moment, whatever the event times; live quotes a little after their event time.
bool is_received_by_itself(std::span<const StoredTick> ticks) {
  std::size_t by_itself = 0;
  std::size_t by_lag = 0;
  const auto bits = [](std::int64_t value) { return static_cast<std::size_t>(std::bit_width(zigzag(value))); };
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    const Tick& before = ticks[i - 1].tick;
    const Tick& tick = ticks[i].tick;
    const std::int64_t received = wrapping_sub(tick.ts_recv.ns, before.ts_recv.ns);
    by_itself += bits(received);
    by_lag += bits(wrapping_sub(received, wrapping_sub(tick.ts_event.ns, before.ts_event.ns)));
  }
  return by_itself < by_lag;
}

std::size_t decode_rows(ByteReader& in, const Parsed& parsed, SymbolId symbol, Position position,
                        std::vector<StoredTick>& out) {
  const auto& header = parsed.header;
  const std::uint8_t shared = parsed.shape;
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
    const UnixNanos before = tick.ts_event;
    tick.ts_event.ns = wrapping_add(before.ns, static_cast<std::int64_t>(in.varint()));
    if (tick.ts_event < before || (i == 0 && tick.ts_event != header.first)) throw Error("a chunk of ticks is damaged");
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
    out.push_back({tick, position});
  }
  if (tick.ts_event != header.last) throw Error("a chunk of ticks is damaged");
  return unknown;
}

std::size_t decode_columns(ByteReader& in, const Parsed& parsed, SymbolId symbol, std::vector<StoredTick>& out) {
  const std::size_t count = parsed.header.count;
  const std::size_t start = out.size();
  StoredTick like;
  like.tick.symbol = symbol;
  like.tick.lp.value = in.u16();
  like.tick.flags = in.u8();
  out.resize(start + count, like);
  const std::span<StoredTick> ticks = std::span(out).subspan(start);
  Column column;
  const auto read = [&](auto take) {
    decode_column(in, count, column);
    if (!in.ok()) throw Error("a chunk of ticks is damaged");
    for (std::size_t i = 0; i < count; ++i) take(ticks[i], column[i]);
  };
  const auto read_differences = [&](std::int64_t before, auto take) {
    read([&](StoredTick& each, std::int64_t value) { take(each, before = wrapping_add(before, value)); });
  };
  read_differences(parsed.header.first.ns, [](StoredTick& each, std::int64_t ns) { each.tick.ts_event.ns = ns; });
  // Readers search by time, so that records out of order would hide others.
  const auto is_before = [](const StoredTick& a, const StoredTick& b) { return a.tick.ts_event < b.tick.ts_event; };
  if (ticks.front().tick.ts_event != parsed.header.first || ticks.back().tick.ts_event != parsed.header.last ||
      !std::is_sorted(ticks.begin(), ticks.end(), is_before)) {
    throw Error("a chunk of ticks is damaged");
  }
  if (parsed.shape & kReceivedByItself) {
    read_differences(parsed.header.first.ns, [](StoredTick& each, std::int64_t ns) { each.tick.ts_recv.ns = ns; });
  } else {
    read([](StoredTick& each, std::int64_t lag) { each.tick.ts_recv.ns = wrapping_add(each.tick.ts_event.ns, lag); });
  }
  read_differences(0, [](StoredTick& each, std::int64_t units) { each.tick.bid.units = units; });
  read([](StoredTick& each, std::int64_t spread) { each.tick.ask.units = wrapping_add(each.tick.bid.units, spread); });
  read_differences(0, [](StoredTick& each, std::int64_t seq) { each.tick.seq = static_cast<std::uint64_t>(seq); });
  read_differences(0, [](StoredTick& each, std::int64_t at) { each.position.value = static_cast<std::uint64_t>(at); });
  if (parsed.shape & kHasSizes) {
    const auto size_of = [](std::int64_t value) { return decode_size(static_cast<std::uint64_t>(value)); };
    read([&](StoredTick& each, std::int64_t value) { each.tick.bid_size = size_of(value); });
    read([&](StoredTick& each, std::int64_t value) { each.tick.ask_size = size_of(value); });
  }
  if (parsed.shape & kHasLps) {
    read([](StoredTick& each, std::int64_t lp) { each.tick.lp.value = static_cast<std::uint16_t>(lp); });
  }
  if (parsed.shape & kHasFlags) {
    read([](StoredTick& each, std::int64_t flags) { each.tick.flags = static_cast<std::uint8_t>(flags); });
  }
  if (!(parsed.shape & kHasKinds)) return 0;
  std::vector<bool> is_known;
  read([&is_known](StoredTick& each, std::int64_t value) {
    is_known.push_back(value >= 0 && value <= static_cast<std::int64_t>(RecordKind::kGap));
    if (is_known.back()) each.tick.kind = static_cast<RecordKind>(value);
  });
  std::size_t kept = start;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_known[i]) out[kept++] = out[start + i];
  }
  const std::size_t unknown = out.size() - kept;
  out.resize(kept);
  return unknown;
}

}  // namespace

void encode_chunk(std::span<const StoredTick> ticks, std::string& out) {
  const Tick& first = ticks.front().tick;
  std::uint8_t shape = 0;
  for (const auto& [tick, position] : ticks) {
    if (tick.bid_size != kNoQuantity || tick.ask_size != kNoQuantity) shape |= kHasSizes;
    if (tick.lp != first.lp) shape |= kHasLps;
    if (tick.kind != RecordKind::kQuote) shape |= kHasKinds;
    if (tick.flags != first.flags) shape |= kHasFlags;
  }
  if (is_received_by_itself(ticks)) shape |= kReceivedByItself;
  ByteWriter head(out);
  head.u8(kColumns);
  head.u8(shape);
  head.i64(first.ts_event.ns);
  head.i64(ticks.back().tick.ts_event.ns);
  head.varint(ticks.size());
  head.u16(first.lp.value);
  head.u8(first.flags);

  using enum ColumnKind;
  ColumnWriter columns(ticks, out);
  columns.differences(kAmounts, first.ts_event.ns, [](const StoredTick& each) { return each.tick.ts_event.ns; });
  if (shape & kReceivedByItself) {
    columns.differences(kDifferences, first.ts_event.ns, [](const StoredTick& each) { return each.tick.ts_recv.ns; });
  } else {
    columns.amounts([](const StoredTick& each) { return wrapping_sub(each.tick.ts_recv.ns, each.tick.ts_event.ns); });
  }
  columns.differences(kDifferences, 0, [](const StoredTick& each) { return each.tick.bid.units; });
  columns.amounts([](const StoredTick& each) { return wrapping_sub(each.tick.ask.units, each.tick.bid.units); });
  columns.differences(kDifferences, 0, [](const StoredTick& each) { return static_cast<std::int64_t>(each.tick.seq); });
  columns.differences(kDifferences, 0,
                      [](const StoredTick& each) { return static_cast<std::int64_t>(each.position.value); });
  if (shape & kHasSizes) {
    columns.amounts([](const StoredTick& each) { return static_cast<std::int64_t>(encode_size(each.tick.bid_size)); });
    columns.amounts([](const StoredTick& each) { return static_cast<std::int64_t>(encode_size(each.tick.ask_size)); });
  }
  if (shape & kHasLps) {
    columns.amounts([](const StoredTick& each) { return std::int64_t{each.tick.lp.value}; });
  }
  if (shape & kHasFlags) {
    columns.amounts([](const StoredTick& each) { return std::int64_t{each.tick.flags}; });
  }
  if (shape & kHasKinds) {
    columns.amounts([](const StoredTick& each) { return static_cast<std::int64_t>(each.tick.kind); });
  }
}

ChunkHeader decode_chunk_header(std::string_view bytes) {
  ByteReader in(bytes);
  return parse_header(in).header;
}

std::size_t decode_chunk(std::string_view bytes, SymbolId symbol, Position position, std::vector<StoredTick>& out) {
  ByteReader in(bytes);
  const Parsed parsed = parse_header(in);
  const std::size_t unknown = parsed.version == kRows ? decode_rows(in, parsed, symbol, position, out)
                                                      : decode_columns(in, parsed, symbol, out);
  if (!in.ok() || !in.at_end()) throw Error("a chunk of ticks is damaged");
  return unknown;
}

}  // namespace tickpipe::internal
