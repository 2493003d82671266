#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/tick.h"
#include "store/chunk_codec.h"
#include "store/rocks.h"
#include "store/tail.h"

namespace tickpipe::internal {

/// A chunk as it is stored.
struct StoredChunk {
  std::string key;
  std::vector<StoredTick> ticks;
};

/// The chunk that holds the quote with this time and seq; nothing when there is none. Errors: Error.
std::optional<StoredChunk> find_chunk(const Rocks& rocks, SymbolId symbol, UnixNanos ts_event, std::uint64_t seq);

/// Walks the stored ticks of one symbol with from <= ts_event < to, ascending by (ts_event, seq).
///
/// It merges the chunks of all span classes, of which it holds only those in memory that overlap the current moment,
/// and the tail. Sees what was committed when it was made. One thread; the database outlives it. Errors: Error.
class TickCursor {
 public:
  TickCursor(const Rocks& rocks, const Tail& tail, SymbolId symbol, UnixNanos from, UnixNanos to);

  /// The next tick, or null at the end. Valid until the next call.
  const Tick* next();

 private:
  struct Source {
    std::unique_ptr<rocksdb::Iterator> iterator;
    UnixNanos first = kEndOfTime;  ///< of the chunk it stands on; kEndOfTime at the end
  };
  struct OpenChunk {
    std::vector<Tick> ticks;
    std::size_t at = 0;
  };
  void look_at(Source& source, std::size_t span_class);
  void open(Source& source, std::size_t span_class);
  void add(OpenChunk chunk);
  /// Greater means later: the heap's top is the earliest.
  static bool later(const OpenChunk& a, const OpenChunk& b) noexcept;

  SymbolId symbol_;
  UnixNanos from_;
  UnixNanos to_;
  std::vector<Source> sources_;
  std::vector<OpenChunk> open_;  ///< heap
  std::vector<std::vector<Tick>> spare_;
  std::vector<StoredTick> decoded_;
  Tick current_;
};

}  // namespace tickpipe::internal
