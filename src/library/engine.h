#pragma once

#include <tickpipe/api_handler.h>
#include <tickpipe/integration_adapter.h>
#include <tickpipe/pipeline.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "core/clock.h"
#include "library/callback_log.h"
#include "library/quote_door.h"
#include "library/stream_pipes.h"
#include "pipeline/server.h"

namespace tickpipe::internal {

/// A pipeline that is on, as its Pipeline, adapters, handlers and subscriptions share it: the server and what stands
/// between it and the program that embeds it.
///
/// Life: construct, start(), stop(), close(), the last by ~Pipeline. After that the others still hold it; it answers
/// them that it has ended, and holds no file, thread or descriptor any more.
/// Threads: any, but for close(), after which no call of Pipeline comes.
class Engine {
 public:
  /// Throws as Pipeline's constructor.
  explicit Engine(const tickpipe::PipelineConfig& config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  void stop();
  void close() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return state_.load(std::memory_order_acquire) == State::kRunning; }

  [[nodiscard]] QuoteDoor& door() noexcept { return *door_; }
  LpQuoteVerdict wait(const LpQuote& quote, std::chrono::nanoseconds timeout);
  void start_monitoring() noexcept;

  /// Calls `read(server)`; or gives `otherwise` after close().
  template <typename Read, typename Value>
  [[nodiscard]] Value read(Read read, Value otherwise) const {
    const std::shared_lock lock(close_mutex_);
    return server_ ? read(*server_) : std::move(otherwise);
  }

  /// Null after close().
  [[nodiscard]] std::unique_ptr<LocalSubscription> subscribe(const std::vector<std::string>& symbols,
                                                             TickHandler handler, const SubscribeOptions& options);

  /// Answers exactly once, now or from another thread.
  void handle(ApiRequest&& request, std::function<void(ApiResponse, TakeOver)> done);
  /// A reader's end for what handle() gave; -1 when there are none any more. May be called within `done`.
  int open_stream(TakeOver take_over);

 private:
  enum class State : std::uint8_t { kNew, kRunning, kStopping, kStopped };

  void upkeep(const std::stop_token& stop);

  const std::uint64_t max_body_bytes_;
  const std::chrono::nanoseconds stats_interval_;
  SystemClock clock_;
  CallbackLog log_;
  std::mutex life_mutex_;                  ///< start and stop, one at a time
  mutable std::shared_mutex close_mutex_;  ///< guards the pointer below against close()
  std::unique_ptr<Server> server_;
  std::unique_ptr<QuoteDoor> door_;     ///< stays, closed
  std::unique_ptr<StreamPipes> pipes_;  ///< stays, stopped
  std::atomic<State> state_{State::kNew};
  std::atomic<std::thread::id> handler_thread_{};  ///< on which handlers of subscriptions are called
  std::atomic<bool> is_monitoring_{false};
  std::mutex upkeep_mutex_;
  std::condition_variable_any upkeep_wake_;
  std::jthread upkeep_;
};

}  // namespace tickpipe::internal
