#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "model/tick.h"

namespace tickpipe::internal {

/// Ticks of any symbols in the order of acceptance, as a commit writes them into the log: quickly, each as its
/// differences from the tick before and from that of the same symbol before. Part of the store format.
class RowEncoder {
 public:
  /// Starts the rows of a commit that has `count` ticks.
  void start(std::size_t count, std::string& out);
  void append(std::span<const Tick> ticks, std::string& out);

 private:
  struct SymbolState {
    std::uint64_t commit = 0;  ///< the start() that this state belongs to
    std::int64_t bid = 0;
    std::uint64_t seq = 0;
  };
  std::vector<SymbolState> symbols_;
  std::uint64_t commit_ = 0;
  Tick before_;
  std::int64_t lag_ = 0;
};

/// Appends the rows to `out`; those of a kind that this release does not know are left out. On damaged bytes `in` is
/// not ok() and `out` is unspecified.
void decode_rows(ByteReader& in, std::vector<Tick>& out);

}  // namespace tickpipe::internal
