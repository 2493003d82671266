#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/log.h"
#include "model/names.h"
#include "model/tick.h"
#include "serve/io_loop.h"
#include "serve/stream/stream_receiver.h"

namespace tickpipe::internal {

class StreamGroup;
class StreamHub;

/// Takes a quote that is committed. `extras.is_snapshot`: the latest quote as of subscribing, or, with is_unrecovered,
/// after a gap. Else `extras.skipped` says how many seq before it are not part of the stream: those conflated, and
/// quotes that are no live ones (history that was loaded, or too old).
using QuoteHandler = std::function<void(const Tick& tick, const MessageExtras& extras)>;

/// Quotes that go to a function of this process, until it is cancelled or destroyed.
class LocalSubscription {
 public:
  ~LocalSubscription();
  LocalSubscription(const LocalSubscription&) = delete;
  LocalSubscription& operator=(const LocalSubscription&) = delete;

  /// Once it has returned the handler is not called, and not being called, any more; called by the handler itself it
  /// returns at once, and the call under way is the last. Any thread; may be called again.
  void cancel();

  /// Whether it has begun: every live quote that is committed from then on is given to the handler. It begins soon
  /// after subscribe(), on the thread of the handlers. Any thread.
  [[nodiscard]] bool has_begun() const noexcept;
  /// Calls of the handler so far. Any thread.
  [[nodiscard]] std::uint64_t delivered() const noexcept;
  /// Calls of the handler that ended in an exception: each is logged, at most once a second, and the stream goes on.
  [[nodiscard]] std::uint64_t failed() const noexcept;

 private:
  friend class LocalStreams;
  class Receiver;
  explicit LocalSubscription(std::shared_ptr<Receiver> receiver);

  const std::shared_ptr<Receiver> receiver_;
};

/// Subscriptions of this process, on the same hub as those of clients behind sockets, with the same promises: taking
/// the latest quote and subscribing are one step, then every live quote comes once, in the order of seq.
///
/// Handlers are called on one thread of its own, one after the other, and never hold up ingest, commits or clients. One
/// that is slow holds up the others: what it does not take in time is read again from memory or the store, up to
/// 10,000 quotes a symbol; beyond that it gets the latest quote with is_unrecovered. Memory stays bounded.
///
/// Threads: subscribe() from any, also from a handler. Lifetime: must end before the hub, not on a handler's thread;
/// subscriptions may outlive it and are silent from then on.
class LocalStreams {
 public:
  LocalStreams(StreamHub& hub, Log& log);
  /// As stop().
  ~LocalStreams();
  LocalStreams(const LocalStreams&) = delete;
  LocalStreams& operator=(const LocalStreams&) = delete;

  /// Quotes of these symbols, which need not exist yet; of all symbols there are and will be if `symbols` is empty.
  /// Doubles count once. `options.resume_after` is not looked at. The handler may be called before this returns. The
  /// thread is started with the first subscription; throws std::system_error if it cannot be.
  [[nodiscard]] std::unique_ptr<LocalSubscription> subscribe(std::vector<Name> symbols, const QuoteOptions& options,
                                                             QuoteHandler handler);

  /// Ends all subscriptions, after they were given what is committed, for which it waits up to 5 s and as long as a
  /// call of a handler takes. What a handler subscribes to meanwhile is silent. Idempotent.
  void stop();

 private:
  void start();
  void end_when_idle();

  StreamHub& hub_;
  Log& log_;
  std::mutex mutex_;  ///< guards the start
  std::shared_ptr<IoLoop> loop_;
  std::shared_ptr<StreamGroup> group_;  ///< of the loop's thread, as is the timer
  std::unique_ptr<IoLoop::Timer> idle_timer_;
  const std::shared_ptr<std::atomic<bool>> gives_up_;  ///< no handler is to be called any more
  std::promise<void> ended_;
  std::thread thread_;
};

}  // namespace tickpipe::internal
