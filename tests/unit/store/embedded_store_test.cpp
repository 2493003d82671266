#include "store/embedded_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "store/rocks.h"
#include "support/store_life.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::CollectingVisitor;
using testing::kStoreNoon;
using testing::make_bar;
using testing::make_tick;
using testing::OpenStore;
using testing::store_timeframes;
using testing::StoreLife;

/// By how much is packed together: each commit, a few, hardly anything.
class EmbeddedStoreTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  [[nodiscard]] std::string database() const { return folder_ / "db"; }

  static std::vector<Tick> all_quotes(const EmbeddedStore& store, SymbolId symbol) {
    std::vector<Tick> found;
    store.scan(symbol, kNoTime, kEndOfTime, [&](const Tick& tick) {
      found.push_back(tick);
      return true;
    });
    return found;
  }

  static std::map<SymbolId, std::pair<Position, std::string>> snapshots(const EmbeddedStore& store) {
    std::map<SymbolId, std::pair<Position, std::string>> found;
    store.for_each_snapshot([&](SymbolId symbol, Position position, std::string_view bytes) {
      EXPECT_TRUE(found.emplace(symbol, std::pair(position, std::string(bytes))).second);
    });
    return found;
  }

  /// Everything that a store holds of a life, through every way of reading it.
  static void expect_holds(const EmbeddedStore& store, const StoreLife& life) {
    EXPECT_EQ(store.newest_position(), life.position());
    for (std::uint32_t symbol = 0; symbol < StoreLife::kSymbols; ++symbol) {
      ASSERT_TRUE(all_quotes(store, {symbol}) == life.quotes({symbol}, kNoTime, kEndOfTime));
    }
    for (const auto& [id, wanted] : life.bars) {
      const auto stored = std::apply([&](auto... of) { return store.find_bar(of...); }, id);
      ASSERT_TRUE(stored);
      ASSERT_TRUE(stored->bar == wanted.bar);
      ASSERT_EQ(stored->position, wanted.position);
    }
    expect_reads_after(store, life, Position{0});
  }

  static void expect_reads_after(const EmbeddedStore& store, const StoreLife& life, Position after) {
    CollectingVisitor visitor;
    store.read_after(after, visitor);
    EXPECT_TRUE(visitor.is_ascending);
    EXPECT_TRUE(visitor.is_unique);
    for (const auto& [symbol, events] : life.events) {
      std::vector<testing::StoredEvent> wanted;
      for (const auto& event : events) {
        if (event.position > after) wanted.push_back(event);
      }
      ASSERT_TRUE(visitor.events[symbol] == wanted) << "symbol " << symbol.value << " after " << after.value;
    }
    std::size_t changed = 0;
    for (const auto& [id, wanted] : life.bars) {
      const auto found = visitor.bars.find(id);
      ASSERT_EQ(found != visitor.bars.end(), wanted.position > after);
      if (wanted.position <= after) continue;
      ++changed;
      ASSERT_TRUE(found->second.bar == wanted.bar);
      ASSERT_EQ(found->second.position, wanted.position);
    }
    ASSERT_EQ(visitor.bars.size(), changed);
  }

  testing::TemporaryFolder folder_;
};

// --- reopening ------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedStoreTest, ANewStoreIsEmptyAndHasAnEpochOfItsOwn) {
  const OpenStore a(database(), false, GetParam());
  EXPECT_EQ(a.store.newest_position(), Position{0});
  EXPECT_EQ(a.store.checkpoint(), Position{0});
  EXPECT_EQ(a.store.bar_settings(), "");
  EXPECT_EQ(a.store.epoch().size(), 16U);
  EXPECT_EQ(a.symbols.size(), 0U);
  EXPECT_TRUE(snapshots(a.store).empty());
  const OpenStore b(folder_ / "other");
  EXPECT_NE(a.store.epoch(), b.store.epoch());
}

