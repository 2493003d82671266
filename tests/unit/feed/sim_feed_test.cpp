#include "feed/sim_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "core/timestamp_text.h"
#include "recorded_output.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ManualPause;
using testing::RecordedOutput;

UnixNanos moment(std::string_view text) { return *parse_timestamp(text); }
const UnixNanos kStart = moment("2026-06-16T09:00:00Z");

class SimFeedTest : public ::testing::Test {
 protected:
  /// Runs from kStart for `length` of the clock's time.
  void run(nanoseconds length) {
    const UnixNanos start = clock_.now();
    std::stop_source stop;
    auto pause = std::make_unique<ManualPause>(clock_, stop, start + length);
    pause_ = pause.get();
    pause_->on_wait = [this] {
      EXPECT_EQ(output_.unflushed, 0U);
      if (on_wait_) on_wait_();
    };
    feed_.emplace("sim", options_, clock_, std::move(pause));
    feed_->run(stop.get_token(), output_);
  }

  std::vector<SimQuote> expected(UnixNanos from, UnixNanos to) const {
    const SimMarket market(options_, nanoseconds{0});
    SimStream stream(market, from);
    std::vector<SimQuote> out;
    while (stream.next_time() <= to) out.push_back(stream.pop());
    return out;
  }

  void expect_live(const std::vector<SimQuote>& quotes) const {
    const SimMarket market(options_, nanoseconds{0});
    const auto live = output_.of(QuoteOrigin::kLive);
    ASSERT_EQ(live.size(), quotes.size());
    for (std::size_t i = 0; i < quotes.size(); ++i) {
      const RawQuote& quote = live[i].quote;
      EXPECT_EQ(quote.symbol, market.symbols()[quotes[i].symbol].symbol);
      EXPECT_EQ(quote.ts_event, quotes[i].time + options_.clock_skew);
      EXPECT_EQ(quote.bid, quotes[i].prices.bid);
      EXPECT_EQ(quote.ask, quotes[i].prices.ask);
      EXPECT_EQ(quote.lp, options_.lp);
    }
  }

  ManualClock clock_{kStart};
  SimOptions options_;
  RecordedOutput output_{clock_};
  ManualPause* pause_ = nullptr;
  std::function<void()> on_wait_;
  std::optional<SimFeed> feed_;
};

TEST_F(SimFeedTest, SendsEveryQuoteOfTheStreamWhenItIsDue) {
  options_.fill = nanoseconds{0};
  run(seconds{10});
  expect_live(expected(kStart, clock_.now() - pause_->waits.back()));
  EXPECT_NEAR(static_cast<double>(output_.submissions.size()), 500, 50);
  for (const auto& each : output_.submissions) {
    EXPECT_GE(each.received, *each.quote.ts_event);
    EXPECT_LE(each.received - *each.quote.ts_event, milliseconds{10});
  }
}

TEST_F(SimFeedTest, WakesOnlyWhenSomethingIsDue) {
  options_.fill = nanoseconds{0};
  options_.rate = 1;
  options_.symbols = {*parse_symbol("EURUSD")};
  run(seconds{60});
  EXPECT_LT(pause_->waits.size(), 200U);
  for (const nanoseconds wait : pause_->waits) EXPECT_GE(wait, milliseconds{10});
  EXPECT_GE(output_.submissions.size(), 58U);
}

TEST_F(SimFeedTest, AHighRateWorksInSteps) {
  options_.fill = nanoseconds{0};
  options_.rate = 1'000'000;
  run(milliseconds{200});
  EXPECT_EQ(pause_->waits.size(), 100U);
  EXPECT_EQ(feed_->status().detail, "50 symbols, 1000000 ticks/s, seed 1");
  expect_live(expected(kStart, clock_.now() - pause_->waits.back()));
}

