#pragma once

#include <cstdint>

namespace tickpipe::internal {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;  ///< memory that is in RAM now
  double cpu_seconds = 0;            ///< of all threads since the process began, in the kernel too
};

/// What this process uses; a figure that the system does not give is zero. Threads: any. Cost: some microseconds.
ProcessUsage read_process_usage() noexcept;

}  // namespace tickpipe::internal
