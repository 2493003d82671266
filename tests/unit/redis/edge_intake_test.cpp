#include "redis/edge_intake.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "unit/redis/edge_testing.h"

namespace tickpipe::internal {
namespace {

using testing::EdgeMarket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::seqs;
using namespace std::chrono_literals;

class EdgeIntakeTest : public ::testing::Test {
 protected:
  void tell(std::uint64_t seq, std::chrono::nanoseconds age = 0s, std::uint8_t flags = 0) {
    intake_->take_quote(EdgeMarket::json(EdgeMarket::tick(seq, age, flags)));
  }
  /// Answers everything that is due now from these members.
  std::size_t answer(const std::vector<Tick>& members, const std::optional<Tick>& latest = {},
                     const std::vector<Bar>& bars = {}) {
    std::size_t reads = 0;
    while (true) {
      const auto due = intake_->due(now_, 8);
      if (due.empty()) return reads;
      for (const EdgeIntake::Wanted& wanted : due) {
        ++reads;
        EdgeIntake::Keys keys;
        if (latest) keys.latest = EdgeMarket::json(*latest);
        keys.ticks = EdgeMarket::jsons(members);
        if (wanted.newest != 0 && keys.ticks.size() > wanted.newest) {
          keys.ticks.erase(keys.ticks.begin(), keys.ticks.end() - static_cast<std::ptrdiff_t>(wanted.newest));
        }
        if (wanted.with_bars) {
          keys.bars.resize(2);
          for (const Bar& bar : bars) keys.bars[0].push_back(EdgeMarket::json(bar));
        }
        intake_->take_keys(wanted, keys, now_);
      }
    }
  }
  EventBatch take() {
    EventBatch batch = intake_->finish();
    market_.data.view.apply(batch);
    intake_->clear_batch();
    return batch;
  }
  std::vector<std::uint64_t> taken() { return seqs(take().ticks); }
  /// Reads what is there at the start.
  void load(const std::vector<Tick>& members) {
    intake_->want_everything("EURUSD");
    answer(members);
    take();
    now_ += 1s;
  }

