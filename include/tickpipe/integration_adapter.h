#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tickpipe/decimal.h"
#include "tickpipe/export.h"
#include "tickpipe/pipeline.h"
#include "tickpipe/status.h"
#include "tickpipe/subscription.h"
#include "tickpipe/timestamp.h"

namespace tickpipe {

/// What became of a quote that was handed over.
struct LpQuoteResult {
  enum class Status : std::uint8_t {
    kQueued,     ///< on its way; what depends on other ticks (duplicates, implausible prices) is decided later
    kRefused,    ///< see `reason`
    kQueueFull,  ///< dropped: the shard's inbox has no room
    kStopped,    ///< the pipeline does not run
    kOff,        ///< the pipeline is off
  };
  Status status = Status::kOff;
  Reason reason = Reason::kMalformed;  ///< of kRefused only

  [[nodiscard]] bool is_queued() const noexcept { return status == Status::kQueued; }
  friend bool operator==(const LpQuoteResult&, const LpQuoteResult&) = default;
};

/// The fate of a quote, known after its commit.
struct LpQuoteVerdict {
  enum class Status : std::uint8_t {
    kAccepted,   ///< in the write-ahead log: it survives the end of the process
    kRefused,    ///< see `reason`; duplicates too
    kQueueFull,  ///< dropped: no room came in time
    kTimeout,    ///< it is on its way, and may still be accepted or refused; handing it over again is safe
    kStopped,    ///< the pipeline does not run, or ended before the quote could be committed
    kOff,        ///< the pipeline is off
    kBusy,       ///< 16,383 callers wait already; the quote was not taken
  };
  Status status = Status::kOff;
  Reason reason = Reason::kMalformed;  ///< of kRefused only

  [[nodiscard]] bool is_accepted() const noexcept { return status == Status::kAccepted; }
  friend bool operator==(const LpQuoteVerdict&, const LpQuoteVerdict&) = default;
};

/// One quote of a batch. The texts need only live during the call.
struct LpQuote {
  std::string_view lp;
  std::string_view symbol;
  Price bid = {};
  Price ask = {};
  Timestamp timestamp = Timestamp::none();          ///< none = time of receipt
  std::optional<Quantity> bid_size = std::nullopt;  ///< not negative
  std::optional<Quantity> ask_size = std::nullopt;
};

struct LpBatchResult {
  std::size_t queued = 0;
  std::size_t refused = 0;
  std::size_t dropped = 0;    ///< queue_full
  std::size_t not_taken = 0;  ///< stopped or off
};

/// What joins a trading engine and a pipeline: quotes of its LP manager go in, ticks go to clients of its hub.
///
/// Threads:  any, for everything. Quotes of one thread stay in their order; so do those of several threads if these
///           order their calls. Lifetime: it may outlive the pipeline; its calls then answer kStopped. Several adapters
///           of one pipeline are the same door; each has clients of its own.
class TICKPIPE_API IntegrationAdapter {
 public:
  explicit IntegrationAdapter(Pipeline& pipeline);
  /// Disconnects its clients and ends its monitoring.
  ~IntegrationAdapter();
  IntegrationAdapter(const IntegrationAdapter&) = delete;
  IntegrationAdapter& operator=(const IntegrationAdapter&) = delete;

  /// Hands over a live quote. Never waits and never throws; takes no lock and allocates nothing once the thread has
  /// handed over a quote of that LP and symbol before. Cost: some 100 ns, and a system call (some microseconds) when
  /// the shard sleeps and has to be woken.
  ///
  /// Refused at once: kBadLp, kTooManyLps, kBadSymbol, kUnknownSymbol, kTooManySymbols, kBadPrice (not above 0, not a
  /// number, too large), kCrossed (bid above ask), kBadTimestamp, kTooOld, kInFuture, kStoreUnavailable (the disk is
  /// full, or fails). Each call is counted as received, and in one more counter, but for kStopped and kOff.
  LpQuoteResult process_lp_quote(std::string_view lp, std::string_view symbol, Price bid, Price ask,
                                 Timestamp timestamp = Timestamp::none()) noexcept;
  /// The same with sizes.
  LpQuoteResult process_lp_quote(const LpQuote& quote) noexcept;

  /// Hands over many, in order, and wakes each shard once. `results`, if not empty, has as many elements as `quotes`
  /// and gets the result of each. Else as process_lp_quote().
  LpBatchResult process_lp_quotes(std::span<const LpQuote> quotes, std::span<LpQuoteResult> results = {}) noexcept;

  /// Hands over a quote and waits for its verdict; waits for room too. Allocates. Throws std::bad_alloc only.
  LpQuoteVerdict process_lp_quote_wait(std::string_view lp, std::string_view symbol, Price bid, Price ask,
                                       Timestamp timestamp, std::chrono::nanoseconds timeout);
  LpQuoteVerdict process_lp_quote_wait(const LpQuote& quote, std::chrono::nanoseconds timeout);

  /// From now on a line `Received: … | Processed: … | …` goes to the log callback every `stats_interval` while the
  /// pipeline runs, and when it stops. May be called before start(), and again.
  void start_monitoring();

  /// Ticks of `symbols` (all, if the list is empty) to a client, a name of the caller's choice: a connection of its
  /// hub. As Pipeline::subscribe(); what the client has already stays as it is. Returns how many were added.
  std::size_t subscribe(std::string_view client, const std::vector<std::string>& symbols, TickHandler handler,
                        const SubscribeOptions& options = {});
  /// Ends subscriptions of a client: to `symbols`, or with an empty list the one to all symbols. Returns how many there
  /// were. Its handler is not called for them any more, as with Subscription::cancel().
  std::size_t unsubscribe(std::string_view client, const std::vector<std::string>& symbols);
  /// Ends all subscriptions of a client. Returns how many there were.
  std::size_t disconnect(std::string_view client);
  /// Clients with a subscription.
  [[nodiscard]] std::size_t client_count() const;

 private:
  class Clients;
  std::shared_ptr<internal::Engine> engine_;  ///< null: off
  std::unique_ptr<Clients> clients_;
};

}  // namespace tickpipe
