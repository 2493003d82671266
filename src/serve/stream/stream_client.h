#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http.h"
#include "serve/io_loop.h"
#include "serve/stream/stream_group.h"
#include "serve/stream/stream_receiver.h"

namespace tickpipe::internal {

/// One client that is sent a stream: its socket, what is unsent, and its subscriptions. What it says and how it is
/// answered is up to the class derived from it.
///
/// Bounds:   while anything is unsent nothing further is collected for it, and nothing is read from it; so a client
///           holds at most one flush (64 KiB) and the answers to one read.
/// Threads:  that of its group. Lifetime: its group holds it until close().
class StreamClient : public StreamReceiver, public IoEvents {
 public:
  StreamClient(std::shared_ptr<StreamGroup> group, HandedOver&& connection, StreamFormat format);
  ~StreamClient() override;
  StreamClient(const StreamClient&) = delete;
  StreamClient& operator=(const StreamClient&) = delete;

  /// Joins the group and goes to work. To be called once.
  void start();
  /// Sends what waits and what its subscriptions have.
  void flush() override;
  void close() override;
  /// Tells the client that the server ends, then closes.
  void end_gracefully() override;
  /// Tells the client that it does not keep up, then closes.
  void end_as_too_slow(std::string_view reason) override;
  /// Tells the client that the server cannot serve it, then closes.
  void end_as_failed(std::string_view reason) override;
  void each_second(SteadyClock::time_point now) override;
  void take_quote(std::string& out, const Tick& tick, std::string_view message, const MessageExtras& extras,
                  const QuoteSubscription& subscription) override;
  void take_status(StatusMessage& message) override;

  [[nodiscard]] StreamFormat format() const noexcept { return format_; }
  /// Whether it has to read before it gets more.
  [[nodiscard]] bool is_stuck() const noexcept override { return is_writing_ || is_closed_; }
  [[nodiscard]] bool is_closed() const noexcept override { return is_closed_; }
  /// Sends a whole message behind what waits.
  void send(std::string_view message);
  [[nodiscard]] bool takes_deflate() const noexcept { return takes_deflate_; }

  void on_readable() override;
  void on_writable() override;

 protected:
  enum class Goodbye : std::uint8_t { kShuttingDown, kTooSlow, kFailed };

  /// Once, when it has joined.
  virtual void begin() {}
  /// Takes what the client sent; may keep none of it, which is_reading() false allows: the rest comes again.
  /// Returns how much it took.
  virtual std::size_t take_input(std::string_view bytes) = 0;
  [[nodiscard]] virtual bool is_reading() const { return true; }
  virtual void tick(SteadyClock::time_point /*now*/) {}
  virtual void append_goodbye(std::string& out, Goodbye why, std::string_view reason) = 0;
  /// How much of `unsent` must be sent before something else may come: the rest of the message under way.
  [[nodiscard]] virtual std::size_t whole_messages(std::string_view unsent_from_start, std::size_t sent) const = 0;

  /// Sends a whole message, then closes. Nothing else is sent or taken any more.
  void send_last(std::string_view message);
  /// Gives what take_input() has not taken to it again.
  void resume_input();
  [[nodiscard]] StreamGroup& group() noexcept { return *group_; }
  [[nodiscard]] const StreamParts& parts() const noexcept { return group_->parts(); }
  [[nodiscard]] bool is_finishing() const noexcept { return is_finishing_; }
  bool takes_deflate_ = false;

 private:
  void end(Goodbye why, std::string_view reason);
  void finish();
  bool send_some(std::string_view text);
  void read_on();
  void process(std::string_view input);
  void discard_input();
  [[nodiscard]] std::shared_ptr<StreamClient> self() {
    return std::static_pointer_cast<StreamClient>(shared_from_this());
  }

  const std::shared_ptr<StreamGroup> group_;
  std::unique_ptr<IoLoop::Watch> watch_;
  std::shared_ptr<void> place_;  ///< among the connections of the server
  const StreamFormat format_;
  bool is_closed_ = false;
  bool is_finishing_ = false;
  bool is_writing_ = false;  ///< waits for the client to read
  bool is_waiting_read_ = false;
  bool is_processing_ = false;
  bool is_collecting_ = false;
  bool is_peer_done_ = false;  ///< it sends no more
  std::string in_;             ///< not taken yet
  std::string out_;            ///< unsent: whole messages, of which sent_ bytes have gone
  std::size_t sent_ = 0;
  SteadyClock::time_point progress_;  ///< since when the client has read nothing; none: all is sent
  std::optional<SteadyClock::time_point> close_at_;
};

}  // namespace tickpipe::internal
