// What is different when quotes come live: levels, lateness, the latest quote, clocks, closing by the clock.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "support/brute_force.h"
#include "support/engine_run.h"

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using testing::engine_rules;
using testing::EngineRun;
using testing::kEngineNoon;
using testing::make_history;
using testing::make_live_quote;
using testing::make_quote;

class LiveRulesTest : public ::testing::Test {
 protected:
  static ShardRules rules() {
    ShardRules rules = engine_rules();
    rules.tell_readers = true;
    return rules;
  }
  [[nodiscard]] const SymbolState& symbol() { return *run_.engine().find(SymbolId{0}); }
  [[nodiscard]] std::vector<Bar> open_bars(std::size_t timeframe = 0) { return symbol().bars.open_bars(timeframe); }

  EngineRun run_{make_history(), rules()};
};

TEST_F(LiveRulesTest, TicksAreNotMarkedAsHistory) {
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon, 1000)).flags, 0);
  EXPECT_EQ(run_.accepted(make_quote(kEngineNoon + 1s, 1000)).flags, kHistorical);
}

TEST_F(LiveRulesTest, TheFirstOfAnLpIsComparedWithTheLatestQuoteOfTheSymbol) {
  run_.accepted(make_live_quote(kEngineNoon, 1000, 0));
  EXPECT_EQ(run_.refused(make_live_quote(kEngineNoon + 1s, 6000, 1)), Reason::kImplausiblePrice);
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 2s, 1200, 1)).flags, kSpike);
}

TEST_F(LiveRulesTest, TheLatestQuoteMayBeHistory) {
  run_.accepted(make_quote(kEngineNoon - 10min, 1000));
  EXPECT_EQ(run_.refused(make_live_quote(kEngineNoon, 6000, 1)), Reason::kImplausiblePrice);
}

TEST_F(LiveRulesTest, LevelsOfLiveQuotesAndOfHistoryAreTwo) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  run_.accepted(make_quote(kEngineNoon - 20h, 7000));                          // no level of history yet
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 1s, 1001)).flags, 0);  // still compared with 1000
  EXPECT_EQ(run_.accepted(make_quote(kEngineNoon - 19h, 7001)).flags, kHistorical | kOutOfOrder);
}

TEST_F(LiveRulesTest, ALateQuoteDoesNotMoveTheLevel) {
  run_.accepted(make_live_quote(kEngineNoon + 10s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 5s, 1090));
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 11s, 1180)).flags, kSpike);  // 18 % above 1000, 8 % above 1090
}

TEST_F(LiveRulesTest, TheTenthImplausibleQuoteSetsTheLevel) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(run_.refused(make_live_quote(kEngineNoon + i * 1s, 9000 + i)), Reason::kImplausiblePrice) << i;
  }
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 10s, 9010)).flags, kSpike | kNewLevel);
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 11s, 9011)).flags, 0);
}

TEST_F(LiveRulesTest, HistoryDoesNotCountTowardsALiveStreak) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  run_.accepted(make_quote(kEngineNoon - 1h, 1000));
  for (int i = 1; i < 10; ++i) run_.refused(make_live_quote(kEngineNoon + i * 1s, 9000 + i));
  EXPECT_EQ(run_.refused(make_quote(kEngineNoon - 30min, 9000)), Reason::kImplausiblePrice);
  EXPECT_EQ(run_.refused(make_live_quote(kEngineNoon + 10s, 9010)), Reason::kImplausiblePrice);
}

TEST_F(LiveRulesTest, AnInOrderQuoteOfAnyLpIsTheLatest) {
  run_.accepted(make_live_quote(kEngineNoon + 5s, 1000, 0));
  run_.accepted(make_live_quote(kEngineNoon + 3s, 1001, 1));  // its LP's clock is behind, but it is in order
  EXPECT_EQ(symbol().latest.bid, Price{1001});
  run_.accepted(make_live_quote(kEngineNoon + 2s, 1002, 1));
  EXPECT_EQ(symbol().latest.bid, Price{1001});
}

