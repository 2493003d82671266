#include "store/log_entry.h"

#include <limits>

#include "core/bytes.h"
#include "core/error.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint8_t kChunks = 1;  // of store format 1
constexpr std::uint8_t kChunksAndAmended = 2;
constexpr std::uint8_t kCommit = 3;
constexpr std::uint8_t kPacked = 4;

void put_bars(const LogEntry& entry, ByteWriter& w) {
  w.varint(entry.bars.size());
  for (const keys::BarKey& bar : entry.bars) {
    w.varint(bar.symbol.value);
    w.varint(static_cast<std::uint64_t>(bar.timeframe.length.count()));
    w.i64(bar.open_time.ns);
  }
}

void put_close(const CloseMark& mark, ByteWriter& w) {
  w.varint(mark.symbol.value);
  w.varint(mark.after_seq);
  w.i64(mark.closed_through.ns);
}

void put_amended(const Tick& tick, ByteWriter& w) {
  w.varint(tick.symbol.value);
  w.u16(tick.lp.value);
  w.varint(tick.seq);
  w.i64(tick.ts_event.ns);
  w.i64(tick.bid.units);
  w.i64(tick.ask.units);
  w.u8(tick.flags);
}

CloseMark read_close(ByteReader& r) {
  CloseMark mark;
  mark.symbol.value = static_cast<std::uint32_t>(r.varint());
  mark.after_seq = r.varint();
  mark.closed_through.ns = r.i64();
  return mark;
}

Tick read_amended(ByteReader& r, bool has_flags) {
  Tick tick;
  tick.symbol.value = static_cast<std::uint32_t>(r.varint());
  tick.lp.value = r.u16();
  tick.seq = r.varint();
  tick.ts_event.ns = r.i64();
  tick.bid.units = r.i64();
  tick.ask.units = r.i64();
  if (has_flags) tick.flags = r.u8();
  return tick;
}

}  // namespace

void encode_commit_entry(const LogEntry& entry, std::span<const EventBatch* const> batches, RowEncoder& rows,
                         std::string& out) {
  ByteWriter w(out);
  w.u8(kCommit);
  std::size_t count = 0;
  for (const EventBatch* batch : batches) count += batch->ticks.size();
  rows.start(count, out);
  for (const EventBatch* batch : batches) rows.append(batch->ticks, out);
  put_bars(entry, w);
  w.varint(entry.closes.size());
  for (const CloseMark& mark : entry.closes) put_close(mark, w);
  w.varint(entry.amended.size());
  for (const Tick& tick : entry.amended) put_amended(tick, w);
}

void encode_packed_entry(const LogEntry& entry, Position last, std::string& out) {
  ByteWriter w(out);
  w.u8(kPacked);
  w.varint(last.value - entry.first.value);
  w.varint(entry.chunks.size());
  for (const keys::Chunk& chunk : entry.chunks) {
    w.varint(chunk.symbol.value);
    w.u8(chunk.span_class);
    w.i64(chunk.first.ns);
    w.varint(chunk.ordinal);
  }
  put_bars(entry, w);
  w.varint(entry.closes.size());
  for (std::size_t i = 0; i < entry.closes.size(); ++i) {
    w.varint(last.value - entry.close_positions.at(i).value);
    put_close(entry.closes[i], w);
  }
  w.varint(entry.amended.size());
  for (std::size_t i = 0; i < entry.amended.size(); ++i) {
    w.varint(last.value - entry.amended_positions.at(i).value);
    put_amended(entry.amended[i], w);
  }
}

bool is_commit_entry(std::string_view bytes) {
  if (bytes.empty()) throw Error("an entry of the store's log is empty");
  return static_cast<std::uint8_t>(bytes.front()) == kCommit;
}

LogEntry decode_log_entry(std::string_view bytes, Position position) {
  ByteReader r(bytes);
  const std::uint8_t version = r.u8();
  if (!r.ok() || version < kChunks || version > kPacked)
    throw Error("a log entry has a format that this release cannot read");
  LogEntry entry;
  entry.first = position;
  // A distance that leads before the commits of the entry is damage; it must not wrap to one far ahead.
  const auto read_position = [&](Position least) {
    const std::uint64_t distance = r.varint();
    if (distance > position.value - least.value) r.fail();
    return Position{position.value - distance};
  };
  if (version == kPacked) entry.first = read_position({1});
  if (version == kCommit) {
    decode_rows(r, entry.ticks);
  } else {
    for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
      keys::Chunk& chunk = entry.chunks.emplace_back();
      chunk.symbol.value = static_cast<std::uint32_t>(r.varint());
      chunk.span_class = r.u8();
      if (chunk.span_class >= keys::kSpanLimits.size()) r.fail();
      chunk.first.ns = r.i64();
      chunk.ordinal = static_cast<std::uint32_t>(r.varint());
      chunk.position = position;
    }
  }
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    keys::BarKey& bar = entry.bars.emplace_back();
    bar.symbol.value = static_cast<std::uint32_t>(r.varint());
    const std::uint64_t seconds = r.varint();
    if (seconds > std::numeric_limits<std::uint32_t>::max()) r.fail();  // what a key of a bar holds
    bar.timeframe.length = std::chrono::seconds{static_cast<std::int64_t>(seconds)};
    bar.open_time.ns = r.i64();
  }
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    entry.close_positions.push_back(version == kPacked ? read_position(entry.first) : position);
    entry.closes.push_back(read_close(r));
  }
  if (version != kChunks) {
    for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
      entry.amended_positions.push_back(version == kPacked ? read_position(entry.first) : position);
      entry.amended.push_back(read_amended(r, version != kChunksAndAmended));
    }
  }
  if (!r.ok() || !r.at_end() || entry.first > position || entry.first.value == 0) {
    throw Error("the log entry of commit " + std::to_string(position.value) + " is damaged");
  }
  return entry;
}

}  // namespace tickpipe::internal
