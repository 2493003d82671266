#include "store/log_entry.h"

#include "core/bytes.h"
#include "core/error.h"

namespace tickpipe {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kVersionWithAmended = 2;

}  // namespace

void encode_log_entry(const LogEntry& entry, std::string& out) {
  ByteWriter w(out);
  w.u8(entry.amended.empty() ? kVersion : kVersionWithAmended);
  w.varint(entry.chunks.size());
  for (const keys::Chunk& chunk : entry.chunks) {
    w.varint(chunk.symbol.value);
    w.u8(chunk.span_class);
    w.i64(chunk.first.ns);
    w.varint(chunk.ordinal);
  }
  w.varint(entry.bars.size());
  for (const keys::BarKey& bar : entry.bars) {
    w.varint(bar.symbol.value);
    w.varint(static_cast<std::uint64_t>(bar.timeframe.length.count()));
    w.i64(bar.open_time.ns);
  }
  w.varint(entry.closes.size());
  for (const CloseMark& mark : entry.closes) {
    w.varint(mark.symbol.value);
    w.varint(mark.after_seq);
    w.i64(mark.closed_through.ns);
  }
  if (entry.amended.empty()) return;
  w.varint(entry.amended.size());
  for (const Tick& tick : entry.amended) {
    w.varint(tick.symbol.value);
    w.u16(tick.lp.value);
    w.varint(tick.seq);
    w.i64(tick.ts_event.ns);
    w.i64(tick.bid.units);
    w.i64(tick.ask.units);
  }
}

LogEntry decode_log_entry(std::string_view bytes, Position position) {
  ByteReader r(bytes);
  const std::uint8_t version = r.u8();
  if (version != kVersion && version != kVersionWithAmended)
    throw Error("a log entry has a format that this release cannot read");
  LogEntry entry;
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    keys::Chunk& chunk = entry.chunks.emplace_back();
    chunk.symbol.value = static_cast<std::uint32_t>(r.varint());
    chunk.span_class = r.u8();
    chunk.first.ns = r.i64();
    chunk.ordinal = static_cast<std::uint32_t>(r.varint());
    chunk.position = position;
  }
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    keys::BarKey& bar = entry.bars.emplace_back();
    bar.symbol.value = static_cast<std::uint32_t>(r.varint());
    bar.timeframe.length = std::chrono::seconds{static_cast<std::int64_t>(r.varint())};
    bar.open_time.ns = r.i64();
  }
  for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
    CloseMark& mark = entry.closes.emplace_back();
    mark.symbol.value = static_cast<std::uint32_t>(r.varint());
    mark.after_seq = r.varint();
    mark.closed_through.ns = r.i64();
  }
  if (version == kVersionWithAmended) {
    for (std::uint64_t n = r.varint(); n > 0 && r.ok(); --n) {
      Tick& tick = entry.amended.emplace_back();
      tick.symbol.value = static_cast<std::uint32_t>(r.varint());
      tick.lp.value = r.u16();
      tick.seq = r.varint();
      tick.ts_event.ns = r.i64();
      tick.bid.units = r.i64();
      tick.ask.units = r.i64();
    }
  }
  if (!r.ok() || !r.at_end()) throw Error("the log entry of commit " + std::to_string(position.value) + " is damaged");
  return entry;
}

}  // namespace tickpipe