TEST_F(LiveRulesTest, AQuoteOlderThanLiveTickAgeIsNotTheLatest) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 1s, 1001, 0, 61s));
  EXPECT_EQ(symbol().latest.bid, Price{1000});
  run_.accepted(make_live_quote(kEngineNoon + 2s, 1002, 0, 60s));
  EXPECT_EQ(symbol().latest.bid, Price{1002});
  EXPECT_EQ(open_bars().back().tick_count, 3U);
}

TEST_F(LiveRulesTest, HistoryIsTheLatestOnlyWhenItIsNewer) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  run_.accepted(make_quote(kEngineNoon, 1001, 1));
  EXPECT_EQ(symbol().latest.bid, Price{1000});
  run_.accepted(make_quote(kEngineNoon + 1ns, 1002, 1));
  EXPECT_EQ(symbol().latest.bid, Price{1002});
  run_.accepted(make_live_quote(kEngineNoon, 1003, 2));  // live and in order for its LP
  EXPECT_EQ(symbol().latest.bid, Price{1003});
}

TEST_F(LiveRulesTest, AQuoteWithoutATimeOfItsOwnIsNoDuplicate) {
  Quote quote = make_live_quote(kEngineNoon, 1000);
  quote.marks |= kReceiveTimed;
  run_.accepted(quote);
  EXPECT_EQ(run_.accepted(quote).seq, 2U);
  quote.marks = kLiveQuote;
  EXPECT_EQ(run_.refused(quote), Reason::kDuplicate);
}

// --- a clock that was ahead -----------------------------------------------------------------------------------------

TEST_F(LiveRulesTest, TenQuotesBehindBringAClockBackThatWasAhead) {
  run_.accepted(make_live_quote(kEngineNoon + 1h, 1000, 0, -1h));  // received at noon
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1000 + i)).flags, kOutOfOrder) << i;
  }
  EXPECT_EQ(symbol().latest.bid, Price{1000});
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 11s, 1011)).flags, 0);
  EXPECT_EQ(symbol().latest.bid, Price{1011});
  EXPECT_EQ(symbol().newest, kEngineNoon + 11s);
}

TEST_F(LiveRulesTest, TheNewestOfTheTenCounts) {
  run_.accepted(make_live_quote(kEngineNoon + 1h, 1000, 0, -1h));
  run_.accepted(make_live_quote(kEngineNoon + 20s, 1001));
  for (int i = 1; i < 10; ++i) run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1001 + i));
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 19s, 1011)).flags, kOutOfOrder);
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 20s, 1012)).flags, 0);
}

TEST_F(LiveRulesTest, AQuoteInOrderEndsTheCount) {
  run_.accepted(make_live_quote(kEngineNoon + 1h, 1000, 0, -1h));
  for (int i = 1; i < 10; ++i) run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1000 + i));
  run_.accepted(make_live_quote(kEngineNoon + 1h + 1s, 1000, 0, -1h));
  for (int i = 11; i < 20; ++i) run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1000 + i));
  EXPECT_EQ(symbol().newest, kEngineNoon + 1h + 1s);
}

TEST_F(LiveRulesTest, AClockThatWasNotAheadStays) {
  run_.accepted(make_live_quote(kEngineNoon + 1h, 1000));
  for (int i = 1; i <= 30; ++i) {
    EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1000 + i, 0, 1h)).flags & kOutOfOrder, kOutOfOrder);
  }
}

TEST_F(LiveRulesTest, DuplicatesAreFoundAlsoAfterAClockWasBroughtBack) {
  const Quote ahead = make_live_quote(kEngineNoon + 1h, 1000, 0, -1h);
  run_.accepted(ahead);
  for (int i = 1; i <= 10; ++i) run_.accepted(make_live_quote(kEngineNoon + i * 1s, 1000 + i));
  EXPECT_EQ(run_.refused(ahead), Reason::kDuplicate);
}