TEST_P(EmbeddedStoreTest, AllThatWasCommittedIsThereAfterReopening) {
  StoreLife life(1);
  std::string epoch;
  for (int round = 0; round < 3; ++round) {
    OpenStore open(database(), false, GetParam());
    if (round == 0) epoch = open.store.epoch();
    EXPECT_EQ(open.store.epoch(), epoch);
    open.intern(StoreLife::kSymbols, StoreLife::kLps);
    ASSERT_NO_FATAL_FAILURE(expect_holds(open.store, life));
    for (int i = 0; i < 25; ++i) {
      const auto batches = life.next();
      open.commit(life.position().value, batches);
    }
    ASSERT_NO_FATAL_FAILURE(expect_holds(open.store, life));
    open.store.begin_rebuild();
    EXPECT_TRUE(open.store.is_rebuilding());
    open.store.end_rebuild("settings of round " + std::to_string(round));
    EXPECT_FALSE(open.store.is_rebuilding());
    open.store.sync();
  }
  const OpenStore open(database(), false, GetParam());
  ASSERT_NO_FATAL_FAILURE(expect_holds(open.store, life));
  EXPECT_EQ(open.store.bar_settings(), "settings of round 2");
}

TEST_P(EmbeddedStoreTest, NamesAreStoredWithTheCommitThatNeedsThem) {
  {
    OpenStore open(database(), false, GetParam());
    open.intern(2, 1);
    EventBatch batch;
    batch.ticks = {make_tick(1, 1, kStoreNoon)};
    open.commit(1, {batch});
    open.intern(300, 3);  // byte order and number order differ from 256 on, unless keys are right
    open.commit(2, {batch});
    open.symbols.intern(testing::symbol_name(300));  // never committed
  }
  const OpenStore open(database(), false, GetParam());
  ASSERT_EQ(open.symbols.size(), 300U);
  for (std::uint32_t i = 0; i < 300; ++i) EXPECT_EQ(open.symbols.name({i}), testing::symbol_name(i));
  ASSERT_EQ(open.lps.size(), 3U);
  for (std::uint16_t i = 0; i < 3; ++i) EXPECT_EQ(open.lps.name({i}), testing::lp_name(i));
}

TEST_P(EmbeddedStoreTest, OfASnapshotTheNewestIsKept) {
  {
    OpenStore open(database(), false, GetParam());
    open.intern(3, 1);
    EventBatch batch;
    batch.snapshots = {{SymbolId{0}, "zero"}, {SymbolId{1}, std::string("o\0ne", 4)}};
    batch.is_checkpoint = true;
    open.commit(1, {batch});
    batch.snapshots = {{SymbolId{1}, ""}, {SymbolId{2}, "two"}};
    open.commit(2, {batch});
  }
  const OpenStore open(database(), false, GetParam());
  const std::map<SymbolId, std::pair<Position, std::string>> wanted = {
      {SymbolId{0}, {Position{1}, "zero"}}, {SymbolId{1}, {Position{2}, ""}}, {SymbolId{2}, {Position{2}, "two"}}};
  EXPECT_EQ(snapshots(open.store), wanted);
  EXPECT_EQ(open.store.checkpoint(), Position{2});
}

TEST_P(EmbeddedStoreTest, TheCheckpointLiesBeforeTheFirstRecordThatNoSnapshotHolds) {
  const auto batch = [](std::uint32_t shard, bool is_checkpoint) {
    EventBatch b;
    b.shard = shard;
    b.ticks = {make_tick(shard, 1, kStoreNoon)};
    b.is_checkpoint = is_checkpoint;
    return b;
  };
  {
    OpenStore open(database(), false, GetParam());
    open.intern(3, 1);
    open.commit(1, {batch(0, false), batch(1, false)});
    EXPECT_EQ(open.store.checkpoint(), Position{0});
    open.commit(2, {batch(0, true)});
    EXPECT_EQ(open.store.checkpoint(), Position{0});
    open.commit(3, {batch(0, false), batch(1, true)});
    EXPECT_EQ(open.store.checkpoint(), Position{2});
    open.commit(4, {batch(0, true), batch(1, false)});
    EXPECT_EQ(open.store.checkpoint(), Position{3});
    open.commit(5, {batch(2, false)});  // a shard that had nothing until now
    EXPECT_EQ(open.store.checkpoint(), Position{3});
    open.commit(6, {batch(1, true)});
    EXPECT_EQ(open.store.checkpoint(), Position{4});
    open.commit(7, {batch(2, true)});
    EXPECT_EQ(open.store.checkpoint(), Position{7});
  }
  const OpenStore open(database(), false, GetParam());
  EXPECT_EQ(open.store.checkpoint(), Position{7});
}

// --- committing -----------------------------------------------------------------------------------------------------

