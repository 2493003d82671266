#pragma once

#include <cstdint>
#include <functional>

namespace tickpipe::internal {

/// Number of a symbol, dense from 0 in order of first sight, kept in the data directory.
struct SymbolId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(SymbolId, SymbolId) = default;
};

/// Number of a liquidity provider, dense from 0 in order of first sight, kept in the data directory.
struct LpId {
  std::uint16_t value = 0;
  friend constexpr auto operator<=>(LpId, LpId) = default;
};

/// Number of a commit: 1 for the first of a data directory, then one more each. Positions order everything stored.
struct Position {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Position, Position) = default;
};

}  // namespace tickpipe::internal