// --- bars -----------------------------------------------------------------------------------------------------------

TEST_F(LiveRulesTest, ABarClosesWhenReceiptHasPassedItsEndToo) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 62s, 1001, 0, -3s));  // its clock is 3 s ahead: received at 59 s
  EXPECT_EQ(open_bars().size(), 2U);
  run_.accepted(make_live_quote(kEngineNoon + 63s, 1002, 0, -3s));
  EXPECT_EQ(open_bars().size(), 1U);
}

TEST_F(LiveRulesTest, ATickWithinTheRevisionWindowCorrectsItsBar) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 11min, 1001));
  run_.hand_over();
  EXPECT_EQ(run_.accepted(make_live_quote(kEngineNoon + 40s, 1005, 0, 10min)).flags, kOutOfOrder);
  const EventBatch batch = run_.hand_over();
  ASSERT_FALSE(batch.bars.empty());
  EXPECT_EQ(batch.bars.front().bar.revision, 1U);
  EXPECT_EQ(batch.bars.front().bar.tick_count, 2U);
}

TEST_F(LiveRulesTest, ALaterOneIsInNoBar) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 11min + 1ns, 1001));
  run_.hand_over();
  const Tick late = run_.accepted(make_live_quote(kEngineNoon + 40s, 1005, 0, 10min));
  EXPECT_EQ(late.flags, kOutOfOrder | kLateForBars);
  EXPECT_TRUE(run_.hand_over().bars.empty());
  EXPECT_EQ(open_bars(2).front().tick_count, 2U);  // not in the open hour either
  EXPECT_EQ(run_.engine().counters().late_for_bars.load(), 1U);
}

TEST_F(LiveRulesTest, LoadingALateTickAsHistoryFoldsItIn) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 20min, 1001));
  const Quote late = make_live_quote(kEngineNoon + 40s, 1005, 0, 20min);
  run_.accepted(late);
  for (const bool is_committed : {false, true}) {
    SCOPED_TRACE(is_committed);
    if (is_committed) run_.hand_over();
    Quote history = late;
    history.marks = 0;
    EXPECT_EQ(run_.refused(history), Reason::kDuplicate);
    const EventBatch batch = run_.hand_over();
    if (!is_committed) {
      EXPECT_TRUE(batch.amended.empty());
      EXPECT_EQ(batch.ticks.back().flags, kOutOfOrder);
      EXPECT_EQ(open_bars(2).front().tick_count, 3U);
      run_.accepted(make_live_quote(kEngineNoon + 41s, 1006, 0, 20min));
    }
  }
  Quote history = make_quote(kEngineNoon + 41s, 1006);
  EXPECT_EQ(run_.refused(history), Reason::kDuplicate);
  const EventBatch batch = run_.hand_over();
  ASSERT_EQ(batch.amended.size(), 1U);
  EXPECT_EQ(batch.amended.front().flags, kOutOfOrder | kFoldedLater);
  EXPECT_EQ(batch.amended.front().seq, 4U);
  EXPECT_EQ(open_bars(2).front().tick_count, 4U);
  EXPECT_EQ(symbol().late_ticks, 0U);
  // Once is enough.
  EXPECT_EQ(run_.refused(history), Reason::kDuplicate);
  EXPECT_TRUE(run_.hand_over().amended.empty());
  EXPECT_EQ(open_bars(2).front().tick_count, 4U);
}

TEST_F(LiveRulesTest, ALateTickOnItsWayToTheStoreIsFoldedIn) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 20min, 1001));
  run_.accepted(make_live_quote(kEngineNoon + 40s, 1005, 0, 20min));
  run_.hand_over(false, false);
  EXPECT_EQ(run_.refused(make_quote(kEngineNoon + 40s, 1005)), Reason::kDuplicate);
  const EventBatch batch = run_.hand_over(false, false);
  ASSERT_EQ(batch.amended.size(), 1U);
  EXPECT_EQ(batch.amended.front().seq, 3U);
  run_.commit_all();
  EXPECT_EQ(open_bars(2).front().tick_count, 3U);
}

