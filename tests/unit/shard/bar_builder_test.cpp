#include "shard/bar_builder.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/timestamp_text.h"
#include "support/brute_force.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::fold_brute_force;
using testing::PricePoint;
using testing::without_history;

UnixNanos at(std::string_view text) { return parse_timestamp(text).value(); }

/// A store that keeps every committed bar.
class FakeHistory final : public History {
 public:
  UnixNanos scan(SymbolId, UnixNanos, UnixNanos to, const std::function<bool(const Tick&)>&) const override {
    return to;
  }
  [[nodiscard]] std::optional<StoredBar> find_bar(SymbolId, Timeframe timeframe, UnixNanos open_time) const override {
    const auto it = bars.find({timeframe, open_time});
    if (it == bars.end()) return std::nullopt;
    return StoredBar{it->second, {}};
  }
  void scan_bars(SymbolId, Timeframe, UnixNanos, UnixNanos, bool,
                 const std::function<bool(const Bar&)>&) const override {}
  std::map<std::pair<Timeframe, UnixNanos>, Bar> bars;
};

/// A builder, its store and what it has emitted.
class BarBuilderTest : public ::testing::Test {
 protected:
  explicit BarBuilderTest(std::string_view day_close = "00:00 UTC") : calendar_(day_close) {
    context_.timeframes = {Timeframe{minutes{1}}, Timeframe{minutes{5}}, Timeframe{hours{1}},
                           Timeframe{hours{4}},   Timeframe{hours{24}},  kOneWeek};
    context_.changed.assign(context_.timeframes.size(), 0);
    context_.history = &history_;
    builder_.emplace(context_, calendar_, SymbolId{});
  }

  void tick(UnixNanos ts, std::int64_t price) {
    ASSERT_TRUE(builder_->prepare(ts));
    builder_->add(ts, Price{price});
    points_.push_back({ts, Price{price}});
  }
  void tick(std::string_view ts, std::int64_t price) { tick(at(ts), price); }

  /// Ends a batch: what changed goes to the store.
  std::vector<BarEvent> commit() {
    EventBatch batch;
    batch.number = ++batch_number_;
    builder_->emit_changes(batch, batch_number_ - 1);
    for (const BarEvent& event : batch.bars) {
      history_.bars[{context_.timeframes[event.timeframe_index], event.bar.open_time}] = event.bar;
    }
    return batch.bars;
  }

  /// Everything that is known of a timeframe: stored and open bars.
  std::map<UnixNanos, Bar> known(std::size_t timeframe_index) {
    std::map<UnixNanos, Bar> bars;
    for (const auto& [key, bar] : history_.bars) {
      if (key.first == context_.timeframes[timeframe_index]) bars[key.second] = bar;
    }
    for (const Bar& bar : builder_->open_bars(timeframe_index)) bars[bar.open_time] = bar;
    return bars;
  }

  void expect_all_bars_right() {
    for (std::size_t i = 0; i < context_.timeframes.size(); ++i) {
      ASSERT_EQ(without_history(known(i)), fold_brute_force(points_, context_.timeframes[i], calendar_))
          << context_.timeframes[i].name();
    }
  }

  TradingCalendar calendar_;
  FakeHistory history_;
  BarContext context_;
  std::optional<BarBuilder> builder_;
  std::vector<PricePoint> points_;
  std::uint64_t batch_number_ = 0;
};

TEST_F(BarBuilderTest, ATickOnTheBoundaryBelongsToTheBarThatOpens) {
  tick("2026-03-02T10:00:59.999999999Z", 10);
  tick("2026-03-02T10:01:00Z", 20);
  const auto bars = builder_->open_bars(0);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_EQ(bars[0].close, Price{10});
  EXPECT_EQ(bars[1].open, Price{20});
}

