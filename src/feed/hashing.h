#pragma once

#include <cstdint>
#include <string_view>

#include "core/int128.h"

namespace tickpipe::internal {

/// What the simulator has instead of a random generator: everything random is a hash of what it belongs to, so that it
/// can be computed at any time, in any order, by any process.

/// Every bit of the result depends on every bit of `x` (finaliser of splitmix64).
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

constexpr std::uint64_t combine_hash(std::uint64_t key, std::uint64_t value) noexcept {
  return mix_bits(key ^ mix_bits(value));
}

constexpr std::uint64_t hash_text(std::uint64_t key, std::string_view text) noexcept {
  std::uint64_t hash = key;
  for (const char c : text) hash = combine_hash(hash, static_cast<unsigned char>(c));
  return hash;
}

/// From 0 to below 1.
constexpr double unit_interval(std::uint64_t hash) noexcept { return static_cast<double>(hash >> 11) * 0x1p-53; }

/// From 0 to below `bound`, which is positive.
constexpr std::int64_t below(std::uint64_t hash, std::int64_t bound) noexcept {
  return static_cast<std::int64_t>(static_cast<UInt128>(hash) * static_cast<std::uint64_t>(bound) >> 64);
}

}  // namespace tickpipe::internal
