#include "redis/redis_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace tickpipe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kKept = 3;

Tick tick(std::uint32_t symbol, std::int64_t time, std::uint64_t seq, std::uint8_t flags = 0) {
  Tick made;
  made.symbol = SymbolId{symbol};
  made.ts_event = made.ts_recv = UnixNanos{time};
  made.seq = seq;
  made.flags = flags;
  return made;
}

BarEvent bar(std::uint32_t symbol, std::int64_t open_time, std::uint32_t revision) {
  BarEvent event{SymbolId{symbol}, 0, {}};
  event.bar.open_time = UnixNanos{open_time};
  event.bar.revision = revision;
  event.bar.is_closed = true;
  return event;
}

std::vector<std::uint64_t> seqs(const std::vector<Tick>& ticks) {
  std::vector<std::uint64_t> found;
  for (const Tick& each : ticks) found.push_back(each.seq);
  std::sort(found.begin(), found.end());
  return found;
}

TEST(RedisWorkTest, KeepsOnlyQuotesThatCanStay) {
  RedisWork work(kKept, 1, 100);
  RedisBacklog::Delivery delivery;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    delivery.ticks.push_back(tick(0, static_cast<std::int64_t>(i % 7 == 0 ? 1 : i * 10), i));
  }
  work.add(delivery, true);
  const auto& listed = work.symbol(SymbolId{0}).ticks;
  EXPECT_LT(listed.size(), 2 * kKept);
  for (const std::uint64_t newest : {18U, 19U, 20U}) EXPECT_THAT(seqs(listed), ::testing::Contains(newest));
  EXPECT_TRUE(work.has_work());
}

TEST(RedisWorkTest, WithoutRedisItRemembersWhatToReadInsteadOfTheQuotes) {
  RedisWork work(kKept, 2, 100);
  RedisBacklog::Delivery delivery;
  delivery.ticks = {tick(1, 10, 1), tick(1, 20, 2)};
  work.add(delivery, false);
  RedisWork::Symbol& symbol = work.symbol(SymbolId{1});
  EXPECT_THAT(symbol.ticks, IsEmpty());
  EXPECT_TRUE(symbol.rewrites_ticks);
  EXPECT_TRUE(symbol.publishes_latest);
  EXPECT_THAT(work.dirty(), ElementsAre(SymbolId{1}));
  work.clear_written(true);
  EXPECT_FALSE(work.has_work());
  EXPECT_FALSE(symbol.rewrites_ticks);
  EXPECT_THAT(work.dirty(), IsEmpty());
}

TEST(RedisWorkTest, OfABarTheLatestRevisionStays) {
  RedisWork work(kKept, 1, 100);
  work.add_bar(bar(0, 60, 2), false);
  work.add_bar(bar(0, 60, 1), true);
  work.add_bar(bar(0, 120, 0), false);
  ASSERT_EQ(work.bars().size(), 2U);
  EXPECT_EQ(work.bars().begin()->second.bar.revision, 2U);
}

TEST(RedisWorkTest, ABarOfASeriesThatIsReadAgainIsStillListedInItsNewestState) {
  RedisWork work(kKept, 1, 100);
  work.add_bar(bar(0, 60, 0), false);
  work.rewrite_bars(SymbolId{0}, 0);
  work.add_bar(bar(0, 60, 1), false);
  EXPECT_EQ(work.bars().begin()->second.bar.revision, 1U) << "the older state would replace what is read";
}

TEST(RedisWorkTest, TooManyBarsBecomeSeriesToReadAgain) {
  RedisWork work(kKept, 1, 10);
  for (int i = 0; i < 11; ++i) work.add_bar(bar(i % 2 == 0 ? 0 : 3, i * 60, 0), false);
  EXPECT_TRUE(work.bars().empty());
  EXPECT_EQ(work.symbol(SymbolId{0}).rewrites_bars[0], 1);
  EXPECT_EQ(work.symbol(SymbolId{3}).rewrites_bars[0], 1);
  EXPECT_TRUE(work.has_work());
}

TEST(RedisWorkTest, OpenBarsStayDueUntilTheyAreWritten) {
  RedisWork work(kKept, 1, 10);
  RedisBacklog::Delivery delivery;
  delivery.ticks = {tick(0, 10, 1)};
  delivery.changed = {SymbolId{0}};
  work.add(delivery, true);
  work.clear_written(false);
  EXPECT_FALSE(work.has_work());
  EXPECT_TRUE(work.has_open_bars());
  EXPECT_THAT(work.dirty(), ElementsAre(SymbolId{0}));
  work.clear_written(true);
  EXPECT_FALSE(work.has_open_bars());
}

struct BacklogTest : ::testing::Test {
  Doorbell bell;
  RedisBacklog backlog{{.max_ticks = 10,
                        .max_bars = 10,
                        .live_tick_age = std::chrono::seconds{60},
                        .is_wanted = [](SymbolId symbol) { return symbol.value != 9; }},
                       bell};
  RedisBacklog::Delivery delivery;
};

TEST_F(BacklogTest, HandsOverWhatWasCommittedInOrder) {
  EventBatch batch;
  batch.ticks = {tick(0, 10, 1), tick(9, 10, 1), tick(0, 20, 2)};
  batch.latest = {tick(0, 20, 2), tick(1, 5, 4, kHistorical)};
  batch.open_bars = {bar(0, 0, 0), bar(0, 0, 0)};
  backlog.on_committed(batch, Position{7});
  backlog.take(delivery);
  EXPECT_EQ(delivery.position, Position{7});
  EXPECT_THAT(seqs(delivery.ticks), ElementsAre(1, 2));
  ASSERT_EQ(delivery.latest.size(), 1U) << "one that came live goes with the others";
  EXPECT_EQ(delivery.latest[0].seq, 4U);
  EXPECT_THAT(delivery.changed, ElementsAre(SymbolId{0}));
  EXPECT_TRUE(backlog.empty());
  EXPECT_EQ(backlog.newest(), Position{7});
}

TEST_F(BacklogTest, WithoutRoomItNamesTheSymbols) {
  EventBatch batch;
  for (std::uint64_t i = 1; i <= 4; ++i) batch.ticks.push_back(tick(i % 2 == 0 ? 0 : 5, 10, i));
  for (std::uint64_t i = 1; i <= 4; ++i) backlog.on_committed(batch, Position{i});
  backlog.take(delivery);
  EXPECT_THAT(delivery.overrun, ElementsAre(SymbolId{0}, SymbolId{5}));
  EXPECT_EQ(delivery.ticks.size(), 8U) << "what came after the overrun";
  EXPECT_EQ(delivery.position, Position{4});
}

}  // namespace
}  // namespace tickpipe::internal
