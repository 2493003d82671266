#pragma once

#include <atomic>
#include <chrono>

#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// The wall clock as the pipeline sees it; the only source of wall time outside tests.
/// Threads: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixNanos now() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] UnixNanos now() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
};

/// Stands still until told otherwise; for tests and simulations.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixNanos start) : now_ns_(start.ns) {}
  [[nodiscard]] UnixNanos now() const noexcept override { return {now_ns_.load(std::memory_order_relaxed)}; }
  void set(UnixNanos time) noexcept { now_ns_.store(time.ns, std::memory_order_relaxed); }
  void advance(std::chrono::nanoseconds by) noexcept { now_ns_.fetch_add(by.count(), std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> now_ns_;
};

}  // namespace tickpipe::internal
