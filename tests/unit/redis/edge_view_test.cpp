#include "redis/edge_view.h"

#include <gmock/gmock.h>

#include "unit/redis/edge_testing.h"

namespace tickpipe::internal {
namespace {

using testing::EdgeMarket;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kNow;
using testing::seqs;
using namespace std::chrono_literals;

constexpr SymbolId kEurusd{0};
constexpr Timeframe kMinute{60s};

class EdgeViewTest : public ::testing::Test {
 protected:
  void put(const std::vector<Tick>& ticks) {
    EventBatch batch;
    batch.ticks = ticks;
    if (!ticks.empty()) batch.latest.push_back(ticks.back());
    view().apply(batch);
  }
  void put(const std::vector<Bar>& bars) {
    EventBatch batch;
    for (const Bar& bar : bars) (bar.is_closed ? batch.bars : batch.open_bars).push_back({kEurusd, 0, bar});
    view().apply(batch);
  }
  EdgeView& view() { return market_.data.view; }
  static TickQuery every_tick() {
    TickQuery query;
    query.symbol = kEurusd;
    return query;
  }
  /// `narrow(query)` says which.
  template <typename Narrow>
  std::vector<std::uint64_t> read(Narrow narrow, bool* has_more = nullptr) {
    TickQuery query = every_tick();
    narrow(query);
    const TickPage page = view().ticks(query);
    if (has_more != nullptr) *has_more = page.has_more;
    return seqs(page.ticks);
  }
  std::vector<std::uint64_t> read() {
    return read([](TickQuery&) {});
  }
  template <typename Narrow>
  std::vector<Bar> bars(Narrow narrow) {
    BarQuery query;
    query.symbol = kEurusd;
    query.timeframe = kMinute;
    narrow(query);
    return view().bars(query);
  }
  std::vector<Bar> bars() {
    return bars([](BarQuery&) {});
  }

  EdgeMarket market_{5};
};

TEST_F(EdgeViewTest, KnowsNothingAtFirst) {
  EXPECT_FALSE(view().latest(kEurusd));
  EXPECT_EQ(view().snapshot(kEurusd).newest_seq, 0U);
  EXPECT_THAT(read(), IsEmpty());
  EXPECT_THAT(bars(), IsEmpty());
  EXPECT_FALSE(view().active_bar(kEurusd, kMinute));
  EXPECT_THAT(view().activity(), IsEmpty());
  EXPECT_EQ(view().newest_event(), kNoTime);
  EXPECT_EQ(view().symbol_count(), 0U);
}

TEST_F(EdgeViewTest, KeepsTheNewestQuotesByTimeAndSeq) {
  put(EdgeMarket::ticks(1, 7));
  EXPECT_THAT(read(), ElementsAre(7, 6, 5, 4, 3));
  put({EdgeMarket::tick(8, 1h)});  // older than all that are kept
  EXPECT_THAT(read(), ElementsAre(7, 6, 5, 4, 3));
  Tick late = EdgeMarket::tick(9);
  late.ts_event = EdgeMarket::tick(5).ts_event;
  put({late});
  EXPECT_THAT(read(), ElementsAre(7, 6, 9, 5, 4));
  EXPECT_EQ(view().snapshot(kEurusd).newest_seq, 9U);
  EXPECT_EQ(view().newest_event(), EdgeMarket::tick(7).ts_event);
}

TEST_F(EdgeViewTest, AnswersRangesPagesAndBothOrders) {
  put(EdgeMarket::ticks(1, 5));
  const auto at = [](std::uint64_t seq) { return EdgeMarket::tick(seq).ts_event; };
  EXPECT_THAT(read([&](TickQuery& q) {
                q.from = at(2);
                q.to = at(5);
              }),
              ElementsAre(4, 3, 2));
  EXPECT_THAT(read([&](TickQuery& q) {
                q.from = at(2);
                q.to = at(5);
                q.newest_first = false;
              }),
              ElementsAre(2, 3, 4));
  EXPECT_THAT(read([&](TickQuery& q) {
                q.from = at(5);
                q.to = at(2);
              }),
              IsEmpty());
  bool has_more = false;
  EXPECT_THAT(read([&](TickQuery& q) { q.limit = 2; }, &has_more), ElementsAre(5, 4));
  EXPECT_TRUE(has_more);
  EXPECT_THAT(read(
                  [&](TickQuery& q) {
                    q.limit = 3;
                    q.after = TickPlace{at(4), 4};
                  },
                  &has_more),
              ElementsAre(3, 2, 1));
  EXPECT_FALSE(has_more);
  EXPECT_THAT(read([&](TickQuery& q) {
                q.newest_first = false;
                q.after = TickPlace{at(4), 4};
              }),
              ElementsAre(5));
  EXPECT_THAT(read([&](TickQuery& q) { q.max_seq = 3; }), ElementsAre(3, 2, 1));
  TickQuery first_three = every_tick();
  first_three.max_seq = 3;
  EXPECT_EQ(view().ticks(first_three).max_seq, 3U);
  EXPECT_EQ(view().ticks(every_tick()).max_seq, 5U);
}

TEST_F(EdgeViewTest, AnAmendedQuoteTakesThePlaceOfTheOld) {
  put({EdgeMarket::tick(1, 0s, kLateForBars), EdgeMarket::tick(2), EdgeMarket::tick(4)});
  EXPECT_TRUE(view().holds(EdgeMarket::tick(1, 0s, kLateForBars)));
  EXPECT_FALSE(view().holds(EdgeMarket::tick(1)));
  EventBatch batch;
  batch.amended = {EdgeMarket::tick(1), EdgeMarket::tick(3)};
  view().apply(batch);
  EXPECT_TRUE(view().holds(EdgeMarket::tick(1)));
  EXPECT_THAT(read(), ElementsAre(4, 3, 2, 1));
  put(EdgeMarket::ticks(5, 6));
  EXPECT_FALSE(view().keeps(EdgeMarket::tick(1)));
  EXPECT_TRUE(view().keeps(EdgeMarket::tick(7)));
}

TEST_F(EdgeViewTest, TellsTheActivityOfSymbolsAndLps) {
  put(EdgeMarket::ticks(1, 7));
  const auto all = view().activity();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].tick_count, 7U);
  EXPECT_EQ(all[0].last_event, EdgeMarket::tick(7).ts_event);
  ASSERT_EQ(all[0].lps.size(), 1U);
  EXPECT_EQ(all[0].lps[0].last_received, EdgeMarket::tick(7).ts_recv);
}

