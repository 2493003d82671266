#include "publish/committer.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "support/commit_fakes.h"

namespace tickpipe::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::BatchIds;
using testing::FakeListener;
using testing::FakeLog;
using SteadyClock = std::chrono::steady_clock;

constexpr seconds kPatience = testing::kPatience;

class CommitterTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kLanes = 4;
  CommitterTest() {
    for (std::uint32_t i = 0; i < kLanes; ++i) lanes_.push_back(std::make_unique<BatchLane>(i));
  }
  ~CommitterTest() override { log_.open(); }

  void make(Committer::Options options = {}, bool with_log = true) {
    std::vector<Committer::Lane> lanes;
    for (std::uint32_t i = 0; i < kLanes; ++i) lanes.push_back({lanes_[i].get(), &shard_bells_[i]});
    committer_.emplace(bell_, lanes, with_log ? &log_ : nullptr, std::vector<BatchListener*>{&listener_, &second_},
                       options);
  }
  void start(Committer::Options options = {}) {
    make(options);
    committer_->start();
  }

  /// What a shard does: fills the current batch, waits until the lane is free, hands it over.
  void hand_over(std::uint32_t lane, std::size_t quotes = 1) {
    EventBatch& batch = lanes_[lane]->current();
    for (std::size_t i = 0; i < quotes; ++i) {
      Tick tick;
      tick.seq = ++seq_[lane];
      batch.ticks.push_back(tick);
    }
    lanes_[lane]->set_waiting(true);
    ASSERT_TRUE(shard_bells_[lane].wait_for(kPatience, [&] { return lanes_[lane]->can_hand_over(); }));
    lanes_[lane]->hand_over(bell_);
  }

  // In the order in which their destructors need each other.
  Doorbell bell_;
  std::array<Doorbell, kLanes> shard_bells_;
  std::array<std::uint64_t, kLanes> seq_{};
  std::vector<std::unique_ptr<BatchLane>> lanes_;
  FakeLog log_;
  FakeListener listener_{&log_};
  FakeListener second_{&log_};
  std::optional<Committer> committer_;
};

TEST_F(CommitterTest, EveryLaneKeepsItsOrderAndNothingIsLostOrDoubled) {
  constexpr std::size_t kBatches = 400;
  start();
  {
    std::vector<std::jthread> shards;
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
      shards.emplace_back([this, lane] {
        for (std::size_t i = 0; i < kBatches; ++i) ASSERT_NO_FATAL_FAILURE(hand_over(lane, i % 3));
      });
    }
  }
  committer_->stop();
  std::array<std::uint64_t, kLanes> next{};
  for (const auto& [lane, number] : listener_.published()) EXPECT_EQ(number, ++next[lane]);
  for (const std::uint64_t number : next) EXPECT_EQ(number, kBatches);
  EXPECT_EQ(second_.published(), listener_.published());

  std::uint64_t position = 0;
  BatchIds committed;
  for (const auto& attempt : log_.tries()) {
    EXPECT_EQ(attempt.position.value, ++position);
    EXPECT_FALSE(attempt.batches.empty());
    committed.insert(committed.end(), attempt.batches.begin(), attempt.batches.end());
  }
  EXPECT_EQ(committed, listener_.published());
  EXPECT_EQ(committer_->commits(), position);
  EXPECT_EQ(committer_->committed_quotes(), seq_[0] + seq_[1] + seq_[2] + seq_[3]);
  EXPECT_EQ(listener_.seqs().size(), committer_->committed_quotes());
  for (const auto& lane : lanes_) EXPECT_EQ(lane->committed(), kBatches);
}

TEST_F(CommitterTest, NothingIsPublishedBeforeItIsCommitted) {
  log_.shut();
  start();
  hand_over(0, 2);
  log_.wait_for_tries(1);
  hand_over(0);  // the lane is free, as the first batch was taken
  hand_over(1);
  EXPECT_TRUE(listener_.published().empty());
  EXPECT_EQ(lanes_[0]->committed(), 0U);
  EXPECT_EQ(committer_->committed_quotes(), 0U);
  EXPECT_EQ(committer_->commits(), 0U);
  log_.open();
  listener_.wait_for(3);
}

