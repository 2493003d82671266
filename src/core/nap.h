#pragma once

#include <chrono>
#include <thread>

namespace tickpipe::internal {

/// Keeps a busy worker from going to sleep and being woken for every few items.
///
/// A worker calls take() when it has run out of work. If that happens again within kLength, it sleeps kLength without
/// anyone having to wake it, and what arrives meanwhile is done in one go; producers then find nobody to wake and save
/// the system call. When there was nothing after several naps, or in a quiet system, take() returns at once and the
/// worker waits at its doorbell, so a single item is handled as fast as a wake-up goes, and idling costs nothing.
class Nap {
 public:
  static constexpr std::chrono::microseconds kLength{50};
  static constexpr int kMostInVain = 4;

  /// There was work.
  void note_work() noexcept { in_vain_ = 0; }

  /// Returns true after a nap: look for work again before waiting.
  bool take() {
    const auto now = std::chrono::steady_clock::now();
    const bool is_busy = now - last_idle_ < kLength && in_vain_ < kMostInVain;
    if (is_busy) {
      ++in_vain_;
      std::this_thread::sleep_for(kLength);
    }
    last_idle_ = is_busy ? std::chrono::steady_clock::now() : now;
    return is_busy;
  }

 private:
  int in_vain_ = 0;  ///< naps since there was work
  std::chrono::steady_clock::time_point last_idle_;
};

}  // namespace tickpipe::internal