TEST_F(BarBuilderTest, ABarClosesOnceWhenTimePassesItsEnd) {
  tick("2026-03-02T10:00:10Z", 10);
  builder_->close_through(at("2026-03-02T10:00:59Z"));
  EXPECT_TRUE(commit().empty());
  builder_->close_through(at("2026-03-02T10:01:00Z"));
  const auto events = commit();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(events[0].bar.is_closed);
  EXPECT_EQ(events[0].bar.revision, 0U);
  EXPECT_TRUE(commit().empty());
}

TEST_F(BarBuilderTest, LateTickRevisesTheClosedBarAndAllAboveIt) {
  tick("2026-03-02T10:04:10Z", 10);
  tick("2026-03-02T10:05:30Z", 12);
  builder_->close_through(at("2026-03-02T10:05:30Z"));
  commit();
  tick("2026-03-02T10:04:50Z", 99);
  tick("2026-03-02T10:04:05Z", 5);
  const auto events = commit();
  ASSERT_EQ(events.size(), 2U);  // 1m and 5m; the hour is open
  for (const BarEvent& event : events) {
    EXPECT_EQ(event.bar.revision, 1U);
    EXPECT_EQ(event.bar.open, Price{5});
    EXPECT_EQ(event.bar.close, Price{99});
    EXPECT_EQ(event.bar.tick_count, 3U);
  }
  expect_all_bars_right();
}

TEST_F(BarBuilderTest, ARevisionCountsOncePerCommit) {
  tick("2026-03-02T10:00:10Z", 10);
  builder_->close_through(at("2026-03-02T10:02:00Z"));
  tick("2026-03-02T10:00:20Z", 11);  // before the close was committed: part of revision 0
  auto events = commit();
  EXPECT_EQ(events.at(0).bar.revision, 0U);
  EXPECT_EQ(events.at(0).bar.tick_count, 2U);
  for (int i = 0; i < 5; ++i) tick("2026-03-02T10:00:30Z", 12 + i);
  events = commit();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].bar.revision, 1U);
  tick("2026-03-02T10:00:40Z", 20);
  EXPECT_EQ(commit().at(0).bar.revision, 2U);
}

TEST_F(BarBuilderTest, AnIntervalWithoutTicksHasNoBar) {
  tick("2026-03-02T10:00:10Z", 10);
  tick("2026-03-02T10:10:10Z", 11);
  builder_->close_through(at("2026-03-02T10:30:00Z"));
  commit();
  EXPECT_EQ(known(0).size(), 2U);
}

TEST_F(BarBuilderTest, TiesInTimeGoByTheOrderOfAcceptance) {
  for (const std::int64_t price : {10, 30, 20}) tick("2026-03-02T10:00:10Z", price);
  Bar bar = builder_->open_bars(0).at(0);
  EXPECT_EQ(bar.open, Price{10});
  EXPECT_EQ(bar.close, Price{20});
}