TEST_F(LiveRulesTest, TheClockClosesBarsOfALiveSymbolAfterTheGrace) {
  run_.accepted(make_live_quote(kEngineNoon + 30s, 1000));
  run_.close_by_clock(kEngineNoon + 62s - 1ns, 2s);
  EXPECT_EQ(open_bars().size(), 1U);
  run_.close_by_clock(kEngineNoon + 62s, 2s);
  EXPECT_TRUE(open_bars().empty());
  const EventBatch batch = run_.hand_over();
  ASSERT_EQ(batch.bars.size(), 1U);
  EXPECT_TRUE(batch.bars.front().bar.is_closed);
  EXPECT_EQ(batch.bars.front().bar.revision, 0U);
}

TEST_F(LiveRulesTest, ASymbolThatIsNotLiveIsClosedAfterAMinuteWithoutQuotes) {
  Quote history = make_quote(kEngineNoon - 5h, 1000);
  history.ts_recv = kEngineNoon;
  run_.accepted(history);
  run_.close_by_clock(kEngineNoon + 59s, 2s);
  EXPECT_EQ(open_bars().size(), 1U);
  run_.close_by_clock(kEngineNoon + 60s, 2s);
  EXPECT_TRUE(open_bars().empty());
}

// --- what readers are told ------------------------------------------------------------------------------------------

TEST_F(LiveRulesTest, ReadersAreToldOfOpenBarsAndTheLatestQuote) {
  run_.accepted(make_live_quote(kEngineNoon, 1000));
  run_.accepted(make_live_quote(kEngineNoon + 1s, 1001));
  EventBatch batch = run_.hand_over();
  ASSERT_EQ(batch.latest.size(), 1U);
  EXPECT_EQ(batch.latest.front().seq, 2U);
  ASSERT_EQ(batch.open_bars.size(), 3U);
  EXPECT_EQ(batch.open_bars.front().bar.tick_count, 2U);
  EXPECT_EQ(batch.open_bars.back().bar.tick_count, 0U);  // the hour lacks what its open minute holds

  run_.accepted(make_live_quote(kEngineNoon - 1s, 1002));  // late: opens a bar, is not the latest
  batch = run_.hand_over();
  EXPECT_TRUE(batch.latest.empty());
  EXPECT_TRUE(run_.hand_over().open_bars.empty());
}

/// Follows batches as a reader does.
struct Reader {
  void take(const EventBatch& batch) {
    for (const BarEvent& event : batch.open_bars) open[{event.timeframe_index, event.bar.open_time}] = event.bar;
    for (const BarEvent& event : batch.bars) {
      open.erase({event.timeframe_index, event.bar.open_time});
      closed[{event.timeframe_index, event.bar.open_time}] = event.bar;
    }
    for (const Tick& tick : batch.latest) latest = tick;
  }
  std::map<std::pair<std::uint32_t, UnixNanos>, Bar> open;
  std::map<std::pair<std::uint32_t, UnixNanos>, Bar> closed;
  std::optional<Tick> latest;
};

