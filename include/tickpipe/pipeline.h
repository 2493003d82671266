#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tickpipe/error.h"
#include "tickpipe/export.h"
#include "tickpipe/pipeline_config.h"
#include "tickpipe/status.h"
#include "tickpipe/subscription.h"
#include "tickpipe/tick.h"

namespace tickpipe {

namespace internal {
class Engine;
}

/// A range of a symbol's quotes or bars.
struct RangeQuery {
  Timestamp from = Timestamp::none();  ///< inclusive; none = from the first
  Timestamp to = Timestamp::none();    ///< exclusive; none = to the last
  std::size_t limit = 100;             ///< 1 to 10000: the newest of the range
};

/// The whole pipeline in the process of the caller: intake, shards, bars, store, subscriptions.
///
/// Life:       construct (opens and recovers the data), start(), stop(). It cannot be started again; make another one.
///             The destructor stops. Several may live in one process, each with a data directory of its own.
/// Threads:    everything may be called from any thread at any time, but for the destructor, which comes last. start()
///             and stop() wait for each other. stop() and the destructor must not be called by a handler of a
///             subscription: stop() throws Error then.
/// Its own:    threads with names of their own, on which all signals are blocked but those of a fault, SIGPROF and
///             those that a debugger needs. It installs no handler, writes to no socket or pipe that could raise
///             SIGPIPE, and leaves locale, working directory, environment and allocator alone. Libraries that it uses
///             may read the environment (OpenSSL reads OPENSSL_CONF, when a WebSocket client comes).
///             While the constructor, start(), stop() and the destructor run, the calling thread has them blocked too.
/// Before start() what is stored can be read and subscriptions can be made; quotes are refused with kStopped.
/// After stop() what was there can still be read; quotes are refused with kStopped, subscriptions are silent.
/// Off (`enabled` is false): nothing is read or written, every answer is empty.
/// Exceptions: Error and ConfigError as said at each function; else only std::bad_alloc and std::system_error.
class TICKPIPE_API Pipeline {
 public:
  /// Opens the data directory and brings everything to where it was. Takes as long as there is to recover.
  /// Throws ConfigError for a setting that cannot be used or does not fit the stored data; Error when the data
  /// directory is used by another process or pipeline, is damaged, or cannot be written.
  explicit Pipeline(const PipelineConfig& config);
  /// As stop(); an error is only logged. No other call may be under way or come later.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Starts threads and takes quotes from then on. Does nothing if it runs already. Throws Error after stop(), and when
  /// its own HTTP server cannot listen; quotes are not taken then.
  void start();
  /// Takes no more quotes, commits everything queued before, gives it to subscriptions, ends streams and threads.
  /// Does nothing before start() and after a first call; a second one from another thread waits for the first.
  /// Throws Error when something that was queued could not be stored, naming how much and why; it is stopped all the
  /// same. While the store fails it tries for 10 s.
  void stop();

  [[nodiscard]] bool is_enabled() const noexcept { return engine_ != nullptr; }
  /// Between start() and stop().
  [[nodiscard]] bool is_running() const noexcept;

  /// Counters of one moment; zeros before the first quote. Cost: microseconds, for a monitor and not for a tick.
  [[nodiscard]] Statistics stats() const;
  /// Says why something is wrong, and that nothing is when nothing is. Healthy while it is off.
  [[nodiscard]] Health health() const;

  /// The latest quote; nothing for a symbol that is not known or no symbol. Memory only.
  [[nodiscard]] std::optional<Tick> latest(std::string_view symbol) const;
  /// Quotes, oldest first; empty for a symbol that is not known. May read the disk. Throws ConfigError for a limit or a
  /// time that cannot be, Error when the store cannot be read.
  [[nodiscard]] std::vector<Tick> quotes(std::string_view symbol, const RangeQuery& range = {}) const;
  /// Bars by open time, oldest first, the open one included. `timeframe` as configured. Throws as quotes(), and
  /// ConfigError for a timeframe that is not configured.
  [[nodiscard]] std::vector<Bar> bars(std::string_view symbol, std::string_view timeframe,
                                      const RangeQuery& range = {}) const;
  /// All symbols that are known, by name.
  [[nodiscard]] std::vector<std::string> symbols() const;

  /// Ticks of these symbols, which need not be known yet, of all that are and will be if the list is empty: first the
  /// latest one, then every live one, in the order of `seq`. Handlers are called on one thread of the pipeline, one
  /// after the other; they never hold up quotes or commits, but each other. One that is slow gets what it missed from
  /// memory or the store, up to 10,000 ticks a symbol, beyond that the latest one, with `is_after_gap`. A handler may
  /// subscribe, cancel and read. Throws ConfigError for a name that is no symbol and for an empty handler.
  [[nodiscard]] Subscription subscribe(const std::vector<std::string>& symbols, TickHandler handler,
                                       const SubscribeOptions& options = {});

  /// The port of its own HTTP server; 0 when there is none, and before start().
  [[nodiscard]] std::uint16_t http_port() const noexcept;

 private:
  friend class IntegrationAdapter;
  friend class ApiHandler;
  std::shared_ptr<internal::Engine> engine_;  ///< null: off
};

/// Of the library that is linked: `0.1.0`.
[[nodiscard]] TICKPIPE_API std::string_view version() noexcept;

}  // namespace tickpipe
