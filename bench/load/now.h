#pragma once

#include <chrono>
#include <cstdint>

namespace tickpipe::internal::load {

/// Microseconds of CLOCK_MONOTONIC, which all processes of a machine share: one may feed while others listen.
inline std::int64_t monotonic_us() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// The wall clock, for what other programs put a time on.
inline std::int64_t wall_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace tickpipe::internal::load
