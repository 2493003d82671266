#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/shared_histogram.h"
#include "core/unix_nanos.h"
#include "model/feed.h"
#include "model/ids.h"
#include "model/reason.h"

namespace tickpipe::internal {

struct QueueDepth {
  std::string name;  ///< `shard_0`
  std::uint64_t depth = 0;
  std::uint64_t capacity = 0;
};

/// A copy of the data outside the store, such as Redis: how it is and how far behind.
struct SinkStatus {
  std::string name;  ///< `redis`
  bool is_degraded = false;
  std::string detail;               ///< the cause, when it is degraded
  std::uint64_t lag_commits = 0;    ///< committed here and not there yet
  std::chrono::nanoseconds lag{0};  ///< how long the oldest of these has waited
  std::uint64_t position = 0;       ///< of the newest commit up to which it is complete
  /// Counters since start, by name: `ticks_written`, ...
  std::vector<std::pair<std::string, std::uint64_t>> counters;
};

/// Counters since start, of one moment: received = processed + refused + dropped + in flight.
struct SystemStats {
  std::string version;
  std::string epoch;  ///< of the data directory, or of this process without one
  std::chrono::nanoseconds uptime{0};
  std::uint64_t received = 0;
  std::uint64_t processed = 0;  ///< accepted and committed
  std::uint64_t dropped = 0;
  std::uint64_t in_flight = 0;
  ReasonCounts refused{};
  std::uint64_t out_of_order = 0;
  std::uint64_t spikes = 0;
  std::uint64_t late_for_bars = 0;
  std::uint64_t bars_generated = 0;  ///< closed bars and revisions, committed
  std::uint64_t commits = 0;
  std::uint64_t quotes_distributed = 0;  ///< quotes handed to clients
  std::uint64_t clients_connected = 0;
  /// What goes over WebSocket and event streams.
  struct Streams {
    std::uint64_t clients = 0;
    std::uint64_t messages = 0;        ///< quotes and bars that clients were sent
    std::uint64_t bytes = 0;           ///< framing included
    std::uint64_t encoded = 0;         ///< messages, each once for all clients of a format
    std::uint64_t encoded_missed = 0;  ///< quotes for one client that had missed them
    std::uint64_t overruns = 0;        ///< times that the hub was full
  } streams;
  std::uint64_t stale_feeds_detected = 0;
  std::uint64_t symbols = 0;
  UnixNanos last_tick_time = kNoTime;  ///< greatest event time; kNoTime = none yet
  LatencySummary tick;                 ///< received -> accepted
  LatencySummary ohlc;                 ///< accepted -> bar
  LatencySummary distribution;         ///< committed -> handed to clients
  std::vector<QueueDepth> queues;
  std::vector<SinkStatus> sinks;
  std::uint64_t resident_bytes = 0;  ///< memory of the process
  double cpu_seconds = 0;            ///< used by the process
  std::uint32_t workers = 0;

  [[nodiscard]] std::uint64_t refused_total() const noexcept {
    std::uint64_t total = 0;
    for (const std::uint64_t count : refused) total += count;
    return total;
  }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return refused[index_of(Reason::kDuplicate)]; }
  /// Refused without duplicates.
  [[nodiscard]] std::uint64_t invalid() const noexcept { return refused_total() - duplicates(); }
};

enum class HealthState : std::uint8_t { kHealthy, kDegraded, kUnhealthy };
constexpr std::string_view to_string(HealthState state) {
  constexpr std::string_view kNames[] = {"healthy", "degraded", "unhealthy"};
  return kNames[static_cast<std::size_t>(state)];
}

struct ComponentHealth {
  std::string name;  ///< `ingester ohlc_engine distributor storage monitor`
  HealthState state = HealthState::kHealthy;
  std::string detail;                                          ///< the cause, when it is not healthy
  std::vector<std::pair<std::string, std::uint64_t>> figures;  ///< `queue_depth`, ...
};

struct HealthReport {
  HealthState overall = HealthState::kHealthy;
  std::chrono::nanoseconds uptime{0};
  std::vector<ComponentHealth> components;
  std::vector<FeedStatus> feeds;
};

enum class FeedHealthState : std::uint8_t {
  kHealthy,
  kStale,   ///< nothing new for longer than `stale_quote_threshold`
  kClosed,  ///< its market is closed
  kDown,    ///< its feed has ended or failed
};
constexpr std::string_view to_string(FeedHealthState state) {
  constexpr std::string_view kNames[] = {"healthy", "stale", "closed", "down"};
  return kNames[static_cast<std::size_t>(state)];
}

struct LpHealth {
  LpId lp;
  UnixNanos last_tick_time = kNoTime;
  std::uint64_t tick_count = 0;
  bool is_stale = false;
  std::chrono::nanoseconds stale_for{0};
  FeedHealthState state = FeedHealthState::kHealthy;
};

struct SymbolHealth {
  SymbolId symbol;
  UnixNanos last_tick_time = kNoTime;
  std::uint64_t tick_count = 0;
  bool is_stale = false;
  std::chrono::nanoseconds stale_for{0};              ///< since its newest quote, when that is stale
  FeedHealthState state = FeedHealthState::kHealthy;  ///< that of its best LP
  std::vector<LpHealth> lps;
};

enum class Readiness : std::uint8_t { kStarting, kReady, kDraining };

/// What a running system says of itself. Threads: any.
class SystemStatus {
 public:
  virtual ~SystemStatus() = default;
  [[nodiscard]] virtual SystemStats stats() const = 0;
  [[nodiscard]] virtual HealthReport health() const = 0;
  [[nodiscard]] virtual std::vector<SymbolHealth> feed_health() const = 0;
  [[nodiscard]] virtual Readiness readiness() const = 0;
};

}  // namespace tickpipe::internal