TEST_F(CommitterTest, WhatArrivesDuringACommitMakesUpTheNext) {
  log_.shut();
  start();
  hand_over(2);
  log_.wait_for_tries(1);
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) hand_over(lane);
  lanes_[2]->current().ticks.emplace_back();  // a third batch is being filled meanwhile
  EXPECT_FALSE(lanes_[2]->can_hand_over());
  log_.open();
  listener_.wait_for(5);
  committer_->stop();
  const auto tries = log_.tries();
  ASSERT_EQ(tries.size(), 2U);
  EXPECT_EQ(tries[0].batches, (BatchIds{{2, 1}}));
  EXPECT_EQ(tries[1].batches, (BatchIds{{0, 1}, {1, 1}, {2, 2}, {3, 1}}));
  EXPECT_EQ(listener_.positions(), (std::vector<Position>{{1}, {2}, {2}, {2}, {2}}));
}

TEST_F(CommitterTest, PositionsGoOnFromTheNewestCommit) {
  start({.start = {41}});
  hand_over(0);
  listener_.wait_for(1);
  EXPECT_EQ(log_.tries().at(0).position, Position{42});
  EXPECT_EQ(listener_.positions().at(0), Position{42});
}

TEST_F(CommitterTest, OnlyQuotesAreCountedAsCommittedQuotes) {
  start();
  for (const RecordKind kind : {RecordKind::kTrade, RecordKind::kGap}) {
    lanes_[0]->current().ticks.emplace_back().kind = kind;
  }
  hand_over(0, 3);
  committer_->stop();
  EXPECT_EQ(committer_->committed_quotes(), 3U);
}

TEST_F(CommitterTest, WithoutALogBatchesArePublishedAtOnce) {
  FakeListener listener(nullptr);
  committer_.emplace(bell_, std::vector<Committer::Lane>{{lanes_[0].get(), shard_bells_.data()}}, nullptr,
                     std::vector<BatchListener*>{&listener}, Committer::Options{});
  committer_->start();
  hand_over(0);
  hand_over(0);
  committer_->stop();
  EXPECT_EQ(listener.published(), (BatchIds{{0, 1}, {0, 2}}));
  EXPECT_EQ(listener.positions(), (std::vector<Position>{{1}, {2}}));
}

// --- failure --------------------------------------------------------------------------------------------------------

