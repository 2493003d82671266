#include "feed/sim_feed.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <utility>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kFillPeriod = std::chrono::seconds{1};
/// What has become missing while the past was filled in is filled in too, unless it is less than this.
constexpr nanoseconds kFillUntil = milliseconds{100};
constexpr int kMaxFillRounds = 10;
constexpr std::size_t kQuotesPerFlush = 512;
constexpr double kBusyRate = 1000;
constexpr nanoseconds kQuietStep = milliseconds{10};
constexpr nanoseconds kBusyStep = milliseconds{2};
/// Below SimFeed::kMaxLag, so that a sleep is no lag.
constexpr nanoseconds kLongestSleep = milliseconds{500};
constexpr nanoseconds kClosedForLong = std::chrono::minutes{1};

}  // namespace

SimFeed::SimFeed(std::string name, SimOptions options, const Clock& clock, std::unique_ptr<Pause> pause)
    : name_(std::move(name)),
      options_(std::move(options)),
      clock_(clock),
      pause_(pause ? std::move(pause) : std::make_unique<RealPause>()),
      market_(options_, nanoseconds{0}),
      past_market_(options_, kFillPeriod) {}

void SimFeed::run(std::stop_token stop, FeedOutput& output) noexcept {
  try {
    const UnixNanos live_from = fill_in(stop, output);
    show(FeedState::kLive, live_detail());
    go_live(stop, output, live_from);
    output.flush();
  } catch (const std::exception& error) {
    show(FeedState::kFailed, error.what());
  }
}

UnixNanos SimFeed::fill_in(const std::stop_token& stop, FeedOutput& output) {
  show(FeedState::kConnecting, "fills in missing history");
  UnixNanos end = clock_.now();
  if (options_.fill.count() == 0) return end;
  std::vector<UnixNanos> from;
  for (const SimSymbol& symbol : past_market_.symbols()) {
    from.push_back(end - options_.fill);
    const auto newest = output.newest_stored(options_.lp, symbol.symbol);
    if (newest) from.back() = std::max(from.back(), *newest - options_.clock_skew + nanoseconds{1});
  }
  fill_range(stop, output, from, end);
  for (int round = 1; round < kMaxFillRounds && !stop.stop_requested(); ++round) {
    const UnixNanos now = clock_.now();
    if (now - end < kFillUntil) break;
    // What is stored may reach beyond the first end.
    for (UnixNanos& each : from) each = std::max(each, end);
    fill_range(stop, output, from, now);
    end = now;
  }
  return end;
}

void SimFeed::fill_range(const std::stop_token& stop, FeedOutput& output, const std::vector<UnixNanos>& from,
                         UnixNanos to) {
  SimStream stream(past_market_, from);
  for (std::size_t count = 0; stream.next_time() < to; ++count) {
    if (count % kQuotesPerFlush == 0) {
      output.flush();
      if (stop.stop_requested()) return;
      output.take_time();
    }
    submit(output, stream.pop(), std::nullopt, QuoteOrigin::kHistorical);
  }
  output.flush();
}

void SimFeed::go_live(const std::stop_token& stop, FeedOutput& output, UnixNanos from) {
  const nanoseconds step = options_.rate > kBusyRate ? kBusyStep : kQuietStep;
  std::optional<SimStream> stream(std::in_place, market_, from);
  SimFaults faults(options_, market_);
  UnixNanos made_until = from;
  bool was_closed = false;
  std::vector<SimFaults::Emission> emissions;
  const auto send = [&] {
    if (emissions.empty()) return;
    output.take_time();
    for (const auto& [quote, fault] : emissions) submit(output, quote, fault, QuoteOrigin::kLive);
    output.flush();
    emissions.clear();
  };
  while (!stop.stop_requested()) {
    UnixNanos now = clock_.now();
    // Late, or the clock was set back: on with the present.
    if (now - made_until > kMaxLag || made_until - now > kMaxLag) {
      stream.emplace(market_, now);
      made_until = now;
    }
    made_until = std::max(made_until, now);
    while (stream->next_time() <= now && !stop.stop_requested()) {
      faults.pass(stream->pop(), emissions);
      if (emissions.size() >= kQuotesPerFlush) send();
    }
    faults.release(now, emissions);
    send();

    now = clock_.now();
    const UnixNanos next = stream->next_time();
    const bool is_closed = next != kEndOfTime && next - now > kClosedForLong;
    if (is_closed != was_closed) {
      was_closed = is_closed;
      std::string detail = live_detail();
      if (is_closed) detail += "; next tick at " + format_rfc3339(next, 0);
      show(FeedState::kLive, std::move(detail));
    }
    pause_->wait(stop, std::clamp(std::min(next, faults.next_time()) - now, step, kLongestSleep));
  }
}

void SimFeed::submit(FeedOutput& output, const SimQuote& quote, std::optional<Reason> fault, QuoteOrigin origin) const {
  RawQuote raw;
  raw.lp = options_.lp;
  raw.symbol = market_.symbols()[quote.symbol].symbol;
  raw.bid = quote.prices.bid;
  raw.ask = quote.prices.ask;
  raw.bid_size = quote.prices.bid_size;
  raw.ask_size = quote.prices.ask_size;
  raw.ts_event = quote.time + options_.clock_skew;
  output.submit(raw, fault, origin);
}

FeedStatus SimFeed::status() const {
  const std::lock_guard lock(status_mutex_);
  return {name_, state_, detail_};
}

void SimFeed::show(FeedState state, std::string detail) {
  const std::lock_guard lock(status_mutex_);
  state_ = state;
  detail_ = std::move(detail);
}

std::string SimFeed::live_detail() const {
  char rate[32];
  std::snprintf(rate, sizeof rate, "%.10g", options_.rate);
  const std::size_t count = market_.symbols().size();
  return std::to_string(count) + (count == 1 ? " symbol, " : " symbols, ") + rate + " ticks/s, seed " +
         std::to_string(options_.seed);
}

}  // namespace tickpipe::internal
