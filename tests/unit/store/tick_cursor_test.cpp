#include "store/tick_cursor.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "store/log_reader.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::kStoreNoon;
using testing::make_tick;
using testing::OpenStore;
using testing::StoreLife;

/// Ticks go in through a store, which is then closed; the cursor walks what it left.
class TickCursorTest : public ::testing::Test {
 protected:
  void write(const std::vector<std::vector<Tick>>& commits) {
    OpenStore open(database(), false, 1);
    open.intern(3, 1);
    std::uint64_t position = open.store.newest_position().value;
    for (const auto& ticks : commits) {
      EventBatch batch;
      batch.ticks = ticks;
      open.commit(++position, {batch});
      open.store.pack();
    }
  }
  std::vector<std::uint64_t> walk(SymbolId symbol, UnixNanos from, UnixNanos to) {
    if (!rocks_) {
      rocks_.emplace(open_rocks(database(), true));
      load_tail(*rocks_, tail_);
    }
    TickCursor cursor(*rocks_, tail_, symbol, from, to);
    std::vector<std::uint64_t> seqs;
    while (const Tick* tick = cursor.next()) {
      EXPECT_EQ(tick->symbol, symbol);
      seqs.push_back(tick->seq);
    }
    return seqs;
  }
  [[nodiscard]] std::string database() const { return folder_ / "db"; }

  testing::TemporaryFolder folder_;
  std::optional<Rocks> rocks_;
  Tail tail_;
};

using Seqs = std::vector<std::uint64_t>;

TEST_F(TickCursorTest, ARangeIncludesItsStartAndExcludesItsEnd) {
  write({{make_tick(0, 1, kStoreNoon), make_tick(0, 2, kStoreNoon + seconds{1}),
          make_tick(0, 3, kStoreNoon + seconds{2})}});
  EXPECT_EQ(walk({0}, kStoreNoon, kStoreNoon + seconds{2}), (Seqs{1, 2}));
  EXPECT_EQ(walk({0}, kStoreNoon + nanoseconds{1}, kStoreNoon + seconds{2} + nanoseconds{1}), (Seqs{2, 3}));
  EXPECT_EQ(walk({0}, kNoTime, kEndOfTime), (Seqs{1, 2, 3}));
  EXPECT_EQ(walk({0}, kStoreNoon, kStoreNoon), Seqs{});
  EXPECT_EQ(walk({0}, kStoreNoon + seconds{2}, kStoreNoon), Seqs{});
  EXPECT_EQ(walk({1}, kNoTime, kEndOfTime), Seqs{});
}

TEST_F(TickCursorTest, EqualTimesGoBySeqAcrossCommitsAndSpanClasses) {
  const UnixNanos later = kStoreNoon + hours{3};
  write({{make_tick(0, 1, kStoreNoon), make_tick(0, 2, later)},                                 // hours
         {make_tick(0, 3, kStoreNoon)},                                                         // an instant
         {make_tick(0, 4, kStoreNoon - seconds{30}), make_tick(0, 5, kStoreNoon)},              // a minute
         {make_tick(0, 6, later), make_tick(0, 7, kStoreNoon), make_tick(0, 8, kStoreNoon)}});  // hours, late
  EXPECT_EQ(walk({0}, kNoTime, kEndOfTime), (Seqs{4, 1, 3, 5, 7, 8, 2, 6}));
  EXPECT_EQ(walk({0}, kStoreNoon, later), (Seqs{1, 3, 5, 7, 8}));
}

TEST_F(TickCursorTest, ATickInTheMiddleOfAnyChunkIsFound) {
  // One chunk per span class, each exactly as long as its class allows; the longest stays within its UTC day.
  std::vector<std::vector<Tick>> commits;
  std::uint64_t seq = 0;
  const UnixNanos midnight = kStoreNoon - hours{12};
  const UnixNanos middle = kStoreNoon;
  for (const nanoseconds limit : {nanoseconds{seconds{1}}, nanoseconds{seconds{60}}, nanoseconds{hours{1}}}) {
    commits.push_back({make_tick(0, seq + 1, middle - limit), make_tick(0, seq + 2, middle)});
    seq += 2;
  }
  commits.push_back({make_tick(0, 7, midnight), make_tick(0, 8, midnight + hours{24} - nanoseconds{1})});
  write(commits);
  EXPECT_EQ(walk({0}, middle, middle + nanoseconds{1}), (Seqs{2, 4, 6}));
  EXPECT_EQ(walk({0}, midnight + hours{24} - nanoseconds{1}, kEndOfTime), Seqs{8});
  EXPECT_EQ(walk({0}, midnight, middle - hours{1}), Seqs{7});
}