TEST_F(BarBuilderTest, TradesGiveVolumeButNeitherPricesNorTicks) {
  ASSERT_TRUE(builder_->prepare(at("2026-03-02T10:00:05Z")));
  builder_->add_trade(at("2026-03-02T10:00:05Z"), Quantity{2'500'000'000});
  tick("2026-03-02T10:00:10Z", 10);
  builder_->close_through(at("2026-03-02T10:05:00Z"));
  ASSERT_TRUE(builder_->prepare(at("2026-03-02T10:00:06Z")));
  builder_->add_trade(at("2026-03-02T10:00:06Z"), Quantity{500'000'000});
  commit();
  for (const std::size_t timeframe : {0U, 1U, 2U}) {
    const Bar bar = known(timeframe).begin()->second;
    EXPECT_EQ(bar.tick_count, 1U);
    EXPECT_TRUE(bar.volume() == 3 * kUnitsPerOne);
  }
  tick("2026-03-02T10:06:00Z", 10);
  EXPECT_TRUE(builder_->open_bars(0).at(0).volume() == kUnitsPerOne);
}

TEST_F(BarBuilderTest, ChangedBarsAreCountedOnce) {
  tick("2026-03-02T10:00:10Z", 10);
  tick("2026-03-02T10:00:20Z", 11);
  EXPECT_EQ(context_.changed, (std::vector<std::uint64_t>{1, 1, 1, 1, 1, 1}));
  builder_->close_through(at("2026-03-02T10:01:00Z"));
  commit();
  tick("2026-03-02T10:00:30Z", 12);
  EXPECT_EQ(context_.changed, (std::vector<std::uint64_t>{1, 1, 1, 1, 1, 1}));
}

TEST_F(BarBuilderTest, WithoutAStoreABarBeyondMemoryTakesNoMoreTicks) {
  context_.history = nullptr;
  const UnixNanos start = at("2026-03-02T10:00:00Z");
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(builder_->prepare(start + minutes{i}));
    builder_->add(start + minutes{i}, Price{10});
    builder_->close_through(start + minutes{i});
    commit();
  }
  EXPECT_FALSE(builder_->prepare(start + seconds{1}));
  EXPECT_TRUE(builder_->prepare(start + minutes{195}));
}

/// Random ticks, late by up to days, in random batches; the clock jumps now and then; saved and restored at times.
class BarBuilderPropertyTest : public BarBuilderTest {
 protected:
  explicit BarBuilderPropertyTest(std::string_view day_close = "00:00 UTC") : BarBuilderTest(day_close) {}

  void run(UnixNanos start, std::uint64_t seed, int ticks) {
    std::mt19937_64 random(seed);
    UnixNanos now = start;
    for (int i = 0; i < ticks; ++i) {
      now = now + seconds{static_cast<int>(random() % (random() % 20 == 0 ? 7200 : 30))};
      UnixNanos ts = now;
      if (random() % 4 == 0) ts = ts - seconds{static_cast<int>(random() % (random() % 8 == 0 ? 200'000 : 200))};
      if (random() % 3 != 0) ts.ns += static_cast<std::int64_t>(random() % kNanosPerSecond);
      tick(ts, 1 + static_cast<std::int64_t>(random() % 1000));
      builder_->close_through(now);
      if (random() % 10 == 0) commit();
      if (random() % 50 == 0) builder_->close_through(now + hours{static_cast<int>(random() % 3)});
      if (random() % 200 == 0) save_and_restore();
      if (random() % 250 == 0) {
        commit();
        expect_all_bars_right();
      }
    }
    commit();
    expect_all_bars_right();
    builder_->close_through(now + hours{24 * 20});
    commit();
    expect_all_bars_right();
    for (std::size_t i = 0; i < context_.timeframes.size(); ++i) EXPECT_TRUE(builder_->open_bars(i).empty());
  }

  void save_and_restore() {
    commit();
    std::string bytes;
    ByteWriter out(bytes);
    builder_->encode(out);
    builder_.emplace(context_, calendar_, SymbolId{});
    ByteReader in(bytes);
    builder_->decode(in);
    ASSERT_TRUE(in.ok() && in.at_end());
  }
};

TEST_F(BarBuilderPropertyTest, BarsEqualABruteForceFold) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    run(at("2026-02-27T20:00:00Z"), seed, 1500);
    points_.clear();
    history_.bars.clear();
    builder_.emplace(context_, calendar_, SymbolId{});
  }
}

class NewYorkBarsTest : public BarBuilderPropertyTest {
 protected:
  NewYorkBarsTest() : BarBuilderPropertyTest("17:00 America/New_York") {}
};

TEST_F(NewYorkBarsTest, BarsEqualABruteForceFoldOverTheSpringChange) { run(at("2026-03-06T12:00:00Z"), 1, 2500); }

TEST_F(NewYorkBarsTest, BarsEqualABruteForceFoldOverTheAutumnChange) { run(at("2026-10-30T12:00:00Z"), 2, 2500); }

}  // namespace
}  // namespace tickpipe::internal
