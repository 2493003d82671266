// An engine that was restored from snapshots and the records since is the engine that was never stopped.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "shard/shard_engine.h"
#include "support/engine_run.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::engine_rules;
using testing::EngineRun;
using testing::make_history;
using testing::make_quote;

constexpr UnixNanos kNoon = testing::kEngineNoon;
constexpr std::uint32_t kSymbols = 3;
constexpr std::array<std::uint16_t, 3> kLps = {0, 1, 9};  // 9 is not selected

void expect_equal(const EventBatch& got, const EventBatch& wanted) {
  ASSERT_EQ(got.ticks.size(), wanted.ticks.size());
  for (std::size_t i = 0; i < got.ticks.size(); ++i) {
    ASSERT_TRUE(got.ticks[i] == wanted.ticks[i])
        << "tick " << i << " seq " << got.ticks[i].seq << " flags " << flags_to_string(got.ticks[i].flags)
        << " instead of " << flags_to_string(wanted.ticks[i].flags);
  }
  ASSERT_EQ(got.bars.size(), wanted.bars.size());
  for (std::size_t i = 0; i < got.bars.size(); ++i) {
    ASSERT_EQ(got.bars[i].symbol, wanted.bars[i].symbol);
    ASSERT_EQ(got.bars[i].timeframe_index, wanted.bars[i].timeframe_index);
    ASSERT_TRUE(got.bars[i].bar == wanted.bars[i].bar)
        << "bar " << i << " of timeframe " << got.bars[i].timeframe_index;
  }
  ASSERT_EQ(got.closes.size(), wanted.closes.size());
  for (std::size_t i = 0; i < got.closes.size(); ++i) {
    ASSERT_EQ(got.closes[i].symbol, wanted.closes[i].symbol);
    ASSERT_EQ(got.closes[i].after_seq, wanted.closes[i].after_seq);
    ASSERT_EQ(got.closes[i].closed_through, wanted.closes[i].closed_through);
  }
}

class RestartTest : public ::testing::Test {
 protected:
  /// A fresh engine brought to the newest commit of `run`.
  static std::unique_ptr<EngineRun> restart(EngineRun& run, const ShardRules& rules = engine_rules()) {
    auto restarted = std::make_unique<EngineRun>(run.history(), rules);
    restarted->restore(run.stored());
    return restarted;
  }

  EngineRun run_{make_history()};
};

TEST_F(RestartTest, AnAcceptedTickEndsTheStreakOfASnapshotWhenItIsReplayed) {
  run_.accepted(make_quote(kNoon, 1000));
  for (int i = 1; i <= 9; ++i) run_.refused(make_quote(kNoon + seconds{i}, 9000));
  run_.hand_over(true);  // a checkpoint with nine quotes of a streak
  run_.accepted(make_quote(kNoon + seconds{10}, 1000));
  run_.hand_over();
  const auto restarted = restart(run_);
  const Quote quote = make_quote(kNoon + seconds{11}, 9000);
  EXPECT_EQ(run_.refused(quote), Reason::kImplausiblePrice);
  EXPECT_EQ(restarted->refused(quote), Reason::kImplausiblePrice);
  EXPECT_TRUE(restarted->state() == run_.state());
}

TEST_F(RestartTest, ALateTickThatEndedAStreakSetsTheLevelAgainWhenItIsReplayed) {
  for (const bool reject_spikes : {false, true}) {
    ShardRules rules = engine_rules();
    rules.prices.reject_spikes = reject_spikes;
    EngineRun run(make_history(), rules);
    const std::int64_t moved = reject_spikes ? 1500 : 9000;
    run.accepted(make_quote(kNoon + seconds{1000}, 1000));
    run.hand_over(true);
    for (int i = 1; i <= 9; ++i) run.refused(make_quote(kNoon + seconds{i}, moved));
    EXPECT_EQ(run.accepted(make_quote(kNoon + seconds{10}, moved)).flags,
              kHistorical | kSpike | kNewLevel | kOutOfOrder);
    run.hand_over();
    const auto restarted = restart(run, rules);
    EXPECT_TRUE(restarted->state() == run.state());
    EXPECT_EQ(run.accepted(make_quote(kNoon + seconds{11}, moved)).flags, kHistorical | kOutOfOrder);
    EXPECT_EQ(restarted->accepted(make_quote(kNoon + seconds{11}, moved)).flags, kHistorical | kOutOfOrder);
  }
}

