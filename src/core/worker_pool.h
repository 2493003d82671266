#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tickpipe::internal {

/// Threads for work that must not hold up the thread that has it to do. Work is begun in the order of submit().
/// What is submitted after stop() is dropped.
class WorkerPool {
 public:
  /// `name` names the threads: `name-0`, ...
  WorkerPool(const std::string& name, unsigned threads);
  ~WorkerPool() { stop(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Any thread; never blocks. `work` must not throw. Returns false after stop(): `work` is destroyed without running.
  bool submit(std::function<void()> work);
  /// Runs what was submitted and ends the threads. Idempotent.
  void stop();

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
  bool is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace tickpipe::internal