TEST_F(EdgeViewTest, OfTwoStatesOfABarTheLaterCounts) {
  put({EdgeMarket::bar(0, 3, false)});
  EXPECT_EQ(view().active_bar(kEurusd, kMinute)->tick_count, 3U);
  put({EdgeMarket::bar(0, 2, false)});
  EXPECT_EQ(bars().front().tick_count, 3U);
  EXPECT_FALSE(view().is_news({kEurusd, 0, EdgeMarket::bar(0, 3, false)}));
  EXPECT_TRUE(view().is_news({kEurusd, 0, EdgeMarket::bar(0, 4, false)}));
  put({EdgeMarket::bar(0, 4, true), EdgeMarket::bar(0, 9, false)});
  EXPECT_TRUE(bars().front().is_closed);
  EXPECT_FALSE(view().active_bar(kEurusd, kMinute));
  put({EdgeMarket::bar(0, 5, true, 2)});
  put({EdgeMarket::bar(0, 4, true, 1)});
  EXPECT_EQ(bars().front().revision, 2U);
  EXPECT_EQ(bars().size(), 1U);
}

TEST_F(EdgeViewTest, BarsAreTheNewestOfTheRange) {
  put({EdgeMarket::bar(2, 1, true), EdgeMarket::bar(0, 1, true), EdgeMarket::bar(3, 1, false),
       EdgeMarket::bar(1, 1, true)});
  const auto minutes = [](const std::vector<Bar>& found) {
    std::vector<std::int64_t> all;
    for (const Bar& bar : found) all.push_back((bar.open_time - kNow) / 1min);
    return all;
  };
  EXPECT_THAT(minutes(bars()), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(minutes(bars([&](BarQuery& q) { q.limit = 2; })), ElementsAre(2, 3));
  EXPECT_THAT(minutes(bars([&](BarQuery& q) {
                q.limit = 2;
                q.closed_only = true;
              })),
              ElementsAre(1, 2));
  EXPECT_THAT(minutes(bars([&](BarQuery& q) {
                q.from = kNow + 1min;
                q.to = kNow + 3min;
              })),
              ElementsAre(1, 2));
  EXPECT_THAT(minutes(bars([&](BarQuery& q) {
                q.from = kNow + 3min;
                q.to = kNow + 1min;
              })),
              IsEmpty());
  EXPECT_THAT(minutes(view().open_bars(kEurusd, kMinute)), ElementsAre(3));
  EXPECT_THAT(view().open_bars(kEurusd, Timeframe{7s}), IsEmpty());
  EXPECT_EQ(view().interval(SymbolId{*market_.data.symbols.intern(*parse_symbol("EURUSD"))}, kMinute, kNow + 61s).open,
            kNow + 1min);
}

TEST_F(EdgeViewTest, FiveHundredBarsAreKept) {
  for (int minute = 0; minute < 520; ++minute) put({EdgeMarket::bar(minute, 1, true)});
  EXPECT_EQ(bars([&](BarQuery& q) { q.limit = 1000; }).size(), 500U);
  EXPECT_EQ(bars([&](BarQuery& q) { q.limit = 1000; }).front().open_time, kNow + 20min);
  EXPECT_FALSE(view().is_news({kEurusd, 0, EdgeMarket::bar(0, 1, true)}));
}

}  // namespace
}  // namespace tickpipe::internal