TEST_F(SimFeedTest, AFreshDirectoryGetsAnHourOfHistory) {
  run(seconds{2});
  const auto past = output_.of(QuoteOrigin::kHistorical);
  std::map<std::string, std::pair<UnixNanos, UnixNanos>> span;  // first and last per symbol
  UnixNanos previous = kNoTime;
  for (const auto& each : past) {
    const UnixNanos time = *each.quote.ts_event;
    EXPECT_GE(time, previous);
    previous = time;
    EXPECT_LE(time, each.received);
    auto& [first, last] = span.try_emplace(std::string(each.quote.symbol.view()), time, time).first->second;
    last = time;
  }
  EXPECT_EQ(span.size(), 50U);
  for (const auto& [symbol, range] : span) {
    EXPECT_GE(range.first, kStart - hours{1}) << symbol;
    EXPECT_LT(range.first, kStart - minutes{59}) << symbol;
    EXPECT_LT(range.second, kStart) << symbol;
  }
  EXPECT_GT(past.size(), 50'000U);
  EXPECT_LE(past.size(), 50U * 3602);
  for (const auto& each : output_.of(QuoteOrigin::kLive)) EXPECT_GE(*each.quote.ts_event, kStart);
}

TEST_F(SimFeedTest, PastAndPresentAreOneMarket) {
  options_.symbols = {*parse_symbol("EURUSD")};
  options_.rate = 20;
  run(seconds{2});
  const auto past = output_.of(QuoteOrigin::kHistorical);
  const auto live = output_.of(QuoteOrigin::kLive);
  ASSERT_FALSE(past.empty());
  ASSERT_FALSE(live.empty());
  EXPECT_NEAR(static_cast<double>(past.back().quote.bid.units) / static_cast<double>(live.front().quote.bid.units), 1,
              1e-4);
}

TEST_F(SimFeedTest, FillsInOnlyWhatIsMissing) {
  options_.symbols = {*parse_symbol("EURUSD"), *parse_symbol("GBPUSD"), *parse_symbol("USDJPY")};
  output_.stored[{"SIM", "EURUSD"}] = kStart - minutes{5};
  output_.stored[{"SIM", "GBPUSD"}] = kStart - hours{20};
  output_.stored[{"SIM", "USDJPY"}] = kStart + seconds{5};
  output_.stored[{"OTHER", "EURUSD"}] = kStart;
  run(milliseconds{10});
  std::map<std::string, UnixNanos> first;
  for (const auto& each : output_.of(QuoteOrigin::kHistorical)) {
    first.try_emplace(std::string(each.quote.symbol.view()), *each.quote.ts_event);
  }
  EXPECT_EQ(first.size(), 2U);
  EXPECT_GT(first["EURUSD"], kStart - minutes{5});
  EXPECT_LT(first["EURUSD"], kStart - minutes{5} + seconds{5});
  EXPECT_GE(first["GBPUSD"], kStart - hours{1});
  EXPECT_LT(first["GBPUSD"], kStart - hours{1} + seconds{5});
}

TEST_F(SimFeedTest, NoQuoteOfASecondRunIsOneOfTheFirst) {
  options_.symbols = {*parse_symbol("EURUSD"), *parse_symbol("BTCUSD")};
  run(seconds{5});
  for (const auto& each : output_.submissions) {
    output_.stored[{"SIM", std::string(each.quote.symbol.view())}] = *each.quote.ts_event;
  }
  clock_.advance(seconds{30});
  run(seconds{5});
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (const auto& each : output_.submissions) {
    EXPECT_TRUE(seen.emplace(each.quote.symbol.view(), each.quote.ts_event->ns).second);
  }
}

TEST_F(SimFeedTest, WhatBecameMissingWhileFillingInIsFilledInToo) {
  std::size_t count = 0;
  output_.on_submit = [&] {
    if (++count == 1000) clock_.advance(seconds{20});
  };
  run(seconds{22});
  const auto past = output_.of(QuoteOrigin::kHistorical);
  const auto live = output_.of(QuoteOrigin::kLive);
  ASSERT_FALSE(live.empty());
  EXPECT_GT(*past.back().quote.ts_event, kStart + seconds{19});
  EXPECT_LT(*past.back().quote.ts_event, kStart + seconds{20});
  EXPECT_GE(*live.front().quote.ts_event, kStart + seconds{20});
}

TEST_F(SimFeedTest, AfterALongSleepItGoesOnWithThePresent) {
  options_.fill = nanoseconds{0};
  bool has_slept = false;
  on_wait_ = [&] {
    if (has_slept || clock_.now() - kStart < seconds{1}) return;
    has_slept = true;
    clock_.advance(hours{1});
  };
  run(hours{1} + seconds{3});
  std::size_t before = 0;
  std::size_t after = 0;
  for (const auto& each : output_.submissions) {
    const nanoseconds since = *each.quote.ts_event - kStart;
    EXPECT_FALSE(since > seconds{2} && since < hours{1} + seconds{1}) << since.count();
    ++(since < seconds{2} ? before : after);
  }
  EXPECT_NEAR(static_cast<double>(before), 50, 15);
  EXPECT_NEAR(static_cast<double>(after), 100, 25);
}

TEST_F(SimFeedTest, TheClockOfTheLpMayBeAheadOrBehind) {
  for (const nanoseconds skew : {nanoseconds{seconds{2}}, nanoseconds{-milliseconds{1500}}}) {
    clock_.set(kStart);
    output_.submissions.clear();
    options_.clock_skew = skew;
    run(seconds{5});
    expect_live(expected(kStart, clock_.now() - pause_->waits.back()));
    const auto past = output_.of(QuoteOrigin::kHistorical);
    EXPECT_LT(*past.back().quote.ts_event, kStart + skew);
    EXPECT_GT(*past.back().quote.ts_event, kStart + skew - seconds{1});
  }
}

TEST_F(SimFeedTest, FaultsBefallLiveQuotesOnly) {
  options_.garble_share = 0.5;
  options_.delay_share = 0.5;
  run(seconds{20});
  for (const auto& each : output_.of(QuoteOrigin::kHistorical)) ASSERT_FALSE(each.fault);
  std::size_t faults = 0;
  nanoseconds latest{0};
  for (const auto& each : output_.of(QuoteOrigin::kLive)) {
    if (each.fault) ++faults;
    latest = std::max(latest, each.received - *each.quote.ts_event);
  }
  EXPECT_GT(faults, 200U);
  EXPECT_GT(latest, milliseconds{300});
  EXPECT_LE(latest, milliseconds{510});
}

TEST_F(SimFeedTest, SaysWhatItDoes) {
  EXPECT_EQ(SimFeed("sim", options_, clock_).status().state, FeedState::kConnecting);
  FeedState while_filling = FeedState::kLive;
  output_.on_submit = [&] {
    while_filling = feed_->status().state;
    output_.on_submit = nullptr;
  };
  run(seconds{1});
  EXPECT_EQ(while_filling, FeedState::kConnecting);
  EXPECT_EQ(feed_->status().name, "sim");
  EXPECT_EQ(feed_->status().state, FeedState::kLive);
  EXPECT_EQ(feed_->status().detail, "50 symbols, 50 ticks/s, seed 1");
}

TEST_F(SimFeedTest, SaysWhenAClosedMarketOpens) {
  clock_.set(moment("2026-06-20T12:00:00Z"));
  options_.symbols = {*parse_symbol("EURUSD")};
  run(seconds{5});
  EXPECT_TRUE(output_.submissions.empty());
  EXPECT_THAT(feed_->status().detail, ::testing::HasSubstr("next tick at 2026-06-21T21:00:00Z"));
  clock_.set(moment("2026-06-21T20:59:58Z"));
  options_.fill = nanoseconds{0};
  run(seconds{5});
  EXPECT_FALSE(output_.submissions.empty());
  EXPECT_EQ(feed_->status().detail, "1 symbol, 50 ticks/s, seed 1");
}

TEST_F(SimFeedTest, RateZeroSendsNothing) {
  options_.rate = 0;
  run(seconds{10});
  EXPECT_TRUE(output_.submissions.empty());
  EXPECT_EQ(feed_->status().state, FeedState::kLive);
}

TEST_F(SimFeedTest, AFailureOfThePipelineIsInTheStatus) {
  output_.on_submit = [] { throw std::runtime_error("no more"); };
  run(seconds{1});
  EXPECT_EQ(feed_->status().state, FeedState::kFailed);
  EXPECT_EQ(feed_->status().detail, "no more");
}

TEST_F(SimFeedTest, AStopWhileFillingInEndsIt) {
  std::stop_source stop;
  SimFeed feed("sim", options_, clock_);
  output_.on_submit = [&] { stop.request_stop(); };
  feed.run(stop.get_token(), output_);
  EXPECT_LT(output_.submissions.size(), 2000U);
  EXPECT_EQ(output_.unflushed, 0U);
}

TEST_F(SimFeedTest, AStopWakesItFromItsSleep) {
  options_.rate = 0;
  SystemClock real;
  SimFeed feed("sim", options_, real);
  std::promise<void> ended;
  std::jthread thread([&](const std::stop_token& stop) {
    feed.run(stop, output_);
    ended.set_value();
  });
  while (feed.status().state != FeedState::kLive) std::this_thread::yield();
  thread.request_stop();
  EXPECT_EQ(ended.get_future().wait_for(seconds{60}), std::future_status::ready);
}

}  // namespace
}  // namespace tickpipe::internal
