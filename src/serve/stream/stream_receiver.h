#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/tick.h"
#include "serve/stream/stream_format.h"
#include "serve/stream/stream_messages.h"
#include "serve/stream/subscriptions.h"

namespace tickpipe::internal {

class StatusMessage;

/// How a receiver wants quotes.
struct QuoteOptions {
  bool is_all = false;
  std::uint32_t interval_ms = 0;              ///< at most once in so long, at multiples of it since 1970; 0: at once
  std::optional<std::uint64_t> resume_after;  ///< seq of the last one it has: what follows is sent first
  bool is_unrecovered = false;                ///< it wanted to resume, but cannot: its snapshot says so
};

/// One that is sent a stream, as its group sees it: what it has subscribed to, and what it does when it is its turn.
/// A client behind a socket, or a function of this process.
///
/// Threads: that of its group. Lifetime: its group holds it until close().
class StreamReceiver : public std::enable_shared_from_this<StreamReceiver> {
 public:
  using SteadyClock = std::chrono::steady_clock;

  /// `format`: of the messages it gets. None: it takes quotes as they are, and no bars.
  explicit StreamReceiver(std::optional<StreamFormat> format) : message_format_(format) {}
  virtual ~StreamReceiver() = default;
  StreamReceiver(const StreamReceiver&) = delete;
  StreamReceiver& operator=(const StreamReceiver&) = delete;

  [[nodiscard]] const std::optional<StreamFormat>& message_format() const noexcept { return message_format_; }

  /// Its turn: takes what its subscriptions have, by StreamGroup::collect().
  virtual void flush() = 0;
  /// Whether it gets nothing more for now.
  [[nodiscard]] virtual bool is_stuck() const noexcept = 0;
  [[nodiscard]] virtual bool is_closed() const noexcept = 0;
  /// At once, without a word.
  virtual void close() = 0;
  /// The server ends.
  virtual void end_gracefully() = 0;
  /// It does not keep up.
  virtual void end_as_too_slow(std::string_view reason) = 0;
  /// The server cannot serve it.
  virtual void end_as_failed(std::string_view reason) = 0;
  /// Whether one that does not keep up goes on with the latest quote, marked as after a gap, instead of being ended.
  [[nodiscard]] virtual bool bears_gaps() const noexcept { return false; }
  virtual void each_second(SteadyClock::time_point /*now*/) {}
  /// A symbol that it waited for has its first quote.
  virtual void on_symbol(SymbolId /*symbol*/, const std::string& /*name*/) {}
  /// Takes a quote. `message` is in its format, to be appended to `out`; empty if it has none.
  virtual void take_quote(std::string& out, const Tick& tick, std::string_view message, const MessageExtras& extras,
                          const QuoteSubscription& subscription) = 0;
  /// Whether it has asked for this channel of the system itself.
  [[nodiscard]] virtual bool wants_status(std::string_view /*channel*/) const { return false; }
  virtual void take_status(StatusMessage& /*message*/) {}

  // Kept here for the group, which changes it.
  std::size_t slot = 0;
  bool is_queued = false;
  std::vector<std::unique_ptr<QuoteSubscription>> quotes;
  std::vector<std::unique_ptr<BarSubscription>> bars;
  std::vector<QuoteSubscription*> ready_quotes;
  std::vector<BarSubscription*> ready_bars;
  std::optional<QuoteOptions> all_quotes;
  std::vector<std::uint32_t> all_bars;
  std::vector<std::string> waits_for;  ///< names of symbols

 private:
  const std::optional<StreamFormat> message_format_;
};

}  // namespace tickpipe::internal
