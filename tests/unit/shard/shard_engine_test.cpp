#include "shard/shard_engine.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

#include "support/engine_run.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::engine_rules;
using testing::engine_timeframes;
using testing::EngineRun;
using testing::make_history;
using testing::make_quote;

constexpr UnixNanos kNoon = testing::kEngineNoon;
constexpr std::uint16_t kUnselectedLp = 9;

class ShardEngineTest : public ::testing::Test {
 protected:
  static ShardRules rejecting_spikes() {
    ShardRules rules = engine_rules();
    rules.prices.reject_spikes = true;
    return rules;
  }
  Tick accepted(int second, std::int64_t price, std::uint16_t lp = 0) {
    return run_.accepted(make_quote(kNoon + seconds{second}, price, lp));
  }
  std::optional<Reason> refused(int second, std::int64_t price, std::uint16_t lp = 0) {
    return run_.refused(make_quote(kNoon + seconds{second}, price, lp));
  }
  /// The closed minute bars of the next batch, by minutes after noon.
  std::map<int, Bar> closed_minutes() {
    std::map<int, Bar> bars;
    for (const BarEvent& event : run_.hand_over().bars) {
      if (event.timeframe_index != 0) continue;
      bars[static_cast<int>((event.bar.open_time - kNoon) / minutes{1})] = event.bar;
    }
    return bars;
  }

  /// One tick a minute, each committed: the older ones are left to the store, quotes and bars.
  void commit_minutes(int count) {
    for (int i = 0; i < count; ++i) {
      accepted(i * 60, 1000);
      run_.hand_over();
    }
  }

  EngineRun run_{make_history()};
};

// --- seq and flags --------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, SeqCountsAcceptedQuotesPerSymbolWithoutHoles) {
  std::map<SymbolId, std::uint64_t> seq;
  for (int i = 0; i < 300; ++i) {
    const auto symbol = static_cast<std::uint32_t>(i % 3);
    const Quote quote = make_quote(kNoon + seconds{i / 7}, i % 5 == 0 ? 100'000 : 1000 + i / 30, 0, symbol);
    const auto tick = run_.process(quote);
    if (tick) {
      EXPECT_EQ(tick->seq, ++seq[quote.symbol]);
    }
    if (i % 50 == 0) run_.hand_over();
  }
  for (const auto& [symbol, count] : seq) EXPECT_EQ(run_.engine().find(symbol)->seq, count);
  const auto& counters = run_.engine().counters();
  EXPECT_EQ(counters.accepted.load(), seq[SymbolId{0}] + seq[SymbolId{1}] + seq[SymbolId{2}]);
  EXPECT_GT(counters.refused[index_of(Reason::kDuplicate)].load(), 0U);
  EXPECT_GT(counters.refused[index_of(Reason::kImplausiblePrice)].load(), 0U);
  EXPECT_EQ(counters.accepted.load() + counters.refused[index_of(Reason::kDuplicate)].load() +
                counters.refused[index_of(Reason::kImplausiblePrice)].load(),
            300U);
}

TEST_F(ShardEngineTest, AnAcceptedTickCarriesTheWholeQuote) {
  Quote quote = make_quote(kNoon, 1000, 3, 5);
  quote.bid_size = Quantity{7};
  quote.ask_size = Quantity{0};
  const Tick tick = run_.accepted(quote);
  EXPECT_EQ(tick, (Tick{.ts_event = kNoon,
                        .ts_recv = quote.ts_recv,
                        .bid = quote.bid,
                        .ask = quote.ask,
                        .bid_size = Quantity{7},
                        .ask_size = Quantity{0},
                        .seq = 1,
                        .symbol = SymbolId{5},
                        .lp = LpId{3},
                        .kind = RecordKind::kQuote,
                        .flags = kHistorical}));
}

