#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "tickpipe/export.h"
#include "tickpipe/tick.h"

namespace tickpipe {

/// Takes a tick; it is valid during the call. What it throws is logged, and the stream goes on.
using TickHandler = std::function<void(const Tick& tick)>;

struct SubscribeOptions {
  /// True: every live tick of the selected stream, once, in the order of `seq`. False: a handler that is slower than
  /// the market gets the newest one of each symbol, with the number of those left out in `skipped`.
  bool all = true;
  std::chrono::milliseconds interval{0};  ///< at most one tick of a symbol in so long; 0 = at once
};

/// Ticks that go to a function, until it is destroyed or cancelled. Made by Pipeline::subscribe(). May outlive the
/// pipeline, and is silent then. Threads: any, one at a time for an object; move-only.
class TICKPIPE_API Subscription {
 public:
  Subscription() noexcept;  ///< of nothing
  ~Subscription();
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// Once it has returned the handler is not called any more, and not being called. Called by the handler itself it
  /// returns at once, and the call under way is the last. May be called again.
  void cancel();
  /// Whether it has begun: every live tick committed from then on is given to the handler. It begins soon after
  /// Pipeline::subscribe(), on the thread of the handlers.
  [[nodiscard]] bool has_begun() const noexcept;
  /// Calls of the handler so far, and those of them that ended in an exception.
  [[nodiscard]] std::uint64_t delivered() const noexcept;
  [[nodiscard]] std::uint64_t failed() const noexcept;

 private:
  friend class Pipeline;
  class Impl;
  explicit Subscription(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe
