#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/unix_nanos.h"
#include "model/ids.h"
#include "model/timeframe.h"

namespace tickpipe::internal::keys {

// Keys of the store; part of its format. All integers are big-endian, so that keys sort as numbers do.

/// Chunks are filed by how much time they span, so that those which contain a given moment are found by looking back
/// no further than that span, whatever late ticks did to others.
inline constexpr std::array<std::chrono::nanoseconds, 4> kSpanLimits = {
    std::chrono::seconds{1}, std::chrono::minutes{1}, std::chrono::hours{1}, std::chrono::hours{24}};

/// The first span class that holds `span`, which is at most 24 h.
std::uint8_t span_class(std::chrono::nanoseconds span) noexcept;

/// ticks: symbol, span class, first ts_event, position, number of the chunk within its commit
struct Chunk {
  SymbolId symbol;
  std::uint8_t span_class = 0;
  UnixNanos first;
  Position position;
  std::uint32_t ordinal = 0;
};
std::string chunk(const Chunk& key);
void append_chunk(std::string& out, const Chunk& key);
std::optional<Chunk> parse_chunk(std::string_view key);
/// Sorts before every chunk of that symbol and class whose first ts_event is at or after `first`.
std::string chunk_lower_bound(SymbolId symbol, std::uint8_t span_class, UnixNanos first);

/// bars: symbol, seconds of the timeframe, open time
struct BarKey {
  SymbolId symbol;
  Timeframe timeframe;
  UnixNanos open_time;
};
std::string bar(const BarKey& key);
void append_bar(std::string& out, const BarKey& key);
std::optional<BarKey> parse_bar(std::string_view key);

/// meta: `sealed/`, symbol, UTC day since 1970-01-01. The value is empty. Retention removes, or has removed, the ticks
/// of that day, and it takes none any more.
struct SealedDayKey {
  SymbolId symbol;
  std::int32_t day = 0;
};
std::string sealed_day(const SealedDayKey& key);
std::optional<SealedDayKey> parse_sealed_day(std::string_view key);

/// meta, numbered by symbol: closed bars that ended by that time (big-endian ns) may have been removed.
inline constexpr std::string_view kBarsRemovedPrefix = "bars_removed/";

/// meta, numbered by symbol: what a repair found missing. Records of four 8-byte numbers: first and last seq, event
/// time of the quote before and of the quote behind.
inline constexpr std::string_view kLostPrefix = "lost/";

/// log: position
std::string position(Position position);
std::optional<Position> parse_position(std::string_view key);

// meta
inline constexpr std::string_view kFormat = "format";
inline constexpr std::string_view kEpoch = "epoch";
inline constexpr std::string_view kBarSettings = "bar_settings";
inline constexpr std::string_view kRebuilding = "rebuilding";
inline constexpr std::string_view kCheckpoint = "checkpoint";
inline constexpr std::string_view kResumed = "resumed";  ///< says nothing: see resume()
inline constexpr std::string_view kSinkPrefix = "sink/";  ///< + name: how far that sink has got
inline constexpr std::string_view kSymbolPrefix = "symbol/";
inline constexpr std::string_view kLpPrefix = "lp/";
inline constexpr std::string_view kSnapshotPrefix = "snapshot/";
inline constexpr std::string_view kSealedPrefix = "sealed/";
std::string numbered(std::string_view prefix, std::uint32_t number);
std::optional<std::uint32_t> parse_numbered(std::string_view prefix, std::string_view key);

}  // namespace tickpipe::internal::keys