TEST_P(EmbeddedStoreTest, TheSameBatchesUnderTheSamePositionAgainChangeNothing) {
  StoreLife life(2);
  OpenStore open(database(), false, GetParam());
  open.intern(StoreLife::kSymbols, StoreLife::kLps);
  for (int i = 0; i < 40; ++i) {
    auto batches = life.next();
    batches[0].snapshots = {{SymbolId{0}, "state " + std::to_string(i)}};
    batches[0].is_checkpoint = i % 3 == 0;
    for (std::uint64_t n = 1 + life.random()() % 3; n > 0; --n) open.commit(life.position().value, batches);
  }
  ASSERT_NO_FATAL_FAILURE(expect_holds(open.store, life));
  EXPECT_EQ(snapshots(open.store).at(SymbolId{0}), std::pair(Position{40}, std::string("state 39")));
}

TEST_P(EmbeddedStoreTest, ACommitAgainAfterReopeningChangesNothingEither) {
  StoreLife life(3);
  std::vector<EventBatch> last;
  {
    OpenStore open(database(), false, GetParam());
    open.intern(StoreLife::kSymbols, StoreLife::kLps);
    for (int i = 0; i < 10; ++i) {
      last = life.next();
      open.commit(life.position().value, last);
    }
  }
  OpenStore open(database(), false, GetParam());
  open.commit(life.position().value, last);
  ASSERT_NO_FATAL_FAILURE(expect_holds(open.store, life));
}

TEST_P(EmbeddedStoreTest, AReaderSeesWholeCommitsWhileAnotherThreadWrites) {
  OpenStore open(database(), false, GetParam());
  open.intern(1, 1);
  constexpr std::uint64_t kTicks = 50;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    std::mt19937_64 random(1);
    for (std::uint64_t position = 1; position <= 300; ++position) {
      EventBatch batch;
      for (std::uint64_t i = 0; i < kTicks; ++i) {
        const nanoseconds late = seconds{static_cast<int>(random() % 100'000)};
        batch.ticks.push_back(make_tick(0, (position - 1) * kTicks + i + 1, kStoreNoon + late));
      }
      open.commit(position, {batch});
    }
    done = true;
  });
  std::size_t newest = 0;
  for (bool last = false; !last;) {
    last = done;
    const auto ticks = all_quotes(open.store, {0});
    EXPECT_EQ(ticks.size() % kTicks, 0U);
    EXPECT_GE(ticks.size(), newest);
    newest = ticks.size();
    std::uint64_t greatest = 0;
    for (const Tick& tick : ticks) greatest = std::max(greatest, tick.seq);
    EXPECT_EQ(greatest, ticks.size());
  }
  EXPECT_EQ(newest, 300 * kTicks);
  writer.join();
}

// --- the log --------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedStoreTest, ReadingAfterAPositionYieldsEveryRecordOnceAndTheNewestStateOfEachBar) {
  for (std::uint64_t seed = 10; seed < 14; ++seed) {
    StoreLife life(seed);
    OpenStore open(folder_ / std::to_string(seed), false, GetParam());
    open.intern(StoreLife::kSymbols, StoreLife::kLps);
    for (int i = 0; i < 60; ++i) {
      const auto batches = life.next();
      open.commit(life.position().value, batches);
    }
    for (std::uint64_t after = 0; after <= 61; after += after < 55 ? 6 : 1) {
      ASSERT_NO_FATAL_FAILURE(expect_reads_after(open.store, life, Position{after}));
    }
  }
}

TEST_P(EmbeddedStoreTest, ACloseMarkStandsBetweenTheTicksOfItsCommit) {
  OpenStore open(database(), false, GetParam());
  open.intern(2, 1);
  EventBatch batch;
  // Accepted out of order of time, so storage order is another.
  batch.ticks = {make_tick(0, 1, kStoreNoon + seconds{9}), make_tick(0, 2, kStoreNoon),
                 make_tick(0, 3, kStoreNoon + seconds{4})};
  batch.closes = {{SymbolId{0}, 0, kStoreNoon - hours{1}}, {SymbolId{0}, 2, kStoreNoon}, {SymbolId{1}, 0, kStoreNoon}};
  open.commit(1, {batch});
  CollectingVisitor visitor;
  open.store.read_after({0}, visitor);
  std::vector<std::uint64_t> order;  // seq of ticks, 100 + after_seq of marks
  for (const auto& event : visitor.events[SymbolId{0}]) {
    order.push_back(event.tick ? event.tick->seq : 100 + event.close->after_seq);
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{100, 1, 2, 102, 3}));
  EXPECT_EQ(visitor.events[SymbolId{1}].size(), 1U);
}

