#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "load/latencies.h"

namespace tickpipe::internal::load {

/// What a run is doing. All threads read it, the run's own sets it.
enum class Phase { kConnect, kWarmup, kMeasure, kHostileWarmup, kHostileMeasure, kSettle, kStop };

/// Which measurement a phase belongs to: 0 without hostile peers, 1 beside them, -1 none.
inline int measurement_of(Phase phase) noexcept {
  return phase == Phase::kMeasure ? 0 : phase == Phase::kHostileMeasure ? 1 : -1;
}
inline constexpr std::size_t kMeasurements = 2;

/// What the threads of a run tell each other.
struct Progress {
  std::atomic<Phase> phase{Phase::kConnect};
  std::atomic<std::uint32_t> ready{0};   // clients that have the answer to their subscription
  std::atomic<std::uint32_t> failed{0};  // that could not connect, or were closed before the end
  std::atomic<std::uint64_t> messages{0};
};

/// What arrived during one measurement.
struct Arrivals {
  std::uint64_t messages = 0;
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  // of the TCP stream
  std::uint64_t examined = 0;
  std::uint64_t unstamped = 0;  // examined without finding when they were sent
  std::uint64_t stale = 0;      // conflated values that were older than their interval
  Latencies since_send;         // from the POST put together, or the sender's own time
  Latencies since_schedule;     // from when it should have been sent: holds what a stalled server kept back

  void add(const Arrivals& other) {
    messages += other.messages;
    frames += other.frames;
    bytes += other.bytes;
    examined += other.examined;
    unstamped += other.unstamped;
    stale += other.stale;
    since_send.add(other.since_send);
    since_schedule.add(other.since_schedule);
  }
};

/// What one thread of clients counts. Owned by that thread until it is joined.
struct ClientTally {
  std::array<Arrivals, kMeasurements> arrivals;
  std::uint64_t connected = 0;
  std::map<std::string, std::uint64_t> failures;  // by reason: connecting, handshake, protocol
  std::map<int, std::uint64_t> closed;            // by the server, by code; 1006 = without a close frame
  std::uint64_t server_errors = 0;                // {"type":"error"} and errors of single symbols
  std::string first_server_error;
  std::uint64_t pings = 0;

  void add(const ClientTally& other) {
    for (std::size_t i = 0; i < arrivals.size(); ++i) arrivals[i].add(other.arrivals[i]);
    connected += other.connected;
    for (const auto& [reason, count] : other.failures) failures[reason] += count;
    for (const auto& [code, count] : other.closed) closed[code] += count;
    server_errors += other.server_errors;
    if (first_server_error.empty()) first_server_error = other.first_server_error;
    pings += other.pings;
  }
};

}  // namespace tickpipe::internal::load
