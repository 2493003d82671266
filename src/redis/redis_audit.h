#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"
#include "model/market_data.h"
#include "model/name_registry.h"
#include "redis/redis_connection.h"
#include "redis/redis_work.h"

namespace tickpipe::internal {

/// Finds keys that vanished or lost members: evicted, removed by somebody, or absent in the data with which Redis came
/// back. What is missing becomes work.
///
/// Threads: that of the sink; lost_keys() any.
class RedisAudit {
 public:
  /// All of it outlives the audit.
  struct Parts {
    const MarketData& market;
    const SymbolRegistry& symbols;
    RedisWork& work;
    Log& log;
    std::function<bool(SymbolId)> is_present;  ///< whether there are to be keys of the symbol
    std::size_t kept_ticks = 1000;
  };

  explicit RedisAudit(Parts parts) : parts_(std::move(parts)) {}

  /// Looks at the keys of all symbols. Throws RedisError or RedisRefusal, as the next one.
  void look_at_all(RedisConnection& connection);
  /// Looks at the keys of some symbols, of others each time, and makes work of a part of what is lost.
  void look_further(RedisConnection& connection);
  /// A key of the symbol has fewer members than it had.
  void note_lost(SymbolId id);

  /// Why keys are missing; empty when none were for a while.
  [[nodiscard]] std::string cause() const;
  /// Symbols of which keys had vanished, each time it was found.
  [[nodiscard]] const std::atomic<std::uint64_t>& lost_keys() const noexcept { return lost_keys_; }

 private:
  using SteadyClock = std::chrono::steady_clock;

  void look_at(RedisConnection& connection, SymbolId first, SymbolId last);
  void take_count(SymbolId id, std::size_t which, std::int64_t members);
  void write_lost_again(RedisConnection& connection);
  [[nodiscard]] std::uint32_t symbol_count() const { return static_cast<std::uint32_t>(parts_.symbols.size()); }
  [[nodiscard]] std::uint32_t symbols_at_once() const;

  const Parts parts_;
  std::uint32_t next_ = 0;
  std::vector<SymbolId> lost_;  ///< not yet made work of
  SteadyClock::time_point lost_at_;
  std::string cause_;
  std::atomic<std::uint64_t> lost_keys_{0};
};

}  // namespace tickpipe::internal
