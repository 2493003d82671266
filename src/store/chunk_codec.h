#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/unix_nanos.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// A chunk: records of one symbol, ascending by ts_event, and the commit that each of them came with, column by column.
/// Part of the store format; the first byte is its version. Version 1, of earlier releases, held records of one commit
/// row by row; it is read, but not written any more.
struct ChunkHeader {
  UnixNanos first;  ///< ts_event of the first record
  UnixNanos last;   ///< ts_event of the last record
  std::size_t count = 0;
};

/// Most records of one chunk.
inline constexpr std::size_t kMaxChunkTicks = 4096;

/// A record and the commit that stored it.
struct StoredTick {
  Tick tick;
  Position position;

  friend bool operator==(const StoredTick&, const StoredTick&) = default;
};

/// Appends the chunk of `ticks` to `out`. `ticks` is not empty, has at most kMaxChunkTicks records of one symbol and is
/// ascending by ts_event.
void encode_chunk(std::span<const StoredTick> ticks, std::string& out);

/// Reads the header alone. Throws Error on damaged bytes or a version of a later release.
ChunkHeader decode_chunk_header(std::string_view bytes);

/// Appends all records to `out`, with `symbol` filled in; those of a chunk of version 1 are of commit `position`.
/// Records of a kind that this release does not know are left out; returns their number. Throws Error on damaged bytes;
/// `out` is then unspecified.
std::size_t decode_chunk(std::string_view bytes, SymbolId symbol, Position position, std::vector<StoredTick>& out);

}  // namespace tickpipe::internal