TEST_F(ShardEngineTest, ATickOlderThanTheNewestOfItsLpIsOutOfOrder) {
  EXPECT_EQ(accepted(10, 1000).flags, kHistorical);
  EXPECT_EQ(accepted(9, 1000).flags, kHistorical | kOutOfOrder);
  EXPECT_EQ(accepted(10, 1001).flags, kHistorical);    // a tie is in order
  EXPECT_EQ(accepted(5, 1000, 1).flags, kHistorical);  // another LP has its own order
  EXPECT_EQ(accepted(9, 1002).flags, kHistorical | kOutOfOrder);
  EXPECT_EQ(run_.engine().counters().out_of_order.load(), 2U);
}

TEST_F(ShardEngineTest, WithoutTheOrderCheckNothingIsFlaggedOutOfOrder) {
  ShardRules rules = engine_rules();
  rules.flag_out_of_order = false;
  EngineRun run(make_history(), rules);
  run.accepted(make_quote(kNoon, 1000));
  EXPECT_EQ(run.accepted(make_quote(kNoon - seconds{1}, 1000)).flags, kHistorical);
  EXPECT_EQ(run.engine().find(SymbolId{0})->latest.seq, 1U);
}

TEST_F(ShardEngineTest, ASpikeIsFlaggedAndCounted) {
  accepted(0, 1000);
  EXPECT_EQ(accepted(1, 1200).flags, kHistorical | kSpike);
  EXPECT_EQ(run_.engine().counters().spikes.load(), 1U);
  EXPECT_EQ(accepted(2, 1200).flags, kHistorical);
}

TEST_F(ShardEngineTest, TheTenthImplausibleQuoteIsAcceptedWithTheNextSeq) {
  accepted(0, 1000);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(refused(i, 9000), Reason::kImplausiblePrice);
  const Tick tick = accepted(10, 9000);
  EXPECT_EQ(tick.seq, 2U);
  EXPECT_EQ(tick.flags, kHistorical | kSpike | kNewLevel);
  EXPECT_EQ(accepted(11, 9000).flags, kHistorical);
}

// --- order of checks ------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, ADuplicateIsADuplicateEvenWhereItWouldBeImplausible) {
  accepted(0, 1000);
  for (int i = 1; i <= 9; ++i) refused(i, 9000);
  accepted(10, 9000);
  EXPECT_EQ(refused(11, 1000), Reason::kImplausiblePrice);
  EXPECT_EQ(refused(0, 1000), Reason::kDuplicate);
}

TEST_F(ShardEngineTest, ARefusedQuoteMakesNoDuplicate) {
  accepted(0, 1000);
  EXPECT_EQ(refused(1, 9000), Reason::kImplausiblePrice);
  EXPECT_EQ(refused(1, 9000), Reason::kImplausiblePrice);
}

TEST_F(ShardEngineTest, ImplausibleComesBeforeSpike) {
  EngineRun run(make_history(), rejecting_spikes());
  run.accepted(make_quote(kNoon, 1000));
  EXPECT_EQ(run.refused(make_quote(kNoon + seconds{1}, 9000)), Reason::kImplausiblePrice);
  EXPECT_EQ(run.refused(make_quote(kNoon + seconds{1}, 2000)), Reason::kSpike);
  EXPECT_EQ(run.engine().counters().spikes.load(), 0U);
}

// --- duplicates -----------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, TheSameQuoteOfAnotherLpOrSymbolIsNoDuplicate) {
  const Quote quote = make_quote(kNoon, 1000, 0, 0);
  run_.accepted(quote);
  EXPECT_EQ(run_.refused(quote), Reason::kDuplicate);
  run_.accepted(make_quote(kNoon, 1000, 1, 0));
  run_.accepted(make_quote(kNoon, 1000, 0, 1));
  Quote other = quote;
  ++other.ask.units;
  run_.accepted(other);
  other = quote;
  ++other.ts_event.ns;
  run_.accepted(other);
  EXPECT_EQ(run_.refused(quote), Reason::kDuplicate);
}

TEST_F(ShardEngineTest, SizesAndReceiveTimeDoNotTellDuplicatesApart) {
  Quote quote = make_quote(kNoon, 1000);
  run_.accepted(quote);
  quote.bid_size = Quantity{1};
  quote.ts_recv = quote.ts_recv + seconds{5};
  EXPECT_EQ(run_.refused(quote), Reason::kDuplicate);
}

