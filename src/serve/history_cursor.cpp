#include "serve/history_cursor.h"

#include <array>

#include "core/bytes.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kBodyBytes = 2 + 1 + 5 * 8;
constexpr std::size_t kBytes = kBodyBytes + 8;
static_assert(kBytes % 3 == 0, "base64 without padding and without spare bits: one text per cursor");
constexpr std::size_t kChars = kBytes / 3 * 4;

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> kValues = [] {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

/// FNV-1a over everything that the cursor belongs to.
std::uint64_t check_of(std::string_view body, std::string_view epoch, std::string_view symbol) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::string_view part : {body, epoch, std::string_view("\0", 1), symbol}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return hash;
}

}  // namespace

std::string encode_cursor(const HistoryCursor& cursor, std::string_view epoch, std::string_view symbol) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u16(kVersion);
  out.u8(cursor.newest_first ? 1 : 0);
  out.i64(cursor.from.ns);
  out.i64(cursor.to.ns);
  out.u64(cursor.max_seq);
  out.i64(cursor.after.ts_event.ns);
  out.u64(cursor.after.seq);
  out.u64(check_of(bytes, epoch, symbol));

  std::string text;
  text.reserve(kChars);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | static_cast<unsigned char>(bytes[i + j]);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) text += kAlphabet[group >> shift & 63U];
  }
  return text;
}

std::optional<HistoryCursor> decode_cursor(std::string_view text, std::string_view epoch, std::string_view symbol) {
  if (text.size() != kChars) return std::nullopt;
  std::string bytes;
  bytes.reserve(kBytes);
  for (std::size_t i = 0; i < kChars; i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const std::int8_t value = kValues[static_cast<unsigned char>(text[i + j])];
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (const unsigned shift : {16U, 8U, 0U}) bytes += static_cast<char>(group >> shift & 255U);
  }
  ByteReader in(bytes);
  if (in.u16() != kVersion) return std::nullopt;
  HistoryCursor cursor;
  cursor.newest_first = in.u8() != 0;
  cursor.from.ns = in.i64();
  cursor.to.ns = in.i64();
  cursor.max_seq = in.u64();
  cursor.after.ts_event.ns = in.i64();
  cursor.after.seq = in.u64();
  if (in.u64() != check_of(std::string_view(bytes).substr(0, kBodyBytes), epoch, symbol)) return std::nullopt;
  return cursor;
}

}  // namespace tickpipe::internal
