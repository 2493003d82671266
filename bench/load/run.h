#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/feeder.h"
#include "load/hostile_slot.h"
#include "load/options.h"
#include "load/process_usage.h"
#include "load/tally.h"
#include "load/verifier.h"

namespace tickpipe::internal::load {

/// One measurement as seen from outside the client threads.
struct Measurement {
  double seconds = 0;
  std::optional<ProcessUsage> server;
  std::optional<ProcessUsage> own;
  double machine_busy = 0;            // share of all cores
  std::uint32_t expected_values = 0;  // of each client and symbol, at the interval
};

/// Everything a run found out.
struct RunResult {
  std::uint64_t descriptor_limit = 0;
  double connect_seconds = 0;
  int server_pid = 0;
  std::uint64_t rss_before = 0;  // of the server, before the first client
  std::uint64_t rss_connected = 0;
  std::vector<Measurement> measurements;  // the second one beside hostile peers
  ClientTally clients;
  std::uint32_t not_ready = 0;
  std::optional<Findings> findings;
  std::uint64_t pairs = 0;
  bool is_final_checked = false;
  std::optional<FeedTally> feed;
  std::array<HostileTally, kHostileKinds> hostile;
  std::map<std::string, std::int64_t> server_counters;  // by how much they grew

  /// Why the run is a failure, one sentence each; empty = it is none.
  std::vector<std::string> problems;
};

/// Connects, feeds, measures, checks. Throws Error when it cannot begin.
RunResult run_load(const Options& options);

}  // namespace tickpipe::internal::load