// --- bars -----------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedStoreTest, BarsOfARangeComeAscendingAndDroppedOnesAreGone) {
  OpenStore open(database(), false, GetParam());
  open.intern(2, 1);
  EventBatch batch;
  for (std::uint32_t symbol = 0; symbol < 2; ++symbol) {
    for (std::uint32_t index = 0; index < 2; ++index) {
      for (int i = 9; i >= 0; --i) {
        const Timeframe timeframe = store_timeframes()[index];
        batch.bars.push_back({SymbolId{symbol}, index, make_bar(kStoreNoon + timeframe.nanos() * i, timeframe, i + 1)});
      }
    }
  }
  open.commit(1, {batch});
  const auto range = [&](std::uint32_t symbol, std::size_t index, UnixNanos from, UnixNanos to) {
    std::vector<std::int64_t> prices;
    const auto take = [&](const Bar& bar) {
      prices.push_back(bar.open.units);
      return true;
    };
    open.store.scan_bars({symbol}, store_timeframes()[index], from, to, true, take);
    const std::vector<std::int64_t> reversed(prices.rbegin(), prices.rend());
    prices.clear();
    open.store.scan_bars({symbol}, store_timeframes()[index], from, to, false, take);
    EXPECT_EQ(prices, reversed);
    return prices;
  };
  using Prices = std::vector<std::int64_t>;
  EXPECT_EQ(range(0, 0, kStoreNoon + minutes{2}, kStoreNoon + minutes{5}), (Prices{3, 4, 5}));
  EXPECT_EQ(range(1, 0, kStoreNoon + minutes{8} + nanoseconds{1}, kEndOfTime), Prices{10});
  EXPECT_EQ(range(0, 1, kNoTime, kEndOfTime), (Prices{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(range(0, 2, kNoTime, kEndOfTime), Prices{});
  EXPECT_FALSE(open.store.find_bar({0}, store_timeframes()[0], kStoreNoon + seconds{1}));

  open.store.drop_bars({0}, store_timeframes()[0]);
  EXPECT_EQ(range(0, 0, kNoTime, kEndOfTime), Prices{});
  EXPECT_EQ(range(0, 1, kNoTime, kEndOfTime).size(), 10U);
  EXPECT_EQ(range(1, 0, kNoTime, kEndOfTime).size(), 10U);
  batch.bars.resize(1);
  open.commit(2, {batch});
  EXPECT_EQ(range(0, 0, kNoTime, kEndOfTime), Prices{10});
}

// --- opening --------------------------------------------------------------------------------------------------------

TEST_P(EmbeddedStoreTest, AReaderOpensBesideAWriterAndSeesWhatWasCommittedThen) {
  StoreLife life(5);
  OpenStore writer(database(), false, GetParam());
  writer.intern(StoreLife::kSymbols, StoreLife::kLps);
  std::unique_ptr<OpenStore> reader;
  std::vector<Tick> seen;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20; ++i) {
      const auto batches = life.next();
      writer.commit(life.position().value, batches);
    }
    if (reader) {
      EXPECT_TRUE(all_quotes(reader->store, {0}) == seen);
    }
    reader = std::make_unique<OpenStore>(database(), true);
    EXPECT_EQ(reader->store.epoch(), writer.store.epoch());
    EXPECT_EQ(reader->symbols.size(), StoreLife::kSymbols);
    ASSERT_NO_FATAL_FAILURE(expect_holds(reader->store, life));
    seen = all_quotes(reader->store, {0});
  }
}

TEST_P(EmbeddedStoreTest, AReaderCannotWriteAndCreatesNothing) {
  EXPECT_THROW(OpenStore(database(), true), Error);
  { const OpenStore open(database(), false, GetParam()); }
  OpenStore reader(database(), true);
  EventBatch batch;
  batch.is_checkpoint = true;
  EXPECT_THROW(reader.commit(1, {batch}), Error);
  EXPECT_THROW(reader.store.begin_rebuild(), Error);
  EXPECT_THROW(reader.store.end_rebuild("x"), Error);
  EXPECT_EQ(reader.store.newest_position(), Position{0});
}

