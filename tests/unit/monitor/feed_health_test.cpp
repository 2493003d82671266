#include "monitor/feed_health.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string_view>
#include <vector>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;

UnixNanos at(std::string_view text) { return parse_timestamp(text).value(); }

class FeedHealthTest : public ::testing::Test {
 protected:
  SymbolHealth judge(std::vector<LpActivity> lps, std::string_view symbol = "EURUSD") {
    SymbolActivity activity{.symbol = {3}, .tick_count = 42, .lps = std::move(lps)};
    for (const LpActivity& lp : activity.lps) {
      activity.last_event = std::max(activity.last_event, lp.last_event);
      activity.last_received = std::max(activity.last_received, lp.last_received);
    }
    return judge_symbol(activity, symbol);
  }
  SymbolHealth judge_symbol(const SymbolActivity& activity, std::string_view symbol = "EURUSD") {
    const FeedHealthRules rules{hours_, seconds{10}, [symbol](SymbolId) { return parse_symbol(symbol).value(); },
                                [this](LpId lp) -> std::optional<FeedState> {
                                  const auto it = feeds_.find(lp.value);
                                  if (it == feeds_.end()) return std::nullopt;
                                  return it->second;
                                }};
    return judge_feed_health({activity}, rules, now_).at(0);
  }
  [[nodiscard]] LpActivity lp(std::uint16_t number, nanoseconds event_age, nanoseconds received_age) const {
    return {{number}, 7, now_ - event_age, now_ - received_age};
  }

  MarketHours hours_;
  UnixNanos now_ = at("2026-01-14T12:00:00Z");  // a Wednesday
  std::map<std::uint16_t, FeedState> feeds_;
};

TEST_F(FeedHealthTest, AFreshQuoteIsHealthyAndTheThresholdItselfIsNotStale) {
  const SymbolHealth health = judge({lp(1, seconds{10}, seconds{10})});
  EXPECT_EQ(health.state, FeedHealthState::kHealthy);
  EXPECT_FALSE(health.is_stale);
  EXPECT_EQ(health.stale_for, seconds{0});
  EXPECT_EQ(health.symbol, SymbolId{3});
  EXPECT_EQ(health.tick_count, 42U);
  EXPECT_EQ(health.last_tick_time, now_ - seconds{10});
  ASSERT_EQ(health.lps.size(), 1U);
  EXPECT_EQ(health.lps[0].lp, LpId{1});
  EXPECT_EQ(health.lps[0].tick_count, 7U);
  EXPECT_EQ(health.lps[0].state, FeedHealthState::kHealthy);
}

TEST_F(FeedHealthTest, AQuoteBeyondTheThresholdIsStaleForItsAge) {
  const SymbolHealth health = judge({lp(1, seconds{10} + nanoseconds{1}, seconds{1})});
  EXPECT_EQ(health.state, FeedHealthState::kStale);
  EXPECT_TRUE(health.is_stale);
  EXPECT_EQ(health.stale_for, seconds{10} + nanoseconds{1});
  EXPECT_EQ(health.lps.at(0).stale_for, health.stale_for);
}

TEST_F(FeedHealthTest, TheEarlierOfEventAndReceiveTimeCounts) {
  EXPECT_EQ(judge({lp(1, seconds{60}, seconds{1})}).stale_for, seconds{60});    // sends old quotes
  EXPECT_EQ(judge({lp(1, -seconds{60}, seconds{20})}).stale_for, seconds{20});  // its clock is ahead
  EXPECT_FALSE(judge({lp(1, -seconds{60}, seconds{1})}).is_stale);
  LpActivity restored = lp(1, seconds{30}, seconds{0});
  restored.last_received = kNoTime;  // nothing since start
  EXPECT_EQ(judge({restored}).stale_for, seconds{30});
}

TEST_F(FeedHealthTest, ASymbolIsAsGoodAsItsBestLp) {
  feeds_ = {{1, FeedState::kFailed}, {2, FeedState::kLive}};
  const LpActivity failed = lp(1, seconds{1}, seconds{1});
  const LpActivity stale = lp(2, seconds{50}, seconds{50});
  const LpActivity good = lp(3, seconds{2}, seconds{2});
  EXPECT_EQ(judge({failed, stale, good}).state, FeedHealthState::kHealthy);
  EXPECT_EQ(judge({failed, stale}).state, FeedHealthState::kStale);
  const SymbolHealth down = judge({failed});
  EXPECT_EQ(down.state, FeedHealthState::kDown);
  EXPECT_FALSE(down.is_stale);
  EXPECT_EQ(judge({stale, good}).stale_for, seconds{0});
}

TEST_F(FeedHealthTest, OnlyAFeedThatHasEndedOrFailedIsDown) {
  const LpActivity fresh = lp(1, seconds{1}, seconds{1});
  const std::map<FeedState, FeedHealthState> expected = {{FeedState::kConnecting, FeedHealthState::kHealthy},
                                                         {FeedState::kLive, FeedHealthState::kHealthy},
                                                         {FeedState::kEnded, FeedHealthState::kDown},
                                                         {FeedState::kFailed, FeedHealthState::kDown}};
  for (const auto& [feed, health] : expected) {
    feeds_ = {{1, feed}};
    EXPECT_EQ(judge({fresh}).state, health) << to_string(feed);
  }
}

TEST_F(FeedHealthTest, AClosedMarketIsClosedAndNotStale) {
  now_ = at("2026-01-17T12:00:00Z");  // a Saturday, 14 h after the close
  feeds_ = {{2, FeedState::kFailed}};
  const SymbolHealth health =
      judge({lp(1, hours{14} + seconds{3}, hours{14} + seconds{3}), lp(2, hours{20}, hours{20})});
  EXPECT_EQ(health.state, FeedHealthState::kClosed);
  EXPECT_FALSE(health.is_stale);
  EXPECT_EQ(health.lps.at(0).state, FeedHealthState::kClosed);
  EXPECT_EQ(health.lps.at(1).state, FeedHealthState::kClosed);
  EXPECT_TRUE(health.lps.at(1).is_stale);
  EXPECT_EQ(health.lps.at(1).stale_for, hours{6});
  EXPECT_EQ(judge({lp(1, hours{14}, hours{14})}, "BTCUSD").state, FeedHealthState::kStale);
}

TEST_F(FeedHealthTest, AWeekendDoesNotAge) {
  now_ = at("2026-01-18T22:00:05Z");  // five seconds after the opening
  EXPECT_EQ(judge({lp(1, hours{48} + seconds{9}, hours{48} + seconds{9})}).state, FeedHealthState::kHealthy);
  now_ = now_ + seconds{3};
  EXPECT_EQ(judge({lp(1, hours{48} + seconds{12}, hours{48} + seconds{12})}).stale_for, seconds{12});
}

TEST_F(FeedHealthTest, WithoutLpsTheSymbolsOwnTimesCount) {
  SymbolActivity activity{.symbol = {1}, .tick_count = 5, .last_event = now_ - seconds{4}, .lps = {}};
  EXPECT_EQ(judge_symbol(activity).state, FeedHealthState::kHealthy);
  activity.last_event = now_ - seconds{40};
  EXPECT_EQ(judge_symbol(activity).state, FeedHealthState::kStale);
  EXPECT_EQ(judge_symbol(activity).stale_for, seconds{40});
  activity.last_event = kNoTime;
  EXPECT_EQ(judge_symbol(activity).state, FeedHealthState::kStale);
  EXPECT_EQ(judge_symbol(activity).stale_for, seconds{0});
}

}  // namespace
}  // namespace tickpipe::internal
