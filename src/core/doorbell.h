#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tickpipe::internal {

/// Lets threads sleep until a condition over data shared by other means (a ring, an atomic) may have become true.
///
/// A producer changes the data, then calls ring(); a sleeper calls wait_for() with the condition. ring() costs a fence
/// and a load while nobody sleeps, so it may follow every push; else a system call. It takes no lock: a sleeper that is
/// preempted at whatever point does not hold up who rings. No wake-up is lost: each side writes, fences, and reads what
/// the other one writes, so either the producer sees the sleeper and wakes it, or the sleeper sees the data.
class alignas(64) Doorbell {
 public:
  void ring() noexcept {
    if (!has_sleepers()) return;
    rings_.fetch_add(1, std::memory_order_acq_rel);  // who has looked and is about to sleep does not
    wake_all(rings_);
  }

  /// Sleeps until `ready()` or the timeout; returns the last value of `ready()`, which runs on this thread only.
  template <typename Ready>
  bool wait_for(std::chrono::nanoseconds timeout, Ready ready) {
    if (ready()) return true;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    full_fence();
    bool result = false;
    while (true) {
      const std::uint32_t seen = rings_.load(std::memory_order_acquire);
      result = ready();
      const auto left = deadline - std::chrono::steady_clock::now();
      if (result || left.count() <= 0) break;
      sleep(rings_, seen, left);
    }
    sleepers_.fetch_sub(1, std::memory_order_acq_rel);
    return result;
  }

 private:
#if defined(__SANITIZE_THREAD__)
  // ThreadSanitizer does not know fences: here both sides meet in the modification order of `sleepers_`.
  [[nodiscard]] bool has_sleepers() noexcept { return sleepers_.fetch_add(0, std::memory_order_acq_rel) != 0; }
  static void full_fence() noexcept {}
#else
  // A load, so that the line stays with every producer as long as nobody goes to sleep.
  [[nodiscard]] bool has_sleepers() const noexcept {
    full_fence();
    return sleepers_.load(std::memory_order_relaxed) != 0;
  }
  static void full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
#endif
  static void wake_all(std::atomic<std::uint32_t>& rings) noexcept;
  /// Returns when it is woken, when `rings` is not `seen`, after the timeout, or for no reason.
  static void sleep(std::atomic<std::uint32_t>& rings, std::uint32_t seen, std::chrono::nanoseconds timeout) noexcept;

  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<std::uint32_t> rings_{0};
};

}  // namespace tickpipe::internal
