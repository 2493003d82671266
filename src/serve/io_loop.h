#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/log.h"

namespace tickpipe::internal {

/// Told by an IoLoop, on its thread, that a descriptor can be read from or written to. Once per wait.
class IoEvents {
 public:
  virtual ~IoEvents() = default;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
};

/// One thread's worth of non-blocking I/O: waits for descriptors, runs tasks of other threads and a regular tick.
///
/// Threads: run() belongs to one thread; post(), stop() and close() may be called from any; the rest only from the
/// loop.
class IoLoop {
 public:
  using Task = std::function<void()>;

  explicit IoLoop(Log& log);
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  /// Calls `tick` every `period` once the loop runs. To be called before run().
  void tick_every(std::chrono::milliseconds period, Task tick);
  /// Runs until stop(). What a task or an event throws is logged; the loop goes on.
  void run();
  void stop();
  /// After run() has ended and every Watch is closed: drops the tasks that are left and all later ones.
  void close();

  /// Runs `task` on the loop's thread, after what was posted before. After close() it is dropped.
  void post(Task task);
  [[nodiscard]] bool is_this_thread() const noexcept;

  /// A descriptor that this loop watches, closed with the object. Must not outlive the loop.
  class Watch {
   public:
    /// Takes over `descriptor`, which must be non-blocking.
    Watch(IoLoop& loop, int descriptor);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// -1 once closed.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    /// Holds `events` until it was told or the descriptor is closed.
    void wait_read(std::shared_ptr<IoEvents> events);
    void wait_write(std::shared_ptr<IoEvents> events);
    /// Nobody is told any more.
    void close();

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    int descriptor_;
  };

  /// Calls something once at a time. Only from the loop. Must not outlive it.
  class Timer {
   public:
    explicit Timer(IoLoop& loop);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Takes the place of what was started before.
    void start(std::chrono::steady_clock::time_point at, Task task);
    void cancel();

   private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
  };

 private:
  struct Impl;
  void run_posted();
  void arm_tick();

  Log& log_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