TEST_F(TickCursorTest, SymbolsDoNotMeetAtTheirEnds) {
  write({{make_tick(0, 1, kEndOfTickTime - nanoseconds{1}), make_tick(1, 1, kFirstTickTime),
          make_tick(1, 2, kEndOfTickTime - nanoseconds{1}), make_tick(2, 1, kFirstTickTime)}});
  EXPECT_EQ(walk({0}, kNoTime, kEndOfTime), Seqs{1});
  EXPECT_EQ(walk({1}, kNoTime, kEndOfTime), (Seqs{1, 2}));
  EXPECT_EQ(walk({2}, kNoTime, kEndOfTime), Seqs{1});
}

TEST_F(TickCursorTest, WhatIsCommittedMeanwhileIsNotSeen) {
  write({{make_tick(0, 1, kStoreNoon)}});
  OpenStore open(database());
  std::vector<std::uint64_t> seqs;
  open.store.scan({0}, kNoTime, kEndOfTime, [&](const Tick& tick) {
    EventBatch batch;
    batch.ticks = {make_tick(0, 2, kStoreNoon + seconds{5})};
    open.commit(2, {batch});
    seqs.push_back(tick.seq);
    return true;
  });
  EXPECT_EQ(seqs, Seqs{1});
}

/// Random commits against everything that was written, sorted.
class TickCursorPropertyTest : public TickCursorTest, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(TickCursorPropertyTest, EveryRangeEqualsABruteForceSearch) {
  StoreLife life(GetParam());
  std::array<std::size_t, keys::kSpanLimits.size()> commits_by_span{};
  {
    OpenStore open(database());
    open.intern(StoreLife::kSymbols, StoreLife::kLps);
    for (int i = 0; i < 150; ++i) {
      const auto batches = life.next();
      open.commit(life.position().value, batches);
      std::map<SymbolId, std::pair<UnixNanos, UnixNanos>> spans;
      for (const EventBatch& batch : batches) {
        for (const Tick& tick : batch.ticks) {
          auto& span = spans.try_emplace(tick.symbol, tick.ts_event, tick.ts_event).first->second;
          span = {std::min(span.first, tick.ts_event), std::max(span.second, tick.ts_event)};
        }
      }
      for (const auto& [symbol, span] : spans) ++commits_by_span[keys::span_class(span.second - span.first)];
    }
  }
  for (const std::size_t count : commits_by_span) EXPECT_GT(count, 0U);

  const OpenStore reader(database(), true);
  auto& random = life.random();
  for (int i = 0; i < 300; ++i) {
    const SymbolId symbol{static_cast<std::uint32_t>(random() % (StoreLife::kSymbols + 1))};
    UnixNanos from = kNoTime;
    UnixNanos to = kEndOfTime;
    if (i >= 20) {
      // At or around some tick, as edges are where faults are.
      const auto& ticks = life.ticks[SymbolId{static_cast<std::uint32_t>(random() % StoreLife::kSymbols)}];
      const auto edge = [&] {
        return ticks[random() % ticks.size()].ts_event + nanoseconds{static_cast<int>(random() % 3) - 1};
      };
      from = edge();
      to = random() % 2 == 0 ? edge() : from + nanoseconds{static_cast<std::int64_t>(random() % 10'000'000'000)};
    }
    const auto wanted = life.quotes(symbol, from, to);
    std::vector<Tick> found;
    const UnixNanos reached = reader.store.scan(symbol, from, to, [&](const Tick& tick) {
      found.push_back(tick);
      return true;
    });
    ASSERT_EQ(reached, to);
    ASSERT_TRUE(found == wanted) << found.size() << " ticks instead of " << wanted.size();
    if (wanted.empty()) continue;
    // Stopping in the middle.
    const std::size_t stop = random() % wanted.size();
    std::size_t taken = 0;
    const UnixNanos stopped = reader.store.scan(symbol, from, to, [&](const Tick& tick) {
      EXPECT_EQ(tick, wanted[taken]);
      return taken++ != stop;
    });
    ASSERT_EQ(stopped, wanted[stop].ts_event);
    ASSERT_EQ(taken, stop + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TickCursorPropertyTest, ::testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace tickpipe::internal
