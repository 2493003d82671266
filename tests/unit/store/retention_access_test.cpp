#include "store/retention_access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/utc_day.h"
#include "store/rocks.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::CollectingVisitor;
using testing::kStoreNoon;
using testing::make_bar;
using testing::make_tick;
using testing::OpenStore;
using testing::store_timeframes;

const std::int32_t kDay = utc_day(kStoreNoon);
const UnixNanos kMidnight = start_of_utc_day(kDay);
constexpr SymbolId kSymbol{1};
using Days = std::vector<std::int32_t>;

class RetentionAccessTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string database() const { return folder_ / "db"; }

  static std::vector<std::uint64_t> seqs(const OpenStore& open, SymbolId symbol) {
    std::vector<std::uint64_t> found;
    open.store.scan(symbol, kNoTime, kEndOfTime, [&](const Tick& tick) {
      found.push_back(tick.seq);
      return true;
    });
    return found;
  }
  static EventBatch batch_of(const std::vector<Tick>& ticks) {
    EventBatch batch;
    batch.ticks = ticks;
    return batch;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(RetentionAccessTest, ADayReachesFromMidnightToMidnightInEverySpanClass) {
  OpenStore open(database());
  open.intern(3, 1);
  const UnixNanos next = start_of_utc_day(kDay + 1);
  const std::chrono::nanoseconds one{1};
  std::uint64_t position = 0;
  // A chunk of each span class in the day, its last one from edge to edge; a tick on either side; other symbols.
  open.commit(++position, {batch_of({make_tick(1, 1, kMidnight - one), make_tick(0, 1, kStoreNoon)})});
  open.commit(++position, {batch_of({make_tick(1, 2, kStoreNoon), make_tick(2, 1, kStoreNoon)})});
  open.commit(++position, {batch_of({make_tick(1, 3, kStoreNoon), make_tick(1, 4, kStoreNoon + seconds{30})})});
  open.commit(++position, {batch_of({make_tick(1, 5, kStoreNoon), make_tick(1, 6, kStoreNoon + minutes{30})})});
  open.commit(++position, {batch_of({make_tick(1, 7, kMidnight), make_tick(1, 8, next - one)})});
  open.commit(++position, {batch_of({make_tick(1, 9, next)})});

  RetentionAccess& retention = open.store.retention();
  EXPECT_EQ(retention.days_with_ticks(kSymbol, kEndOfTime), (Days{kDay - 1, kDay, kDay + 1}));
  EXPECT_EQ(retention.days_with_ticks(kSymbol, next), (Days{kDay - 1, kDay}));
  EXPECT_EQ(retention.days_with_ticks(kSymbol, next - one), (Days{kDay - 1}));
  EXPECT_TRUE(retention.days_with_ticks(kSymbol, kNoTime).empty());
  DayContent content;
  retention.look_at(kSymbol, kDay, content);
  EXPECT_EQ(content.quotes, 7U);
  EXPECT_EQ(content.newest, Position{6});
  EXPECT_EQ(content.last_received, make_tick(1, 8, next - one).ts_recv);
  retention.look_at(kSymbol, kDay, content);
  EXPECT_EQ(content.quotes, 7U) << "counted once";
  open.commit(++position, {batch_of({make_tick(1, 10, kStoreNoon)})});
  retention.look_at(kSymbol, kDay, content);
  EXPECT_EQ(content.quotes, 8U);
  EXPECT_EQ(content.newest, Position{position});

  retention.remove_ticks(kSymbol, kDay);
  EXPECT_EQ(seqs(open, kSymbol), (std::vector<std::uint64_t>{1, 9}));
  EXPECT_EQ(seqs(open, {0}).size() + seqs(open, {2}).size(), 2U);
  EXPECT_FALSE(retention.has_ticks(kSymbol, kDay));
  EXPECT_TRUE(retention.has_ticks(kSymbol, kDay + 1));
  EXPECT_EQ(retention.days_with_ticks(kSymbol, kEndOfTime), (Days{kDay - 1, kDay + 1}));
}

TEST_F(RetentionAccessTest, ADayOfManyCommitsGoesToo) {
  {
    OpenStore open(database());
    open.intern(2, 1);
    std::uint64_t seq = 0;
    for (std::uint64_t position = 1; position <= 900; ++position) {
      ++seq;
      open.commit(position, {batch_of({make_tick(1, seq, kMidnight - hours{1} + minutes{2} * static_cast<int>(seq))})});
    }
    DayContent content;
    open.store.retention().look_at(kSymbol, kDay, content);
    EXPECT_EQ(content.quotes, 720U);
    open.store.retention().remove_ticks(kSymbol, kDay);
  }
  const OpenStore open(database());
  EXPECT_EQ(seqs(open, kSymbol).size(), 180U);
  EXPECT_FALSE(open.store.retention().has_ticks(kSymbol, kDay));
  EXPECT_TRUE(open.store.retention().has_ticks(kSymbol, kDay - 1));
  EXPECT_TRUE(open.store.retention().has_ticks(kSymbol, kDay + 1));
}

TEST_F(RetentionAccessTest, SealsAreCommittedWithTheirBatch) {
  {
    OpenStore open(database());
    open.intern(2, 1);
    EventBatch batch;
    EXPECT_TRUE(batch.empty());
    batch.sealed = {{kSymbol, kDay, true},
                    {kSymbol, kDay + 1, true},
                    {{0}, kDay, true},
                    {kSymbol, kDay - 1, true},
                    {kSymbol, kDay + 1, false}};
    EXPECT_FALSE(batch.empty());
    open.commit(1, {batch});
    batch.clear();
    EXPECT_TRUE(batch.empty());
    batch.sealed = {{{0}, kDay, false}};
    open.commit(2, {batch});
  }
  const OpenStore open(database());
  const RetentionAccess& retention = open.store.retention();
  EXPECT_EQ(retention.sealed_days(kSymbol), (Days{kDay - 1, kDay}));
  EXPECT_TRUE(retention.sealed_days({0}).empty());
  EXPECT_TRUE(retention.is_sealed(kSymbol, kDay));
  EXPECT_FALSE(retention.is_sealed(kSymbol, kDay + 1));
  Days all;
  retention.for_each_sealed_day([&](SymbolId symbol, std::int32_t day) {
    EXPECT_EQ(symbol, kSymbol);
    all.push_back(day);
  });
  EXPECT_EQ(all, (Days{kDay - 1, kDay}));
}

TEST_F(RetentionAccessTest, TheLogSkipsWhatWasRemovedAndOnlyThat) {
  OpenStore open(database());
  open.intern(2, 1);
  open.commit(1, {batch_of({make_tick(0, 1, kStoreNoon), make_tick(1, 1, kStoreNoon)})});
  open.commit(2, {batch_of({make_tick(1, 2, kStoreNoon + hours{24})})});
  open.store.retention().remove_ticks(kSymbol, kDay);
  CollectingVisitor damaged;
  EXPECT_THROW(open.store.read_after({0}, damaged), Error) << "no retention has sealed that day";

  EventBatch seal;
  seal.sealed = {{kSymbol, kDay, true}};
  open.commit(3, {seal});
  CollectingVisitor visitor;
  open.store.read_after({0}, visitor);
  EXPECT_EQ(visitor.removed, std::vector<Position>{Position{1}});
  EXPECT_EQ(visitor.events[{0}].size(), 1U);
  EXPECT_EQ(visitor.events[kSymbol].size(), 1U);
}

TEST_F(RetentionAccessTest, BarsGoByTheirEndInEveryTimeframe) {
  OpenStore open(database());
  open.intern(3, 1);
  EventBatch batch;
  for (std::uint32_t symbol = 0; symbol < 3; ++symbol) {
    for (std::uint32_t i = 0; i < store_timeframes().size(); ++i) {
      for (int n = 0; n < 3; ++n) {
        const Timeframe timeframe = store_timeframes()[i];
        batch.bars.push_back({{symbol}, i, make_bar(kMidnight + timeframe.nanos() * n, timeframe, 1)});
      }
    }
  }
  batch.bars.push_back({kSymbol, 0, make_bar(kMidnight - hours{1}, store_timeframes()[0], 1)});
  batch.bars.back().bar.tick_count = 0;  // of trades alone
  open.commit(1, {batch});
  const auto count = [&](SymbolId symbol, std::size_t timeframe) {
    std::size_t bars = 0;
    open.store.scan_bars(symbol, store_timeframes()[timeframe], kNoTime, kEndOfTime, false, [&](const Bar&) {
      ++bars;
      return true;
    });
    return bars;
  };
  RetentionAccess& retention = open.store.retention();
  EXPECT_FALSE(retention.has_bars(kSymbol, kMidnight - hours{1}));
  EXPECT_TRUE(retention.has_bars(kSymbol, kMidnight));
  EXPECT_EQ(retention.remove_bars(kSymbol, kMidnight + hours{1}), 4U) << "three of a minute and one of an hour";
  EXPECT_EQ(count(kSymbol, 0), 0U);
  EXPECT_EQ(count(kSymbol, 1), 2U);
  EXPECT_EQ(count(kSymbol, 2), 3U);
  EXPECT_EQ(retention.remove_bars(kSymbol, kMidnight + hours{24 * 14}), 4U);
  EXPECT_EQ(count(kSymbol, 2), 1U);
  for (const SymbolId other : {SymbolId{0}, SymbolId{2}}) EXPECT_EQ(count(other, 0) + count(other, 2), 6U);
  std::size_t limits = 0;
  retention.for_each_bar_limit([&](SymbolId symbol, UnixNanos end) {
    ++limits;
    EXPECT_EQ(symbol, kSymbol);
    EXPECT_EQ(end, kMidnight + hours{24 * 14});
  });
  EXPECT_EQ(limits, 1U);
}

}  // namespace
}  // namespace tickpipe::internal