TEST_F(CommitterTest, AFailedCommitIsTriedAgainWithTheSamePositionAndTheSameBatches) {
  log_.fail(3);
  start();
  hand_over(1, 5);
  log_.wait_for_tries(1);
  hand_over(1);  // must not slip into the commit that is tried again
  hand_over(0);
  listener_.wait_for(3);
  const auto tries = log_.tries();
  ASSERT_EQ(tries.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(tries[i].failed, i < 3);
    EXPECT_EQ(tries[i].position, Position{1});
    EXPECT_EQ(tries[i].batches, (BatchIds{{1, 1}}));
    EXPECT_EQ(tries[i].seqs, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  }
  EXPECT_EQ(tries[4].position, Position{2});
  EXPECT_EQ(tries[4].batches, (BatchIds{{0, 1}, {1, 2}}));
  EXPECT_EQ(log_.resumes(), 3);
  EXPECT_EQ(listener_.published(), (BatchIds{{1, 1}, {0, 1}, {1, 2}}));
  EXPECT_EQ(committer_->failure(), "");
  EXPECT_FALSE(committer_->has_given_up());
}

TEST_F(CommitterTest, WhileACommitFailsItsReasonIsToldAndNothingIsPublished) {
  log_.fail(-1);
  start();
  hand_over(0);
  log_.wait_for_tries(2);
  EXPECT_EQ(committer_->failure(), "the disk is full");
  EXPECT_TRUE(listener_.published().empty());
  EXPECT_EQ(lanes_[0]->committed(), 0U);
  log_.fail(0);
  listener_.wait_for(1);
  committer_->stop();
  EXPECT_EQ(committer_->failure(), "");
}

TEST_F(CommitterTest, WhenTheLogCannotResumeNoCommitIsTried) {
  log_.fail(1, 2);
  start();
  hand_over(0);
  listener_.wait_for(1);
  EXPECT_EQ(log_.tries().size(), 2U);
  EXPECT_EQ(log_.resumes(), 3);
}

TEST_F(CommitterTest, AfterGivingUpNothingIsTriedOrPublishedAndTheShardsCanEnd) {
  log_.fail(-1);
  start({.start = {}, .give_up_after = nanoseconds{1}});
  hand_over(0);
  hand_over(1);
  log_.wait_for_tries(1);
  for (int i = 0; i < 20; ++i) hand_over(static_cast<std::uint32_t>(i) % kLanes);
  committer_->stop();
  EXPECT_TRUE(committer_->has_given_up());
  EXPECT_EQ(log_.tries().size(), 1U);
  EXPECT_TRUE(listener_.published().empty());
  EXPECT_EQ(committer_->failure(), "the disk is full");
  EXPECT_EQ(committer_->committed_quotes(), 0U);
  EXPECT_EQ(committer_->commits(), 0U);
  for (const auto& lane : lanes_) EXPECT_FALSE(lane->has_batch());
}

TEST_F(CommitterTest, GivingUpComesOnlyAfterItsTime) {
  constexpr milliseconds kGiveUpAfter{60};
  log_.fail(-1);
  const auto started = SteadyClock::now();
  start({.start = {}, .give_up_after = kGiveUpAfter});
  hand_over(0);
  committer_->stop();  // a stop does not cut it short, and ends because of it
  EXPECT_GE(SteadyClock::now() - started, kGiveUpAfter);
  EXPECT_TRUE(committer_->has_given_up());
  EXPECT_GE(log_.tries().size(), 2U);
}

TEST_F(CommitterTest, AFailureThatEndsBeforeTheTimeLosesNothing) {
  log_.fail(2);
  start({.start = {}, .give_up_after = kPatience});
  hand_over(0);
  committer_->stop();
  EXPECT_FALSE(committer_->has_given_up());
  EXPECT_EQ(listener_.published(), (BatchIds{{0, 1}}));
}

// --- stopping -------------------------------------------------------------------------------------------------------

TEST_F(CommitterTest, StopCommitsAndPublishesEverythingThatWasHandedOver) {
  make();
  for (std::uint32_t lane = 0; lane < kLanes; ++lane) hand_over(lane);
  committer_->start();
  committer_->stop();
  EXPECT_EQ(listener_.published(), (BatchIds{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
  committer_->stop();  // again does nothing
  EXPECT_EQ(log_.tries().size(), 1U);
}

TEST_F(CommitterTest, StopDuringACommitTakesWhatWaitsBehindItToo) {
  log_.shut();
  start();
  hand_over(0);
  log_.wait_for_tries(1);
  hand_over(0);
  hand_over(3);
  std::jthread stopping([this] { committer_->stop(); });
  log_.open();
  stopping.join();
  EXPECT_EQ(listener_.published(), (BatchIds{{0, 1}, {0, 2}, {3, 1}}));
}

TEST_F(CommitterTest, ACommitterThatWasNeverStartedStops) {
  make();
  committer_->stop();
  committer_.reset();
  EXPECT_TRUE(log_.tries().empty());
}

// --- flush interval -------------------------------------------------------------------------------------------------

TEST_F(CommitterTest, AFlushIntervalGroupsWhatArrivesWithinIt) {
  constexpr milliseconds kInterval{300};
  start({.start = {}, .flush_interval = kInterval});
  hand_over(0);
  listener_.wait_for(1);
  for (const std::uint32_t lane : {1U, 2U, 0U, 3U}) hand_over(lane);
  const auto handed = SteadyClock::now();
  listener_.wait_for(5);
  committer_->stop();
  const auto tries = log_.tries();
  ASSERT_GE(tries.size(), 2U);
  for (std::size_t i = 1; i < tries.size(); ++i) EXPECT_GE(tries[i].at - tries[i - 1].at, kInterval);
  if (handed - tries[0].at < kInterval) {  // else this thread was held up, and there may be one group more
    ASSERT_EQ(tries.size(), 2U);
    EXPECT_EQ(tries[1].batches, (BatchIds{{0, 2}, {1, 1}, {2, 1}, {3, 1}}));
  }
}

TEST_F(CommitterTest, AtTheEndNothingWaitsForTheFlushInterval) {
  start({.start = {}, .flush_interval = std::chrono::hours{24}});
  hand_over(0);
  listener_.wait_for(1);
  hand_over(1);
  committer_->announce_end();
  listener_.wait_for(2);
  hand_over(2);
  listener_.wait_for(3);
  committer_->stop();
  EXPECT_EQ(log_.tries().size(), 3U);
}

TEST_F(CommitterTest, StoppingEndsAFlushInterval) {
  start({.start = {}, .flush_interval = std::chrono::hours{24}});
  hand_over(0);
  listener_.wait_for(1);
  hand_over(1);
  committer_->stop();
  EXPECT_EQ(listener_.published(), (BatchIds{{0, 1}, {1, 1}}));
}

}  // namespace
}  // namespace tickpipe::internal
