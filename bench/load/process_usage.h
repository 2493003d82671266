#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tickpipe::internal::load {

/// A process as /proc shows it at one moment.
struct ProcessSample {
  struct Thread {
    std::string name;
    double cpu_s = 0;
  };
  std::int64_t at_us = 0;
  double cpu_s = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::map<int, Thread> threads;
};

/// Nothing when there is no such process or it may not be looked at.
std::optional<ProcessSample> sample_process(int pid);

/// What a process did between two samples. The clock of /proc ticks every 10 ms: good for spans of seconds.
struct ProcessUsage {
  double cores = 0;
  std::uint64_t rss_bytes = 0;  // at the end
  std::uint64_t peak_rss_bytes = 0;
  std::map<std::string, double> threads;  // share of one core, threads of the same name added up
  std::string busiest;
  double busiest_share = 0;  // of the busiest single thread
};
ProcessUsage usage_between(const ProcessSample& begin, const ProcessSample& end);

/// The CPU time of all cores so far, and how much of it was not idle; in ticks of /proc/stat.
struct MachineSample {
  std::uint64_t total = 0;
  std::uint64_t busy = 0;
};
MachineSample sample_machine();

/// The process that listens at a TCP port of this machine; 0 when none can be found.
int find_listener(std::uint16_t port);

}  // namespace tickpipe::internal::load