TEST_F(RestartTest, ALateSpikeThatWasOnlyFlaggedDoesNotMoveTheLevelWhenItIsReplayed) {
  run_.accepted(make_quote(kNoon + seconds{1000}, 1000));
  run_.hand_over(true);
  EXPECT_EQ(run_.accepted(make_quote(kNoon, 1500)).flags, kHistorical | kSpike | kOutOfOrder);
  run_.hand_over();
  const auto restarted = restart(run_);
  EXPECT_TRUE(restarted->state() == run_.state());
}

TEST_F(RestartTest, ALateTickThatWasJudgedByItsPredecessorDoesNotMoveTheLevelWhenItIsReplayed) {
  run_.accepted(make_quote(kNoon, 1000));
  for (int i = 1; i <= 9; ++i) run_.refused(make_quote(kNoon + seconds{i}, 9000));
  run_.accepted(make_quote(kNoon + seconds{10}, 9000));
  run_.hand_over(true);
  const Quote late = make_quote(kNoon + nanoseconds{1}, 1001);  // plausible after the first, not after the tenth
  EXPECT_EQ(run_.accepted(late).flags, kHistorical | kOutOfOrder);
  run_.hand_over();
  const auto restarted = restart(run_);
  EXPECT_TRUE(restarted->state() == run_.state());
  run_.accepted(make_quote(kNoon + seconds{11}, 9000));
  restarted->accepted(make_quote(kNoon + seconds{11}, 9000));
}

TEST_F(RestartTest, ADuplicateIsStillOneAfterARestart) {
  for (int i = 0; i < 50; ++i) run_.accepted(make_quote(kNoon + seconds{i}, 1000));
  run_.hand_over(true);
  for (int i = 50; i < 100; ++i) run_.accepted(make_quote(kNoon + seconds{i}, 1000));
  run_.hand_over();
  const auto restarted = restart(run_);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(restarted->refused(make_quote(kNoon + seconds{i}, 1000)), Reason::kDuplicate) << i;
  }
  EXPECT_EQ(restarted->accepted(make_quote(kNoon + seconds{100}, 1000)).seq, 101U);
}

TEST_F(RestartTest, TheSelectedStreamIsThatOfTheNewConfiguration) {
  run_.accepted(make_quote(kNoon, 1000, 0));
  run_.accepted(make_quote(kNoon, 1000, 9));
  run_.hand_over(true);
  ShardRules rules = engine_rules();
  rules.is_selected = [](LpId lp) { return lp == LpId{9}; };
  const auto restarted = restart(run_, rules);
  EXPECT_EQ(restarted->accepted(make_quote(kNoon + seconds{1}, 1000, 0)).flags, kHistorical | kUnselected);
  EXPECT_EQ(restarted->accepted(make_quote(kNoon + seconds{1}, 1000, 9)).flags, kHistorical);
}

TEST_F(RestartTest, BarsCloseOnReplayByTheSelectedStreamOfTheirTime) {
  run_.accepted(make_quote(kNoon, 1000, 0));
  run_.hand_over(true);
  run_.accepted(make_quote(kNoon + seconds{70}, 1100, 9));
  run_.accepted(make_quote(kNoon + seconds{20}, 1001, 0));
  run_.hand_over();
  ShardRules rules = engine_rules();
  rules.is_selected = [](LpId) { return true; };
  const auto restarted = restart(run_, rules);
  // LP 9 counts from now on, but the bar is as open as it was.
  EXPECT_EQ(restarted->engine().find(SymbolId{0})->bars.open_bars(0).size(), 1U);
  EXPECT_EQ(restarted->engine().find(SymbolId{0})->bars.open_bars(0).at(0).tick_count, 2U);
}

