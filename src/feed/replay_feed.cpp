#include "feed/replay_feed.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kQuotesPerFlush = 256;
/// So that a clock that was set is noticed.
constexpr nanoseconds kLongestSleep = std::chrono::seconds{1};
/// Nothing is waited for longer than a hundred years.
constexpr double kLongestGapNs = 3.2e18;

}  // namespace

ReplayFeed::ReplayFeed(std::string name, ReplayOptions options, OpenReader open, const Clock& clock,
                       std::unique_ptr<Pause> pause)
    : name_(std::move(name)),
      options_(std::move(options)),
      open_(std::move(open)),
      clock_(clock),
      pause_(pause ? std::move(pause) : std::make_unique<RealPause>()) {}

void ReplayFeed::run(std::stop_token stop, FeedOutput& output) noexcept {
  try {
    while (true) {
      const std::uint64_t sent_before = counts_.sent;
      const bool is_stopped = !play(stop, output);
      output.flush();
      if (is_stopped) return show(FeedState::kLive);
      if (!options_.loop || counts_.sent == sent_before) return show(FeedState::kEnded);
    }
  } catch (const std::exception& error) {
    show(FeedState::kFailed, error.what());
  }
}

bool ReplayFeed::play(const std::stop_token& stop, FeedOutput& output) {
  ++counts_.passes;
  first_event_.reset();
  since_flush_ = 0;
  try {
    const std::unique_ptr<RawQuoteReader> reader = open_();
    show(FeedState::kLive);
    take_time(output);
    RawQuote quote;
    Reason fault{};
    while (!stop.stop_requested()) {
      const RawQuoteReader::Item item = reader->next(quote, fault);
      if (item == RawQuoteReader::Item::kEnd) return true;
      ++counts_.lines;
      if (item == RawQuoteReader::Item::kFault) {
        // Only what is wrong with prices or times leaves names that count.
        const bool has_names = index_of(fault) > index_of(Reason::kTooManySymbols);
        if (!has_names || is_wanted(quote.symbol)) send(output, quote, fault);
        continue;
      }
      if (!is_wanted(quote.symbol)) continue;
      if (options_.speed > 0 && quote.ts_event) {
        wait_until_due(stop, output, *quote.ts_event);
        if (stop.stop_requested()) return false;
      }
      send(output, quote, std::nullopt);
    }
    return false;
  } catch (...) {
    output.flush();  // what was read before the failure is kept
    throw;
  }
}

void ReplayFeed::wait_until_due(const std::stop_token& stop, FeedOutput& output, UnixNanos event_time) {
  if (!first_event_) {
    take_time(output);
    first_event_ = event_time;
    first_sent_ = now_;
    return;
  }
  const double gap_ns = static_cast<double>((event_time - *first_event_).count()) / options_.speed;
  const UnixNanos due{first_sent_.ns + std::llround(std::clamp(gap_ns, -kLongestGapNs, kLongestGapNs))};
  if (due <= now_) return;
  take_time(output);
  if (due <= now_) return;
  output.flush();
  since_flush_ = 0;
  show(FeedState::kLive);
  while (now_ < due && !stop.stop_requested()) {
    pause_->wait(stop, std::min(due - now_, kLongestSleep));
    now_ = clock_.now();
  }
  output.take_time();
}

void ReplayFeed::send(FeedOutput& output, RawQuote& quote, std::optional<Reason> fault) {
  if (since_flush_ >= kQuotesPerFlush) {
    output.flush();
    since_flush_ = 0;
    take_time(output);
    show(FeedState::kLive);
  }
  ++since_flush_;
  if (fault) ++counts_.refused;
  if (fault == Reason::kLineTooLong) return output.refuse(*fault);
  if (!quote.lp) quote.lp = options_.lp;
  if (fault) {
    output.submit(quote, fault, options_.restamp ? QuoteOrigin::kLive : QuoteOrigin::kHistorical);
    return;
  }
  if (options_.restamp) {
    last_stamp_ = std::max(now_, UnixNanos{last_stamp_.ns + 1});
    quote.ts_event = last_stamp_;
  }
  ++counts_.sent;
  output.submit(quote, std::nullopt, options_.restamp ? QuoteOrigin::kLive : QuoteOrigin::kHistorical);
}

void ReplayFeed::take_time(FeedOutput& output) {
  now_ = clock_.now();  // first, so that no restamped quote is from after its own receipt
  output.take_time();
}

bool ReplayFeed::is_wanted(const Name& symbol) const {
  return options_.symbols.empty() ||
         std::find(options_.symbols.begin(), options_.symbols.end(), symbol) != options_.symbols.end();
}

FeedStatus ReplayFeed::status() const {
  const std::lock_guard lock(status_mutex_);
  FeedStatus status{name_, state_, {}};
  if (shown_.passes > 0) {
    status.detail = std::to_string(shown_.lines) + " lines, " + std::to_string(shown_.sent) + " quotes sent, " +
                    std::to_string(shown_.refused) + " refused by their form";
  }
  if (shown_.passes > 1) status.detail += ", pass " + std::to_string(shown_.passes);
  if (!failure_.empty()) status.detail = failure_ + (shown_.lines > 0 ? " (after " + status.detail + ")" : "");
  return status;
}

void ReplayFeed::show(FeedState state, std::string failure) {
  const std::lock_guard lock(status_mutex_);
  state_ = state;
  shown_ = counts_;
  failure_ = std::move(failure);
}

}  // namespace tickpipe::internal