TEST_F(ShardEngineTest, ADuplicateIsFoundHoweverOldItIsAndWhereverItsFirstIs) {
  for (int day = 0; day < 5; ++day) {
    for (int i = 0; i < 200; ++i) accepted(day * 86400 + i, 1000 + i % 3);
    run_.hand_over(false, day != 3);  // one day stays uncommitted for a while
    for (int earlier = 0; earlier <= day; ++earlier) {
      for (int i = 0; i < 200; i += 13) {
        EXPECT_EQ(refused(earlier * 86400 + i, 1000 + i % 3), Reason::kDuplicate);
        EXPECT_EQ(refused(earlier * 86400 + i, 1000 + i % 3, 0), Reason::kDuplicate);
      }
    }
  }
  accepted(50, 1003);
  EXPECT_EQ(refused(50, 1003), Reason::kDuplicate);
}

TEST_F(ShardEngineTest, WithoutDeduplicationEverythingIsAccepted) {
  ShardRules rules = engine_rules();
  rules.deduplicate = false;
  EngineRun run(make_history(), rules);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run.accepted(make_quote(kNoon, 1000)).seq, static_cast<std::uint64_t>(i + 1));
}

TEST_F(ShardEngineTest, WithoutAStoreTheWindowStillFindsDuplicates) {
  ShardRules rules = engine_rules();
  ShardEngine engine(rules);
  EventBatch batch;
  batch.number = 1;
  const auto duplicates = [&] { return engine.counters().refused[index_of(Reason::kDuplicate)].load(); };
  for (int i = 0; i < 10; ++i) engine.process(make_quote(kNoon + seconds{i}, 1000), batch, 1);
  engine.process(make_quote(kNoon + seconds{4}, 1000), batch, 1);  // 5 s before the newest
  EXPECT_EQ(duplicates(), 1U);
  engine.process(make_quote(kNoon + seconds{3}, 1000), batch, 1);  // nobody knows it any more
  EXPECT_EQ(duplicates(), 1U);
  EXPECT_EQ(batch.ticks.size(), 11U);
}

// --- store failure --------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, AFailingStoreRefusesOnlyWhatNeedsItAndChangesNothing) {
  commit_minutes(100);
  run_.history().fails = true;
  const std::string before = run_.state();
  EXPECT_EQ(refused(30, 1000), Reason::kStoreUnavailable);
  EXPECT_EQ(refused(0, 1000), Reason::kStoreUnavailable);
  EXPECT_TRUE(run_.state() == before);
  EXPECT_NE(run_.engine().history_failure().text.find("the disk is gone"), std::string::npos);
  EXPECT_EQ(accepted(100 * 60, 1000).seq, 101U);  // in order: no question to the store
  run_.history().fails = false;
  EXPECT_EQ(accepted(30, 1000).seq, 102U);
  EXPECT_EQ(refused(0, 1000), Reason::kDuplicate);
  EXPECT_EQ(closed_minutes()[0].tick_count, 2U);
}

TEST_F(ShardEngineTest, AFailingReadOfABarLeavesTheStreakAsItWas) {
  commit_minutes(100);
  // The first quotes of an LP need no look for duplicates; the tenth would go to a bar that is no longer in memory.
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(refused(i, 9000, 1), Reason::kImplausiblePrice);
  const std::string before = run_.state();
  run_.history().fails = true;
  EXPECT_EQ(refused(310, 9000, 1), Reason::kStoreUnavailable);
  EXPECT_TRUE(run_.state() == before);
  run_.history().fails = false;
  EXPECT_EQ(accepted(310, 9000, 1).flags, kHistorical | kSpike | kNewLevel);
}

