#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "model/ingest_door.h"
#include "model/market_data.h"
#include "model/name_registry.h"

namespace tickpipe::internal {

/// What streaming stands on. All references outlive the hub.
struct StreamParts {
  const MarketData& market;
  const SymbolRegistry& symbols;
  const LpRegistry& lps;
  IngestDoor& ingest;
  const Clock& clock;
  Log& log;
  std::string epoch;
  /// Whether quotes of the symbol may come at all. Any thread.
  std::function<bool(const Name&)> is_allowed;
  /// The JSON that REST gives of the system itself: `stats`, `health`. Any thread.
  std::function<std::string()> stats_json;
  std::function<std::string()> health_json;
  /// Runs work that may read the disk on another thread. Never blocks; throws when too much waits.
  std::function<void(std::function<void()>)> run_in_background;
  std::chrono::nanoseconds live_tick_age = std::chrono::seconds{60};
  std::size_t inbox_events = 5000;            ///< `distribution_buffer_size`
  std::size_t client_buffer_bytes = 1 << 20;  ///< `ws.client_buffer_bytes`
  bool compression = true;                    ///< `ws.compression`
  std::size_t max_ingest_bytes = 8'388'608;   ///< of a frame on /ws/ingest: `http.max_body_bytes`
  /// Whether clients may have seen, elsewhere, what is still on its way to here: they go on behind it.
  bool may_lag = false;
};

}  // namespace tickpipe::internal