  EdgeMarket market_;
  EdgeIntake::Counters counters_;
  std::unique_ptr<EdgeIntake> intake_ = std::make_unique<EdgeIntake>(market_.data, 60s, counters_);
  EdgeIntake::SteadyClock::time_point now_ = EdgeIntake::SteadyClock::now();
};

TEST_F(EdgeIntakeTest, KeysAreReadOnceAndTheMessagesGoOnFromThere) {
  intake_->want_everything("EURUSD");
  EXPECT_FALSE(intake_->is_complete());
  tell(5);
  EXPECT_THAT(taken(), IsEmpty());
  EXPECT_EQ(answer(EdgeMarket::ticks(2, 6), EdgeMarket::tick(6), {EdgeMarket::bar(0, 5, false)}), 1U);
  EXPECT_TRUE(intake_->is_complete());
  const EventBatch batch = take();
  EXPECT_THAT(seqs(batch.ticks), ElementsAre(2, 3, 4, 5, 6));
  EXPECT_THAT(seqs(batch.latest), ElementsAre(6));
  EXPECT_EQ(batch.open_bars.size(), 1U);
  tell(6);
  tell(7);
  tell(8);
  const EventBatch next = take();
  EXPECT_THAT(seqs(next.ticks), ElementsAre(7, 8));
  EXPECT_THAT(seqs(next.latest), ElementsAre(8));
  EXPECT_TRUE(intake_->due(now_ + 1h, 8).empty());
  EXPECT_EQ(counters_.gaps, 0U);
  EXPECT_EQ(counters_.refilled, 0U);
}

TEST_F(EdgeIntakeTest, AGapIsFilledFromTheNewestMembers) {
  load(EdgeMarket::ticks(1, 300));
  tell(301);
  tell(305);
  tell(306);
  const auto due = intake_->due(now_, 8);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_GE(due[0].newest, 5U);
  EXPECT_LE(due[0].newest, 50U);
  EXPECT_THAT(taken(), ElementsAre(301));
  EXPECT_EQ(answer(EdgeMarket::ticks(1, 306), EdgeMarket::tick(306)), 1U);
  const EventBatch batch = take();
  EXPECT_THAT(seqs(batch.ticks), ElementsAre(302, 303, 304, 305, 306));
  EXPECT_THAT(seqs(batch.latest), ElementsAre(306));
  EXPECT_EQ(counters_.refilled, 3U);
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(EdgeIntakeTest, LateQuotesAreFoundAmongAllMembers) {
  load(EdgeMarket::ticks(1, 300));
  // 301 is an hour old: by time it stands in front of all others.
  std::vector<Tick> members = EdgeMarket::ticks(1, 300);
  members.insert(members.begin(), EdgeMarket::tick(301, 1h, kOutOfOrder));
  members.push_back(EdgeMarket::tick(302));
  tell(302);
  EXPECT_EQ(answer(members, EdgeMarket::tick(302)), 2U);
  EXPECT_THAT(taken(), ElementsAre(301, 302));
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(EdgeIntakeTest, WhatIsNowhereIsAGap) {
  load(EdgeMarket::ticks(1, 10));
  tell(500);
  answer(EdgeMarket::ticks(400, 500));
  EXPECT_EQ(taken().front(), 400U);
  EXPECT_EQ(counters_.gaps, 1U);
  EXPECT_EQ(counters_.lost, 389U);
  EXPECT_EQ(counters_.refilled, 100U);
  tell(501);
  EXPECT_THAT(taken(), ElementsAre(501));
}

TEST_F(EdgeIntakeTest, WithoutKeysWhatWasToldCounts) {
  load(EdgeMarket::ticks(1, 10));
  tell(12);
  tell(13);
  answer({});
  const EventBatch batch = take();
  EXPECT_THAT(seqs(batch.ticks), ElementsAre(12, 13));
  EXPECT_THAT(seqs(batch.latest), ElementsAre(13));
  EXPECT_EQ(counters_.lost, 1U);
}

TEST_F(EdgeIntakeTest, KeysOfASymbolAreReadTenTimesASecondAtMost) {
  load(EdgeMarket::ticks(1, 10));
  tell(12);
  EXPECT_EQ(answer(EdgeMarket::ticks(1, 12)), 1U);
  tell(14);
  EXPECT_TRUE(intake_->due(now_, 8).empty());
  EXPECT_EQ(intake_->next_due(), now_ + EdgeIntake::kReadInterval);
  tell(15);
  tell(16);
  now_ += EdgeIntake::kReadInterval;
  EXPECT_EQ(answer(EdgeMarket::ticks(1, 16)), 1U);
  EXPECT_THAT(taken(), ElementsAre(11, 12, 13, 14, 15, 16));
}

TEST_F(EdgeIntakeTest, WhatWaitsIsBounded) {
  load(EdgeMarket::ticks(1, 10));
  for (std::uint64_t seq = 12; seq < 12 + 5 * EdgeIntake::kMostWaiting; ++seq) tell(seq);
  const std::uint64_t last = 11 + 5 * EdgeIntake::kMostWaiting;
  answer(EdgeMarket::ticks(last - 999, last));
  EXPECT_EQ(taken().size(), 1000U);
  EXPECT_EQ(counters_.lost, last - 999 - 11);
}

TEST_F(EdgeIntakeTest, TheLatestIsWhatANodeWouldHave) {
  load(EdgeMarket::ticks(1, 10));
  tell(11, 0s, kOutOfOrder);
  EXPECT_THAT(take().latest, IsEmpty());
  // Older than live_tick_age: it is only published as it became the latest.
  tell(12, 2min);
  EXPECT_THAT(seqs(take().latest), ElementsAre(12));
  tell(13, 2min, kOutOfOrder);
  EXPECT_THAT(seqs(take().latest), ElementsAre(13));
  // Read from the keys: what they say is the latest is it, whatever else is there.
  tell(15, 0s, kOutOfOrder);
  auto members = EdgeMarket::ticks(1, 14);
  members.push_back(EdgeMarket::tick(15, 0s, kOutOfOrder));
  answer(members, EdgeMarket::tick(14));
  EXPECT_THAT(seqs(take().latest), ElementsAre(14));
}

TEST_F(EdgeIntakeTest, ASymbolThatWasSilentForAnHourHasItsNewestQuote) {
  intake_->want_everything("EURUSD");
  auto members = EdgeMarket::ticks(1, 4);
  members.push_back(EdgeMarket::tick(5, 0s, kUnselected));
  members.push_back(EdgeMarket::tick(6, 0s, kOutOfOrder));
  members.push_back(EdgeMarket::tick(7, 3ms));
  answer(members);
  EXPECT_THAT(seqs(take().latest), ElementsAre(7));  // of one time the later one
}

TEST_F(EdgeIntakeTest, ReadingAllAgainFindsWhatNobodyTold) {
  load(EdgeMarket::ticks(1, 10));
  intake_->want_everything("EURUSD");
  EXPECT_TRUE(intake_->is_complete());
  auto members = EdgeMarket::ticks(1, 10);
  members[3].flags = kLateForBars;
  members.push_back(EdgeMarket::tick(11, 1h));
  answer(members, EdgeMarket::tick(10), {EdgeMarket::bar(0, 7, true)});
  const EventBatch batch = take();
  EXPECT_EQ(batch.bars.size(), 1U);
  EXPECT_THAT(seqs(batch.amended), ElementsAre(4));
  EXPECT_THAT(seqs(batch.ticks), ElementsAre(11));
  EXPECT_THAT(batch.latest, IsEmpty());
  // At most once in a while, however often it is announced; what waits for a gap to be filled does not wait for that.
  intake_->want_everything("EURUSD");
  EXPECT_EQ(answer(members), 0U);
  EXPECT_EQ(intake_->next_due(), now_ + EdgeIntake::kRereadInterval);
  now_ += EdgeIntake::kReadInterval;
  tell(13);
  members.push_back(EdgeMarket::tick(12));
  EXPECT_EQ(answer(members, {}, {EdgeMarket::bar(0, 8, true)}), 1U);
  EXPECT_THAT(take().bars, IsEmpty()) << "bars were read again too soon";
  now_ += EdgeIntake::kRereadInterval;
  EXPECT_EQ(answer(members), 1U);
  EXPECT_TRUE(take().empty());
  now_ += 1h;
  EXPECT_EQ(answer(members), 0U);
}

TEST_F(EdgeIntakeTest, BarsAreTakenAsTheyComeButNotTwice) {
  load({});
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, false)));
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, false), "7s"));
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, false), "2m"));  // not one of its timeframes
  EventBatch batch = take();
  ASSERT_EQ(batch.open_bars.size(), 1U);
  EXPECT_THAT(batch.bars, IsEmpty());
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, true)));
  EXPECT_EQ(take().bars.size(), 1U);
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, true)));
  intake_->take_bar(EdgeMarket::json(EdgeMarket::bar(0, 3, false)));
  batch = take();
  EXPECT_THAT(batch.bars, IsEmpty());
  EXPECT_THAT(batch.open_bars, IsEmpty());
  EXPECT_EQ(counters_.damaged, 1U);
}