// --- selected stream ------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, TicksOfUnselectedLpsAreMarkedAndEnterNothing) {
  accepted(0, 1000);
  const Tick tick = accepted(120, 1050, kUnselectedLp);
  EXPECT_EQ(tick.flags, kHistorical | kUnselected);
  EXPECT_EQ(tick.seq, 2U);
  EXPECT_TRUE(closed_minutes().empty());  // it closes no bar
  const SymbolState& symbol = *run_.engine().find(SymbolId{0});
  EXPECT_EQ(symbol.latest.seq, 1U);
  EXPECT_EQ(symbol.newest, kNoon);
  accepted(60, 1001);
  EXPECT_EQ(closed_minutes()[0].tick_count, 1U);
  EXPECT_EQ(refused(120, 1050, kUnselectedLp), Reason::kDuplicate);
}

TEST_F(ShardEngineTest, ASymbolWithNothingButUnselectedTicksHasNoQuoteAndNoBar) {
  for (int i = 0; i < 10; ++i) accepted(i * 60, 1000, kUnselectedLp);
  run_.close_through(kNoon + hours{2});
  EXPECT_TRUE(run_.hand_over().bars.empty());
  EXPECT_EQ(run_.engine().find(SymbolId{0})->latest.seq, 0U);
}

// --- watermark ------------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, ABarClosesOnlyWhenBothLpsHavePassedItsEnd) {
  accepted(10, 1000, 0);
  accepted(20, 1000, 1);
  accepted(60, 1000, 0);
  EXPECT_TRUE(closed_minutes().empty());
  accepted(59, 1000, 1);
  EXPECT_TRUE(closed_minutes().empty());
  accepted(60, 1000, 1);
  const auto bars = closed_minutes();
  ASSERT_EQ(bars.size(), 1U);
  EXPECT_EQ(bars.at(0).tick_count, 3U);
  EXPECT_EQ(bars.at(0).revision, 0U);
}

TEST_F(ShardEngineTest, AnLpSilentForMoreThanAMinuteOfEventTimeNoLongerHoldsABar) {
  accepted(10, 1000, 0);
  accepted(20, 1000, 1);
  accepted(80, 1000, 0);  // LP 1 is 60 s behind: still active
  EXPECT_TRUE(closed_minutes().empty());
  run_.accepted(make_quote(kNoon + seconds{80} + nanoseconds{1}, 1000, 0));
  EXPECT_EQ(closed_minutes().size(), 1U);
}

TEST_F(ShardEngineTest, AnUnselectedLpHoldsNoBar) {
  accepted(10, 1000, 0);
  accepted(10, 1000, kUnselectedLp);
  accepted(60, 1000, 0);
  EXPECT_EQ(closed_minutes().size(), 1U);
}

TEST_F(ShardEngineTest, ALateTickRevisesAClosedBarAfterItsCommit) {
  accepted(10, 1000);
  accepted(60, 1000);
  EXPECT_EQ(closed_minutes().at(0).revision, 0U);
  EXPECT_EQ(accepted(20, 1090).flags, kHistorical | kOutOfOrder);
  const auto bars = closed_minutes();
  ASSERT_EQ(bars.size(), 1U);
  EXPECT_EQ(bars.at(0).revision, 1U);
  EXPECT_EQ(bars.at(0).high, Price{1091});  // the mid
}

// --- the latest quote -----------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, ATickThatIsNotLiveBecomesTheLatestQuoteOnlyIfItIsNewer) {
  const auto latest = [this] { return run_.engine().find(SymbolId{0})->latest; };
  const Tick first = accepted(10, 1000);
  EXPECT_EQ(latest(), first);
  accepted(9, 1001);
  EXPECT_EQ(latest(), first);
  accepted(5, 1001, 1);
  EXPECT_EQ(latest(), first);
  const Tick newer = accepted(11, 1001, 1);
  EXPECT_EQ(latest(), newer);
  accepted(10, 1002, 0);  // in order for its LP, not for the symbol
  EXPECT_EQ(latest(), newer);
}

