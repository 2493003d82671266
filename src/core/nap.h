#pragma once

#include <chrono>
#include <thread>

namespace tickpipe::internal {

/// Keeps a busy worker from going to sleep and being woken for every few items.
///
/// A worker calls take() when it has run out of work. If that happens again within kLength, it sleeps kLength without
/// anyone having to wake it, and what arrives meanwhile is done in one go; producers then find nobody to wake and save
/// the system call. In a quiet system take() returns at once and the worker waits at its doorbell, so a single item is
/// handled as fast as a wake-up goes.
class Nap {
 public:
  static constexpr std::chrono::microseconds kLength{50};

  /// Returns true after a nap: look for work again before waiting.
  bool take() {
    const auto now = std::chrono::steady_clock::now();
    const bool is_busy = now - last_idle_ < kLength;
    if (is_busy) std::this_thread::sleep_for(kLength);
    last_idle_ = is_busy ? std::chrono::steady_clock::now() : now;
    return is_busy;
  }

 private:
  std::chrono::steady_clock::time_point last_idle_;
};

}  // namespace tickpipe::internal