TEST_F(EdgeIntakeTest, DamagedAndForeignMembersAreCounted) {
  intake_->want_everything("EURUSD");
  intake_->want_everything("not a symbol");
  const auto due = intake_->due(now_, 8);
  ASSERT_EQ(due.size(), 1U);
  EdgeIntake::Keys keys;
  keys.latest = "nothing";
  keys.ticks = {"", "{}", EdgeMarket::json(EdgeMarket::tick(1), "GBPUSD"), EdgeMarket::json(EdgeMarket::tick(1))};
  keys.bars = {{"{}"}, {}};
  intake_->take_keys(due[0], keys, now_);
  EXPECT_EQ(counters_.damaged, 5U);
  EXPECT_THAT(seqs(take().ticks), ElementsAre(1));
}

TEST_F(EdgeIntakeTest, AMemberThatIsThereTwiceCountsOnce) {
  load(EdgeMarket::ticks(1, 3));
  tell(6);
  auto members = EdgeMarket::ticks(1, 6);
  members.push_back(EdgeMarket::tick(5, 1h));
  members.push_back(EdgeMarket::tick(5, 2h, kSpike));
  answer(members);
  EXPECT_THAT(taken(), ElementsAre(4, 5, 6));
  EXPECT_EQ(counters_.lost, 0U);
  EXPECT_EQ(counters_.refilled, 2U);
}

TEST_F(EdgeIntakeTest, SymbolsBeyondTheLimitAreLeftOut) {
  EdgeData small("e", {.timeframes = {Timeframe{}}, .max_symbols = 1}, market_.calendars);
  EdgeIntake intake(small, 60s, counters_);
  intake.take_quote(EdgeMarket::json(EdgeMarket::tick(1), "A"));
  intake.take_quote(EdgeMarket::json(EdgeMarket::tick(1), "B"));
  EXPECT_EQ(counters_.unknown, 1U);
  EXPECT_EQ(intake.finish().ticks.size(), 1U);
}

/// Whatever of the messages is lost, repeated or held back: each quote is handed on once and in order, and those that
/// the keys held when they were read are all there.
TEST_F(EdgeIntakeTest, RandomLossesNeverRepeatNorReorder) {
  std::mt19937 random(3);
  std::uint64_t newest = 0;
  std::vector<std::uint64_t> all;
  const auto collect = [&] {
    for (const std::uint64_t seq : taken()) all.push_back(seq);
  };
  for (int round = 0; round < 3'000; ++round) {
    for (auto i = random() % 5; i > 0; --i) {
      ++newest;
      if (random() % 10 != 0) tell(newest);
      if (random() % 20 == 0) tell(newest - std::min<std::uint64_t>(newest - 1, random() % 7));
    }
    if (random() % 3 == 0) now_ += 50ms;
    if (random() % 100 == 0) {  // the connection breaks
      collect();
      intake_ = std::make_unique<EdgeIntake>(market_.data, 60s, counters_);
      intake_->want_everything("EURUSD");
    }
    if (newest != 0 && random() % 2 == 0) answer(EdgeMarket::ticks(newest < 200 ? 1 : newest - 199, newest));
    if (random() % 2 == 0) collect();
  }
  now_ += 1s;
  tell(++newest);
  answer(EdgeMarket::ticks(newest - 199, newest));
  collect();
  for (std::size_t i = 1; i < all.size(); ++i) ASSERT_LT(all[i - 1], all[i]);
  EXPECT_EQ(all.back(), newest);
  EXPECT_EQ(all.size() - (newest - counters_.lost), 0U);
}

}  // namespace
}  // namespace tickpipe::internal