// --- closing by order -----------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, CloseThroughClosesEverySymbolAndLeavesMarks) {
  run_.accepted(make_quote(kNoon, 1000, 0, 0));
  run_.accepted(make_quote(kNoon, 1000, 0, 1));
  run_.accepted(make_quote(kNoon + seconds{1}, 1000, 0, 1));
  run_.accepted(make_quote(kNoon + minutes{3}, 1000, 0, 2));
  run_.close_through(kNoon + minutes{1} - nanoseconds{1});
  EXPECT_TRUE(run_.hand_over().closes.empty());
  run_.close_through(kNoon + minutes{1});
  EventBatch batch = run_.hand_over();
  ASSERT_EQ(batch.closes.size(), 2U);
  for (std::uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(batch.closes[i].symbol, SymbolId{i});
    EXPECT_EQ(batch.closes[i].after_seq, i + 1);
    EXPECT_EQ(batch.closes[i].closed_through, kNoon + minutes{1});
  }
  EXPECT_EQ(batch.bars.size(), 2U);
  run_.close_through(kNoon + minutes{1});  // nothing left to close
  batch = run_.hand_over();
  EXPECT_TRUE(batch.empty());
  run_.close_through(kNoon + hours{1});
  batch = run_.hand_over();
  EXPECT_EQ(batch.closes.size(), 3U);
  EXPECT_EQ(batch.bars.size(), 1U + 3U + 3U);  // a minute, five minutes and the hour of each
}

// --- checkpoints ----------------------------------------------------------------------------------------------------

TEST_F(ShardEngineTest, ACheckpointHoldsEverySymbolThatChangedSinceTheLast) {
  for (std::uint32_t symbol = 0; symbol < 4; ++symbol) run_.accepted(make_quote(kNoon, 1000, 0, symbol));
  EventBatch batch = run_.hand_over(true);
  EXPECT_TRUE(batch.is_checkpoint);
  EXPECT_EQ(batch.snapshots.size(), 4U);
  EXPECT_FALSE(run_.hand_over(true).is_checkpoint);  // nothing has changed
  run_.accepted(make_quote(kNoon + seconds{1}, 1000, 0, 2));
  EXPECT_EQ(run_.refused(make_quote(kNoon + seconds{1}, 9000, 0, 1)), Reason::kImplausiblePrice);
  EXPECT_EQ(run_.refused(make_quote(kNoon, 1000, 0, 0)), Reason::kDuplicate);
  batch = run_.hand_over(true);
  ASSERT_EQ(batch.snapshots.size(), 2U);  // a streak is a change, a duplicate is none
  EXPECT_EQ(batch.snapshots[0].symbol, SymbolId{2});
  EXPECT_EQ(batch.snapshots[1].symbol, SymbolId{1});
}

TEST_F(ShardEngineTest, ACheckpointIsDueAfterAsManyTicksAsConfigured) {
  ShardRules rules = engine_rules();
  rules.checkpoint_every = 10;
  EngineRun run(make_history(), rules);
  for (int i = 0; i < 9; ++i) run.accepted(make_quote(kNoon + seconds{i}, 1000));
  EXPECT_FALSE(run.hand_over().is_checkpoint);
  run.accepted(make_quote(kNoon + seconds{9}, 1000));
  EXPECT_TRUE(run.engine().checkpoint_due());
  EXPECT_TRUE(run.hand_over().is_checkpoint);
  EXPECT_FALSE(run.engine().checkpoint_due());
}

TEST_F(ShardEngineTest, WhenOneShardWritesACheckpointTheOthersDoToo) {
  std::atomic<std::uint64_t> round{0};
  ShardRules rules = engine_rules();
  rules.checkpoint_every = 10;
  rules.checkpoint_round = &round;
  EngineRun busy(make_history(), rules);
  EngineRun quiet(make_history(), rules);
  quiet.accepted(make_quote(kNoon, 1000));
  EXPECT_FALSE(quiet.hand_over().is_checkpoint);
  for (int i = 0; i < 10; ++i) busy.accepted(make_quote(kNoon + seconds{i}, 1000));
  EXPECT_TRUE(busy.hand_over().is_checkpoint);
  EXPECT_TRUE(quiet.hand_over().is_checkpoint);
  EXPECT_FALSE(busy.hand_over().is_checkpoint);
  EXPECT_FALSE(quiet.hand_over().is_checkpoint);
}

}  // namespace
}  // namespace tickpipe::internal