TEST_F(RestartTest, DamagedSnapshotsAreRefused) {
  run_.accepted(make_quote(kNoon, 1000));
  run_.refused(make_quote(kNoon + seconds{1}, 9000));
  const std::string bytes = run_.hand_over(true).snapshots.at(0).bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ShardEngine engine(engine_rules());
    EXPECT_THROW(engine.restore(SymbolId{0}, Position{1}, bytes.substr(0, size)), Error) << size;
  }
  ShardEngine engine(engine_rules());
  EXPECT_THROW(engine.restore(SymbolId{0}, Position{1}, bytes + '\0'), Error);
  EXPECT_THROW(engine.restore(SymbolId{0}, Position{1}, "\3" + bytes.substr(1)), Error);
}

/// Random life of an engine: quotes in order and late, ties, duplicates, runs of wrong prices, bars closed by order,
/// checkpoints. Every run of the same seed does the same.
class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    for (auto& price : prices_) price = 100'000;
  }

  void introduce(EngineRun& run) {
    for (std::uint32_t symbol = 0; symbol < kSymbols; ++symbol) {
      for (const std::uint16_t lp : kLps) run.accepted(make_quote(now_, 100'000, lp, symbol));
    }
  }

  /// A few quotes for each of `runs`, all with the same fate.
  void live(const std::vector<EngineRun*>& runs) {
    for (std::uint64_t i = below(30); i > 0; --i) {
      now_ = now_ + nanoseconds{static_cast<std::int64_t>(below(12) * 1'000'000'000 / (1 + below(3)))};
      if (below(300) == 0) now_ = now_ + hours{static_cast<int>(below(40))};
      const auto symbol = static_cast<std::uint32_t>(below(kSymbols));
      const std::uint16_t lp = kLps[below(kLps.size())];
      UnixNanos ts = now_;
      if (below(4) == 0) ts = ts - seconds{static_cast<int>(below(below(6) == 0 ? 30'000 : 200))};
      std::int64_t& price = prices_[symbol];
      price = std::max<std::int64_t>(1000, price + static_cast<std::int64_t>(below(201)) - 100);
      if (below(60) == 0) price += price / 8;  // a spike
      if (below(150) == 0) {
        // The market moves by a factor: one LP after the other insists, in order or late.
        price = price > 50'000 ? price / 6 : price * 6;
        for (int k = 0; k < 12; ++k) feed(runs, make_quote(ts + seconds{k}, price, lp, symbol));
        continue;
      }
      const std::int64_t wrong = below(25) == 0 ? 7 : 1;
      feed(runs, make_quote(ts, price * wrong, lp, symbol));
      if (!quotes_.empty() && below(6) == 0) {
        // A duplicate moves a price level that is more than a day away, and only a checkpoint keeps that.
        const Quote& again = quotes_[quotes_.size() - 1 - below(std::min<std::size_t>(quotes_.size(), 500))];
        if (now_ - again.ts_event < hours{12}) feed(runs, again);
      }
    }
    if (below(12) == 0) {
      const UnixNanos time = now_ - seconds{60} + seconds{static_cast<int>(below(400))};
      for (EngineRun* run : runs) run->close_through(time);
    }
  }

  /// A plausible quote of every LP that has a streak, of the time of its level: it ends the streak.
  void end_streaks(EngineRun& run) {
    for (std::uint32_t symbol = 0; symbol < kSymbols; ++symbol) {
      for (const LpState& state : run.engine().find(SymbolId{symbol})->lps) {
        const PriceLevel level = state.prices.level;
        if (!state.prices.streak) continue;
        Quote quote = make_quote(level.ts_event, level.bid.units, state.lp.value, symbol);
        quote.ask.units += ++streaks_ended_;  // so that it is no duplicate
        run.accepted(quote);
      }
    }
  }

  /// Whether a refused duplicate has moved a level or ended a streak, which only a checkpoint keeps.
  [[nodiscard]] bool has_telling_duplicate() const { return has_telling_duplicate_; }
  void forget_duplicates() { has_telling_duplicate_ = false; }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

 private:
  void feed(const std::vector<EngineRun*>& runs, Quote quote) {  // a copy, as it may be one of quotes_
    quotes_.push_back(quote);
    const std::string before = runs.front()->state(quote.symbol.value);
    for (EngineRun* run : runs) run->process(quote);
    if (runs.front()->refused_for() != Reason::kDuplicate) return;
    has_telling_duplicate_ = has_telling_duplicate_ || runs.front()->state(quote.symbol.value) != before;
  }

  std::mt19937_64 random_;
  UnixNanos now_ = kNoon;
  std::array<std::int64_t, kSymbols> prices_{};
  std::vector<Quote> quotes_;
  std::int64_t streaks_ended_ = 0;
  bool has_telling_duplicate_ = false;
};

class RestartPropertyTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static void run_with(ShardRules rules, std::uint64_t seed, bool clean_stop) {
    Life life(seed);
    EngineRun run(make_history(), rules);
    life.introduce(run);
    int crashes_seen = 0;
    for (int cut = 0; cut < 6; ++cut) {
      for (std::uint64_t n = life.below(60); n > 0; --n) {
        life.live({&run});
        if (life.below(3) != 0) run.hand_over(life.below(10) == 0, life.below(4) != 0);
      }
      // What refused quotes change is kept by a checkpoint only, so a crash is tried where they changed nothing.
      for (int tries = 0; tries < 50 && !clean_stop && life.has_telling_duplicate(); ++tries) {
        run.hand_over(true);
        life.forget_duplicates();
        for (std::uint64_t n = 1 + life.below(4); n > 0; --n) {
          life.live({&run});
          run.hand_over(false, life.below(4) != 0);
        }
      }
      const bool crashes = !clean_stop && !life.has_telling_duplicate();
      if (crashes) life.end_streaks(run);
      run.hand_over(!crashes);
      if (!crashes) life.forget_duplicates();
      crashes_seen += crashes ? 1 : 0;
      run.commit_all();

      EngineRun restarted(run.history(), rules);
      restarted.restore(run.stored());
      for (std::uint32_t symbol = 0; symbol < kSymbols; ++symbol) {
        ASSERT_TRUE(restarted.state(symbol) == run.state(symbol)) << "symbol " << symbol << " at cut " << cut;
      }
      for (int n = 0; n < 25; ++n) {
        life.live({&run, &restarted});
        const bool commit = life.below(4) != 0;
        ASSERT_NO_FATAL_FAILURE(expect_equal(restarted.hand_over(false, commit), run.hand_over(false, commit)))
            << "batch " << n << " after cut " << cut;
      }
    }
    // Otherwise nothing was tested.
    EXPECT_TRUE(clean_stop || crashes_seen > 2) << crashes_seen;
    const ShardCounters& counters = run.engine().counters();
    EXPECT_GT(counters.accepted.load(), 500U);
    EXPECT_GT(counters.out_of_order.load(), 50U);
    EXPECT_GT(counters.bar_events.load(), 50U);
    EXPECT_GT(counters.refused[index_of(Reason::kDuplicate)].load(), 20U);
    EXPECT_GT(counters.refused[index_of(Reason::kImplausiblePrice)].load(), 5U);
  }
};

TEST_P(RestartPropertyTest, AfterACleanStopTheEngineGoesOnAsIfItHadNotStopped) {
  run_with(engine_rules(), GetParam(), true);
}

TEST_P(RestartPropertyTest, AfterACrashTheEngineGoesOnAsIfItHadNotStopped) {
  run_with(engine_rules(), GetParam(), false);
}

TEST_P(RestartPropertyTest, AnEngineThatRejectsSpikesGoesOnAsIfItHadNotStopped) {
  ShardRules rules = engine_rules();
  rules.prices.reject_spikes = true;
  run_with(rules, GetParam(), GetParam() % 2 == 0);
}

TEST_P(RestartPropertyTest, WhatIsAcceptedDoesNotDependOnHowFarTheCommitsAre) {
  Life life(GetParam());
  EngineRun prompt(make_history());
  EngineRun slow(make_history());
  life.introduce(prompt);
  life.introduce(slow);
  for (int n = 0; n < 120; ++n) {
    life.live({&prompt, &slow});
    const bool commit = life.below(15) == 0;
    ASSERT_NO_FATAL_FAILURE(expect_equal(slow.hand_over(false, commit), prompt.hand_over())) << "batch " << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestartPropertyTest, ::testing::Range<std::uint64_t>(1, 26));

}  // namespace
}  // namespace tickpipe::internal
