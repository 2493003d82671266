#pragma once

#include <chrono>
#include <thread>

#include "core/unix_nanos.h"

namespace tickpipe::internal::testing {

/// How long a test waits for what must happen before it fails; far more than a slow machine with sanitizers needs.
inline constexpr std::chrono::seconds kPatience{90};

/// Asks until it is so; false when patience ends.
template <typename Predicate>
bool eventually(Predicate is_so) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return true;
}

inline UnixNanos wall_clock() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

}  // namespace tickpipe::internal::testing