TEST_F(LiveRulesTest, AReaderOfBatchesKnowsWhatTheShardKnows) {
  std::mt19937_64 random(7);
  Reader reader;
  UnixNanos now = kEngineNoon;
  for (int i = 0; i < 20'000; ++i) {
    now.ns += static_cast<std::int64_t>(random() % 3'000) * kNanosPerMilli;
    const auto delay = std::chrono::milliseconds{random() % 10 == 0 ? random() % 1'200'000 : random() % 500};
    Quote quote = make_live_quote(now - delay, 100'000 + static_cast<std::int64_t>(random() % 500),
                                  static_cast<std::uint16_t>(random() % 2), delay);
    if (random() % 5 == 0) quote.marks = 0;
    run_.process(quote);
    if (random() % 50 == 0) run_.close_by_clock(now, 2s);
    if (random() % 4 != 0) continue;
    reader.take(run_.hand_over());
    if (i % 100 != 0) continue;
    std::vector<BarEvent> expected;
    symbol().bars.append_open_bars(expected);
    ASSERT_EQ(reader.open.size(), expected.size()) << i;
    for (const BarEvent& event : expected) {
      ASSERT_EQ(reader.open.at({event.timeframe_index, event.bar.open_time}), event.bar) << i;
    }
    if (symbol().latest.seq == 0) continue;
    ASSERT_EQ(*reader.latest, symbol().latest) << i;
  }
  EXPECT_GT(run_.engine().counters().late_for_bars.load(), 10U);
}

/// Live quotes, late ones, some of them loaded as history afterwards, restarts from any point: bars are what a fold
/// over all stored ticks gives that are not late for bars.
TEST(LiveRulesPropertyTest, BarsEqualAFoldOfTheTicksThatAreNotLateAlsoAfterRestarts) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    auto run = std::make_unique<EngineRun>(make_history());
    UnixNanos now = kEngineNoon;
    std::vector<Quote> sent;
    for (int i = 0; i < 3'000; ++i) {
      now.ns += static_cast<std::int64_t>(random() % 4'000) * kNanosPerMilli;
      const auto delay = std::chrono::milliseconds{random() % 6 == 0 ? random() % 1'800'000 : random() % 500};
      Quote quote = make_live_quote(now - delay, 100'000 + static_cast<std::int64_t>(random() % 500), 0, delay);
      if (random() % 8 == 0 && !sent.empty()) {
        quote = sent[random() % sent.size()];
        quote.marks = 0;
      }
      sent.push_back(quote);
      run->process(quote);
      if (random() % 40 == 0) run->close_by_clock(now, 2s);
      if (random() % 5 == 0) run->hand_over(random() % 20 == 0, random() % 3 != 0);
      if (random() % 300 == 0) {
        run->hand_over();
        auto next = std::make_unique<EngineRun>(run->history());
        next->restore(run->stored());
        run = std::move(next);
      }
    }
    run->hand_over();
    std::map<UnixNanos, Bar> expected[3];
    std::size_t late = 0;
    const TradingCalendar calendar("00:00 UTC");
    auto ticks = run->history().ticks[SymbolId{0}];
    for (const Tick& tick : ticks) {
      if (tick.flags & kLateForBars) {
        ++late;
        continue;
      }
      for (std::size_t t = 0; t < 3; ++t) {
        const Interval interval = calendar.interval(testing::engine_timeframes()[t], tick.ts_event);
        Bar& bar = expected[t][interval.open];
        bar.open_time = interval.open;
        bar.close_time = interval.close;
        bar.add(tick.ts_event, mid_price(tick.bid, tick.ask));
      }
    }
    EXPECT_GT(late, 5U);
    EXPECT_EQ(run->engine().find(SymbolId{0})->late_ticks, late);
    for (std::size_t t = 0; t < 3; ++t) {
      std::map<UnixNanos, Bar> found;
      for (const auto& [key, stored] : run->history().bars) {
        if (std::get<1>(key) == testing::engine_timeframes()[t]) found[std::get<2>(key)] = stored.bar;
      }
      for (const Bar& bar : run->engine().find(SymbolId{0})->bars.open_bars(t)) found[bar.open_time] = bar;
      ASSERT_EQ(found.size(), expected[t].size()) << t;
      for (const auto& [open_time, bar] : expected[t]) {
        const Bar& other = found.at(open_time);
        ASSERT_EQ(std::tie(bar.open, bar.high, bar.low, bar.close, bar.tick_count),
                  std::tie(other.open, other.high, other.low, other.close, other.tick_count))
            << t << ' ' << open_time.ns;
      }
    }
  }
}

}  // namespace
}  // namespace tickpipe::internal
