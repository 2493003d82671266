#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "feed/pause.h"
#include "model/feed.h"

namespace tickpipe::internal::testing {

inline UnixNanos at(std::int64_t seconds) { return {seconds * kNanosPerSecond}; }

/// Keeps what a feed delivers.
class RecordedOutput final : public FeedOutput {
 public:
  struct Submission {
    RawQuote quote;
    std::optional<Reason> fault;
    QuoteOrigin origin;
    UnixNanos received;  ///< the clock at the last take_time()
  };
  explicit RecordedOutput(const Clock& clock) : clock_(clock) {}

  void submit(const RawQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) override {
    submissions.push_back({quote, fault, origin, received_});
    ++unflushed;
    if (on_submit) on_submit();
  }
  void refuse(Reason reason) override { refused.push_back(reason); }
  void take_time() override { received_ = clock_.now(); }
  void flush() override { unflushed = 0; }
  std::optional<UnixNanos> newest_stored(const Name& lp, const Name& symbol) const override {
    const auto found = stored.find({std::string(lp.view()), std::string(symbol.view())});
    return found == stored.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] std::vector<Submission> of(QuoteOrigin origin) const {
    std::vector<Submission> out;
    for (const Submission& each : submissions) {
      if (each.origin == origin) out.push_back(each);
    }
    return out;
  }

  std::vector<Submission> submissions;
  std::vector<Reason> refused;
  std::size_t unflushed = 0;
  std::map<std::pair<std::string, std::string>, UnixNanos> stored;
  std::function<void()> on_submit;

 private:
  const Clock& clock_;
  UnixNanos received_ = kNoTime;
};

/// Waits by moving the clock, and requests a stop when the end has come.
class ManualPause final : public Pause {
 public:
  ManualPause(ManualClock& clock, std::stop_source stop, UnixNanos end) : clock_(clock), stop_(stop), end_(end) {}

  void wait(const std::stop_token& /*stop*/, std::chrono::nanoseconds duration) override {
    waits.push_back(duration);
    if (on_wait) on_wait();
    clock_.advance(duration);
    if (clock_.now() >= end_) stop_.request_stop();
  }

  std::vector<std::chrono::nanoseconds> waits;
  std::function<void()> on_wait;

 private:
  ManualClock& clock_;
  std::stop_source stop_;
  const UnixNanos end_;
};

}  // namespace tickpipe::internal::testing