TEST_P(EmbeddedStoreTest, AStoreOfANewerFormatIsRefusedByNameAndLeftAlone) {
  { const OpenStore open(database(), false, GetParam()); }
  {
    const Rocks rocks = open_rocks(database(), false);
    check(rocks.db->Put(rocksdb::WriteOptions(), rocks.meta, to_slice(keys::kFormat), "3"), "test");
  }
  for (const bool read_only : {false, true}) {
    try {
      const OpenStore open(database(), read_only);
      FAIL();
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("store format 3"), std::string::npos) << message;
      EXPECT_NE(message.find("reads formats up to 2"), std::string::npos) << message;
    }
  }
}

TEST_P(EmbeddedStoreTest, DamagedContentIsAnErrorNotACrash) {
  {
    OpenStore open(database(), false, GetParam());
    open.intern(1, 1);
    EventBatch batch;
    batch.ticks = {make_tick(0, 1, kStoreNoon)};
    batch.bars = {{SymbolId{0}, 0, make_bar(kStoreNoon, store_timeframes()[0], 1)}};
    open.commit(1, {batch});
    open.store.pack();
  }
  {
    const Rocks rocks = open_rocks(database(), false);
    const rocksdb::WriteOptions options;
    const auto chunk =
        keys::chunk({.symbol = {0}, .span_class = 0, .first = kStoreNoon, .position = {1}, .ordinal = 0});
    check(rocks.db->Put(options, rocks.ticks, chunk, "rubbish"), "test");
    check(rocks.db->Put(options, rocks.bars, keys::bar({{0}, store_timeframes()[0], kStoreNoon}), "rubbish"), "test");
    check(rocks.db->Put(options, rocks.meta, keys::numbered(keys::kSnapshotPrefix, 0), "short"), "test");
  }
  const OpenStore open(database(), false, GetParam());
  EXPECT_THROW(all_quotes(open.store, {0}), Error);
  CollectingVisitor visitor;
  EXPECT_THROW(open.store.read_after({0}, visitor), Error);
  EXPECT_THROW(static_cast<void>(open.store.find_bar({0}, store_timeframes()[0], kStoreNoon)), Error);
  EXPECT_THROW(snapshots(open.store), Error);
}

TEST_P(EmbeddedStoreTest, AQuoteThatWasLateForBarsIsAmendedInPlace) {
  OpenStore open(database(), false, GetParam());
  open.intern(2, 1);
  EventBatch late;
  for (std::uint64_t seq = 1; seq <= 5000; ++seq) {  // more than one chunk, and another symbol's
    late.ticks.push_back(make_tick(0, seq, kStoreNoon + seconds{static_cast<int>(seq)}));
    late.ticks.push_back(make_tick(1, seq, kStoreNoon + seconds{static_cast<int>(seq)}));
    if (seq % 2 == 0) late.ticks[late.ticks.size() - 2].flags = kLateForBars | kOutOfOrder;
  }
  open.commit(1, {late});
  EventBatch amends;
  for (const std::uint64_t seq : {2U, 4U, 4998U}) {
    Tick tick = late.ticks[2 * (seq - 1)];
    tick.flags = kFoldedLater | kOutOfOrder;
    amends.amended.push_back(tick);
  }
  open.commit(2, {amends});
  open.commit(2, {amends});  // a commit whose outcome was unknown

  for (const std::uint32_t symbol : {0U, 1U}) {
    std::vector<Tick> expected;
    for (const Tick& tick : late.ticks) {
      if (tick.symbol != SymbolId{symbol}) continue;
      expected.push_back(tick);
      for (const Tick& amended : amends.amended) {
        if (amended.symbol == tick.symbol && amended.seq == tick.seq) expected.back() = amended;
      }
    }
    EXPECT_EQ(all_quotes(open.store, {symbol}), expected);
  }
  CollectingVisitor visitor;
  open.store.read_after({1}, visitor);
  EXPECT_TRUE(visitor.events.empty());
  ASSERT_EQ(visitor.amended.size(), 3U);
  EXPECT_EQ(visitor.amended[2].first, Position{2});
  EXPECT_EQ(visitor.amended[2].second.seq, 4998U);
}

INSTANTIATE_TEST_SUITE_P(RunWeights, EmbeddedStoreTest, ::testing::Values(1, 300, 0));

}  // namespace
}  // namespace tickpipe::internal
