#include "store/keys.h"

#include "core/bytes.h"

namespace tickpipe::internal::keys {
namespace {

void append_chunk_start(ByteWriter& out, SymbolId symbol, std::uint8_t span_class, UnixNanos first) {
  out.u32(symbol.value);
  out.u8(span_class);
  out.i64(first.ns);
}

}  // namespace

std::uint8_t span_class(std::chrono::nanoseconds span) noexcept {
  std::uint8_t result = 0;
  while (result + 1U < kSpanLimits.size() && span > kSpanLimits[result]) ++result;
  return result;
}

std::string chunk(const Chunk& key) {
  std::string out;
  append_chunk(out, key);
  return out;
}

void append_chunk(std::string& out, const Chunk& key) {
  ByteWriter w(out);
  append_chunk_start(w, key.symbol, key.span_class, key.first);
  w.u64(key.position.value);
  w.u32(key.ordinal);
}

std::optional<Chunk> parse_chunk(std::string_view key) {
  ByteReader in(key);
  Chunk out;
  out.symbol.value = in.u32();
  out.span_class = in.u8();
  out.first.ns = in.i64();
  out.position.value = in.u64();
  out.ordinal = in.u32();
  if (!in.ok() || !in.at_end() || out.span_class >= kSpanLimits.size()) return std::nullopt;
  return out;
}

std::string chunk_lower_bound(SymbolId symbol, std::uint8_t span_class, UnixNanos first) {
  std::string out;
  ByteWriter w(out);
  append_chunk_start(w, symbol, span_class, first);
  return out;
}

std::string bar(const BarKey& key) {
  std::string out;
  append_bar(out, key);
  return out;
}

void append_bar(std::string& out, const BarKey& key) {
  ByteWriter w(out);
  w.u32(key.symbol.value);
  w.u32(static_cast<std::uint32_t>(key.timeframe.length.count()));
  w.i64(key.open_time.ns);
}

std::optional<BarKey> parse_bar(std::string_view key) {
  ByteReader in(key);
  BarKey out;
  out.symbol.value = in.u32();
  out.timeframe.length = std::chrono::seconds{in.u32()};
  out.open_time.ns = in.i64();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return out;
}

std::string sealed_day(const SealedDayKey& key) {
  std::string out(kSealedPrefix);
  ByteWriter w(out);
  w.u32(key.symbol.value);
  w.u32(static_cast<std::uint32_t>(key.day));
  return out;
}

std::optional<SealedDayKey> parse_sealed_day(std::string_view key) {
  if (!key.starts_with(kSealedPrefix)) return std::nullopt;
  ByteReader in(key.substr(kSealedPrefix.size()));
  SealedDayKey out;
  out.symbol.value = in.u32();
  out.day = static_cast<std::int32_t>(in.u32());
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return out;
}

std::string position(Position position) {
  std::string out;
  ByteWriter(out).u64(position.value);
  return out;
}

std::optional<Position> parse_position(std::string_view key) {
  ByteReader in(key);
  const Position out{in.u64()};
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return out;
}

std::string numbered(std::string_view prefix, std::uint32_t number) {
  std::string out(prefix);
  ByteWriter(out).u32(number);
  return out;
}

std::optional<std::uint32_t> parse_numbered(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return std::nullopt;
  ByteReader in(key.substr(prefix.size()));
  const std::uint32_t number = in.u32();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return number;
}

}  // namespace tickpipe::internal::keys
