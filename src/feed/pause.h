#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace tickpipe::internal {

/// How a feed waits: really, or in a test by moving the clock.
class Pause {
 public:
  virtual ~Pause() = default;
  /// Waits for `duration`, or until a stop is requested.
  virtual void wait(const std::stop_token& stop, std::chrono::nanoseconds duration) = 0;
};

/// Sleeps; a stop wakes it at once. Threads: one.
class RealPause final : public Pause {
 public:
  void wait(const std::stop_token& stop, std::chrono::nanoseconds duration) override {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, duration, [] { return false; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
};

}  // namespace tickpipe::internal
