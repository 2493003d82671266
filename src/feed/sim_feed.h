#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.h"
#include "feed/pause.h"
#include "feed/sim_faults.h"
#include "feed/sim_options.h"
#include "feed/sim_stream.h"
#include "model/feed.h"

namespace tickpipe::internal {

/// A simulated LP: quotes that are a function of seed and time, sent when their time has come.
///
/// Start:    fills in, as quotes that are not live, what is missing since the newest stored quote of each symbol: at
///           most `fill` of it, at most one quote a second and symbol, up to the moment at which live quotes begin.
/// Live:     wakes when the next quote is due, but at most 100 times a second (500 above 1,000 ticks/s), and sends all
///           that have become due since. When it finds itself more than a second late (the machine slept, or the
///           pipeline had no room), or the clock was set back, it goes on with the present; what it left out was never
///           made.
/// Threads:  run() on one thread, status() on any.
class SimFeed final : public Feed {
 public:
  static constexpr std::chrono::nanoseconds kMaxLag{std::chrono::seconds{1}};

  /// `name` is shown in the status. `pause` nullptr: it really sleeps. The clock must outlive it.
  SimFeed(std::string name, SimOptions options, const Clock& clock, std::unique_ptr<Pause> pause = nullptr);

  void run(std::stop_token stop, FeedOutput& output) noexcept override;
  [[nodiscard]] FeedStatus status() const override;

 private:
  /// Returns when live quotes begin.
  UnixNanos fill_in(const std::stop_token& stop, FeedOutput& output);
  void fill_range(const std::stop_token& stop, FeedOutput& output, const std::vector<UnixNanos>& from, UnixNanos to);
  void go_live(const std::stop_token& stop, FeedOutput& output, UnixNanos from);
  void submit(FeedOutput& output, const SimQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) const;
  void show(FeedState state, std::string detail);
  [[nodiscard]] std::string live_detail() const;

  const std::string name_;
  const SimOptions options_;
  const Clock& clock_;
  const std::unique_ptr<Pause> pause_;
  const SimMarket market_;
  const SimMarket past_market_;  ///< the same, ticking at most once a second
  mutable std::mutex status_mutex_;
  FeedState state_ = FeedState::kConnecting;
  std::string detail_;
};

}  // namespace tickpipe::internal
