#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tickpipe::internal {

/// Lets threads sleep until a condition over data shared by other means (a ring, an atomic) may have become true.
///
/// A producer changes the data, then calls ring(); a sleeper calls wait_for() with the condition. ring() costs one
/// atomic read-modify-write while nobody sleeps, so it may follow every push. No wake-up is lost: both sides meet in
/// the modification order of `sleepers_`, so either the producer sees the sleeper and wakes it, or the sleeper sees
/// the data.
class Doorbell {
 public:
  void ring() noexcept {
    if (sleepers_.fetch_add(0, std::memory_order_acq_rel) == 0) return;
    { const std::lock_guard lock(mutex_); }  // a sleeper between its check and its wait holds the mutex
    awake_.notify_all();
  }

  /// Sleeps until `ready()` or the timeout; returns the last value of `ready()`, which runs on this thread only.
  template <typename Ready>
  bool wait_for(std::chrono::nanoseconds timeout, Ready ready) {
    if (ready()) return true;
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_acq_rel);
    const bool result = awake_.wait_for(lock, timeout, ready);
    sleepers_.fetch_sub(1, std::memory_order_acq_rel);
    return result;
  }

 private:
  std::atomic<std::uint32_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable awake_;
};

}  // namespace tickpipe::internal
