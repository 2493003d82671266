#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tickpipe/export.h"
#include "tickpipe/timestamp.h"

namespace tickpipe {

/// Why a quote was refused.
enum class Reason : std::uint8_t {
  kMalformed,
  kLineTooLong,
  kBadLp,
  kTooManyLps,
  kBadSymbol,
  kUnknownSymbol,
  kTooManySymbols,
  kBadPrice,
  kCrossed,
  kBadTimestamp,
  kTooOld,
  kInFuture,
  kDuplicate,
  kImplausiblePrice,
  kSpike,
  kStoreUnavailable,
};

/// `bad_price`, as in statistics and over REST.
[[nodiscard]] TICKPIPE_API std::string_view to_string(Reason reason) noexcept;

struct LatencySummary {
  std::uint64_t count = 0;
  std::chrono::nanoseconds average{0};
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};
};

/// Counters since start, of one moment: received = processed + refused + dropped + in flight. The names are those of
/// /api/pipeline/stats.
struct Statistics {
  std::uint64_t ticks_received = 0;
  std::uint64_t ticks_processed = 0;  ///< accepted and committed
  std::uint64_t ticks_dropped = 0;    ///< queue_full
  std::uint64_t ticks_in_flight = 0;
  std::uint64_t ticks_refused = 0;  ///< duplicates included
  std::uint64_t ticks_duplicate = 0;
  std::uint64_t ticks_invalid = 0;  ///< refused without duplicates
  std::uint64_t ticks_out_of_order = 0;
  std::uint64_t ticks_late_for_bars = 0;
  std::uint64_t abnormal_spikes_detected = 0;
  std::uint64_t ohlc_bars_generated = 0;
  std::uint64_t quotes_distributed = 0;
  std::uint64_t clients_connected = 0;
  std::uint64_t stale_feeds_detected = 0;
  std::uint64_t symbols = 0;
  std::vector<std::pair<Reason, std::uint64_t>> refused_by_reason;  ///< those that are not 0
  LatencySummary tick_latency;                                      ///< received -> accepted
  LatencySummary ohlc_latency;                                      ///< accepted -> bar
  LatencySummary distribution_latency;                              ///< committed -> handed to clients
  Timestamp last_tick_time = Timestamp::none();
  std::chrono::nanoseconds uptime{0};
};

enum class HealthState : std::uint8_t { kHealthy, kDegraded, kUnhealthy };
[[nodiscard]] TICKPIPE_API std::string_view to_string(HealthState state) noexcept;

struct ComponentHealth {
  std::string name;  ///< `ingester ohlc_engine distributor storage monitor`
  HealthState state = HealthState::kHealthy;
  std::string detail;  ///< the cause, when it is not healthy
};

struct Health {
  HealthState overall = HealthState::kHealthy;
  std::chrono::nanoseconds uptime{0};
  std::vector<ComponentHealth> components;  ///< empty while the pipeline is off
};

}  // namespace tickpipe
