#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "core/clock.h"
#include "feed/pause.h"
#include "feed/replay_options.h"
#include "model/feed.h"

namespace tickpipe::internal {

/// Plays recorded quotes: with their own times as history, or restamped as if they happened now.
///
/// Pace:     the gaps between event times, divided by the speed. A row older than the newest before it is sent at once.
///           At `max` speed nothing waits but for room in the pipeline.
/// Restamp:  event times are those of emission and always rise, by a nanosecond at least.
/// End:      kEnded after the last row, or, with `loop`, after a pass that sent no quote; kFailed with the text of the
///           error when the source cannot be opened or read.
/// Threads:  run() on one thread, status() on any.
class ReplayFeed final : public Feed {
 public:
  /// Opens the source, once per pass; throws Error.
  using OpenReader = std::function<std::unique_ptr<RawQuoteReader>()>;

  /// `name` is shown in the status. `pause` nullptr: it really sleeps. The clock must outlive it.
  ReplayFeed(std::string name, ReplayOptions options, OpenReader open, const Clock& clock,
             std::unique_ptr<Pause> pause = nullptr);

  void run(std::stop_token stop, FeedOutput& output) noexcept override;
  [[nodiscard]] FeedStatus status() const override;

 private:
  struct Counts {
    std::uint64_t lines = 0;
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;  ///< by their form
    std::uint64_t passes = 0;   ///< begun
  };
  /// Returns false when it was stopped.
  bool play(const std::stop_token& stop, FeedOutput& output);
  void wait_until_due(const std::stop_token& stop, FeedOutput& output, UnixNanos event_time);
  void send(FeedOutput& output, RawQuote& quote, std::optional<Reason> fault);
  void take_time(FeedOutput& output);
  [[nodiscard]] bool is_wanted(const Name& symbol) const;
  void show(FeedState state, std::string failure = {});

  const std::string name_;
  const ReplayOptions options_;
  const OpenReader open_;
  const Clock& clock_;
  const std::unique_ptr<Pause> pause_;

  // Of the thread that runs.
  UnixNanos now_{};
  UnixNanos last_stamp_ = kNoTime;
  std::optional<UnixNanos> first_event_;  ///< of this pass
  UnixNanos first_sent_{};
  std::uint64_t since_flush_ = 0;
  Counts counts_;

  mutable std::mutex status_mutex_;
  FeedState state_ = FeedState::kConnecting;
  Counts shown_;
  std::string failure_;
};

}  // namespace tickpipe::internal
