#include "publish/market_view.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "core/error.h"
#include "support/market_model.h"

namespace tickpipe::internal {
namespace {

using testing::HookedHistory;
using testing::MarketModel;

const std::vector<Timeframe> kTimeframes = {*parse_timeframe("1m"), *parse_timeframe("5m"), *parse_timeframe("1h")};
constexpr std::uint32_t kSymbols = 3;

void expect_same(const TickPage& page, const TickPage& expected) {
  EXPECT_EQ(page.ticks, expected.ticks);
  EXPECT_EQ(page.has_more, expected.has_more);
  EXPECT_EQ(page.max_seq, expected.max_seq);
}

TickQuery tick_query(SymbolId symbol) {
  TickQuery query;
  query.symbol = symbol;
  return query;
}

struct Setup {
  bool has_store = true;
  std::size_t hot_ticks = 64;
  std::size_t bar_bytes = std::size_t{64} << 20;
  std::uint64_t seed = 1;
};

class Market {
 public:
  explicit Market(const Setup& setup) : setup_(setup), model(setup.seed, kSymbols, kTimeframes), history(kTimeframes) {
    reopen();
  }

  /// A new process over the same data.
  void reopen() {
    MarketView::Options options;
    options.timeframes = kTimeframes;
    options.hot_ticks = setup_.hot_ticks;
    options.max_cached_bars_bytes = setup_.bar_bytes;
    options.calendar_of = [this](SymbolId) -> const TradingCalendar& { return calendar_; };
    options.history = setup_.has_store ? &history : nullptr;
    view = std::make_unique<MarketView>(options);
  }
  void restore() {
    reopen();
    for (std::uint32_t i = 0; i < kSymbols; ++i) {
      const SymbolId id{i};
      view->restore({.symbol = id,
                     .seq = model.newest_seq(id),
                     .latest = model.latest(id),
                     .newest = model.newest_event(id),
                     .lps = {{.lp = LpId{1}, .last_event = model.newest_event(id)}},
                     .open_bars = model.open_bars(id)});
    }
  }
  void commit(std::size_t batches = 1, std::size_t max_ticks = 12) {
    for (std::size_t i = 0; i < batches; ++i) {
      const EventBatch batch = model.next_batch(max_ticks);
      view->on_committed(batch, history.commit(batch));
    }
  }

  void expect_ticks(const TickQuery& query) {
    const std::uint64_t seq = std::min(query.max_seq, model.newest_seq(query.symbol));
    const bool in_memory = view->ticks_in_memory(query);
    const std::size_t reads = history.reads();
    expect_same(view->ticks(query), model.page(query, seq, setup_.has_store ? 0 : setup_.hot_ticks));
    if (in_memory) {
      EXPECT_EQ(history.reads(), reads);
      ++from_memory;
    } else {
      EXPECT_NE(history.reads(), reads);
      ++from_store;
    }
  }
  void expect_bars(const BarQuery& query) {
    const bool in_memory = view->bars_in_memory(query);
    const std::size_t reads = history.reads();
    EXPECT_EQ(view->bars(query), model.bars(query));
    if (in_memory) {
      EXPECT_EQ(history.reads(), reads);
      ++from_memory;
    } else {
      EXPECT_NE(history.reads(), reads);
      ++from_store;
    }
  }
  void expect_everything() {
    for (std::uint32_t i = 0; i < kSymbols; ++i) {
      const SymbolId id{i};
      TickQuery all;
      all.symbol = id;
      all.limit = 1'000'000;
      expect_ticks(all);
      for (const Timeframe timeframe : kTimeframes) {
        expect_bars({.symbol = id, .timeframe = timeframe, .limit = 1'000'000});
      }
    }
  }

 private:
  const Setup setup_;
  const TradingCalendar calendar_{"00:00 UTC"};

 public:
  MarketModel model;
  HookedHistory history;
  std::unique_ptr<MarketView> view;
  std::size_t from_memory = 0;
  std::size_t from_store = 0;
};

class MarketViewRandomTest : public ::testing::TestWithParam<Setup> {};

TEST_P(MarketViewRandomTest, EveryAnswerIsThatOfAllCommittedData) {
  Market market(GetParam());
  for (int round = 0; round < 250 && !::testing::Test::HasFailure(); ++round) {
    market.commit(1, 40);
    if (GetParam().has_store && round % 100 == 99) market.restore();
    for (int i = 0; i < 4; ++i) {
      const SymbolId id{static_cast<std::uint32_t>(round + i) % kSymbols};
      if (market.model.newest_seq(id) == 0) continue;
      market.expect_ticks(market.model.random_tick_query(id));
      market.expect_bars(market.model.random_bar_query(id));
      if (market.model.latest(id).seq != 0) {
        EXPECT_EQ(market.view->latest(id), market.model.latest(id));
      }
      for (const Timeframe timeframe : kTimeframes) {
        const auto bars = market.model.bars({.symbol = id, .timeframe = timeframe, .limit = 1'000'000});
        std::optional<Bar> active;
        for (const Bar& bar : bars) {
          if (!bar.is_closed) active = bar;
        }
        EXPECT_EQ(market.view->active_bar(id, timeframe), active);
      }
    }
  }
  market.expect_everything();
  EXPECT_GT(market.from_memory, 100U);
  if (GetParam().has_store) {
    EXPECT_GT(market.from_store, 100U);
  } else {
    EXPECT_EQ(market.from_store, 0U);
    EXPECT_EQ(market.history.reads(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, MarketViewRandomTest,
                         ::testing::Values(Setup{.hot_ticks = 1}, Setup{.hot_ticks = 50, .seed = 2},
                                           Setup{.hot_ticks = 700, .seed = 3},
                                           Setup{.hot_ticks = 50, .bar_bytes = 0, .seed = 4},
                                           Setup{.hot_ticks = 50, .bar_bytes = 60'000, .seed = 5},
                                           Setup{.has_store = false, .hot_ticks = 70, .seed = 6},
                                           Setup{.has_store = false, .hot_ticks = 3000, .seed = 7}));

// What is committed while a reader fills memory from the store, before and after each of its reads.
TEST(MarketViewTest, CommitsDuringAFillAreNeitherLostNorDoubled) {
  for (std::uint64_t seed = 1; seed <= 40 && !::testing::Test::HasFailure(); ++seed) {
    Market market({.hot_ticks = 20 + 10 * (seed % 8), .seed = seed});
    market.model.late_one_in = 2;
    market.commit(60);
    market.restore();
    std::mt19937_64 random(seed);
    std::optional<EventBatch> stored;  // and not yet published
    const auto step = [&] {
      if (stored) {
        market.view->on_committed(*stored, Position{});
        stored.reset();
      } else {
        stored = market.model.next_batch(6);
        market.history.commit(*stored);
      }
    };
    const auto hook = [&] {
      // Now and then more than memory holds.
      for (std::uint64_t steps = random() % 8 == 0 ? 200 : random() % 4; steps > 0; --steps) step();
    };
    const auto expect_page = [&](const TickQuery& query) {
      const TickPage page = market.view->ticks(query);
      expect_same(page, market.model.page(query, page.max_seq));
    };
    for (std::uint32_t i = 0; i < kSymbols; ++i) {
      TickQuery query = tick_query(SymbolId{i});
      query.newest_first = seed % 2 == 0;
      query.limit = 5 + seed % 100;
      market.history.hook = hook;
      expect_page(query);
      market.history.hook = nullptr;
      for (int k = 0; k < 50; ++k) expect_page(market.model.random_tick_query(SymbolId{i}));
      for (std::size_t limit = 10; limit < 100; ++limit) {
        query = tick_query(SymbolId{i});
        query.limit = limit;
        expect_page(query);
        // From the last one of that page upwards: the edge of what is in memory.
        const auto quotes = market.model.quotes(SymbolId{i});
        if (quotes.size() < limit) continue;
        query.newest_first = false;
        query.from = quotes[quotes.size() - limit].ts_event;
        expect_page(query);
      }
      market.history.hook = hook;
      for (const Timeframe timeframe : kTimeframes) {
        static_cast<void>(market.view->bars({.symbol = SymbolId{i}, .timeframe = timeframe, .limit = 10}));
      }
    }
    market.history.hook = nullptr;
    if (stored) step();
    market.expect_everything();
    for (std::uint32_t i = 0; i < kSymbols; ++i) {
      TickQuery newest;
      newest.symbol = SymbolId{i};
      newest.limit = 20;
      EXPECT_TRUE(market.view->ticks_in_memory(newest));
      market.expect_ticks(newest);
    }
  }
}

TEST(MarketViewTest, WhatIsStoredAndNotYetPublishedIsNotShown) {
  Market market({.hot_ticks = 5});
  market.commit(30);
  TickQuery query;
  query.limit = 1000;
  const TickPage before = market.view->ticks(query);
  market.history.commit(market.model.next_batch());
  expect_same(market.view->ticks(query), before);
}

TEST(MarketViewTest, PagesShowTheDataOfTheFirstPageEachOnceWhileMoreIsCommitted) {
  for (const bool newest_first : {true, false}) {
    for (const std::size_t hot : {10U, 40U, 5000U}) {
      Market market({.hot_ticks = hot, .seed = hot});
      market.model.late_one_in = 2;
      market.commit(100);
      TickQuery query;
      query.newest_first = newest_first;
      query.limit = 7;
      auto expected = market.model.quotes(query.symbol);
      if (newest_first) std::reverse(expected.begin(), expected.end());
      std::vector<Tick> seen;
      for (;;) {
        const TickPage page = market.view->ticks(query);
        EXPECT_EQ(page.max_seq, expected.size());
        seen.insert(seen.end(), page.ticks.begin(), page.ticks.end());
        if (!page.has_more) break;
        ASSERT_EQ(page.ticks.size(), query.limit);
        query.max_seq = page.max_seq;
        query.after = TickPlace{seen.back().ts_event, seen.back().seq};
        market.commit();
      }
      EXPECT_EQ(seen, expected);
    }
  }
}

TEST(MarketViewTest, AnUnknownSymbolOrTimeframeHasNothingAndNeedsNoDisk) {
  Market market({});
  market.commit();
  const SymbolId unknown{5'000'000};
  EXPECT_EQ(market.view->latest(unknown), std::nullopt);
  EXPECT_TRUE(market.view->ticks(tick_query(unknown)).ticks.empty());
  EXPECT_TRUE(market.view->bars({.symbol = unknown, .timeframe = kTimeframes[0]}).empty());
  EXPECT_TRUE(market.view->bars({.symbol = SymbolId{0}, .timeframe = *parse_timeframe("1d")}).empty());
  EXPECT_EQ(market.view->active_bar(unknown, kTimeframes[0]), std::nullopt);
  EXPECT_EQ(market.history.reads(), 0U);
}

TEST(MarketViewTest, AFailedReadIsThrownAndTheNextOneSucceeds) {
  Market market({.hot_ticks = 20});
  market.commit(100);
  market.restore();
  market.history.fail(true);
  const BarQuery bars{.symbol = SymbolId{1}, .timeframe = kTimeframes[0]};
  EXPECT_THROW(static_cast<void>(market.view->ticks(tick_query(SymbolId{1}))), Error);
  EXPECT_THROW(static_cast<void>(market.view->bars(bars)), Error);
  market.history.fail(false);
  market.commit(10);
  market.expect_ticks(tick_query(SymbolId{1}));
  market.expect_bars(bars);
}

TEST(MarketViewTest, HotTicksMayChangeWhileRunning) {
  Market market({.hot_ticks = 100});
  market.commit(200);
  const std::size_t bytes = market.view->memory_bytes();
  TickQuery query;
  query.limit = 50;
  EXPECT_TRUE(market.view->ticks_in_memory(query));
  market.view->set_hot_ticks(10);
  EXPECT_LT(market.view->memory_bytes(), bytes);
  EXPECT_FALSE(market.view->ticks_in_memory(query));
  market.expect_ticks(query);
  market.view->set_hot_ticks(200);
  EXPECT_FALSE(market.view->ticks_in_memory(query));
  market.expect_ticks(query);  // fills it anew
  query.limit = 199;
  EXPECT_TRUE(market.view->ticks_in_memory(query));
  market.commit(20);
  market.expect_ticks(query);
}

TEST(MarketViewTest, ActivityCountsQuotesPerSymbolAndLp) {
  Market market({});
  market.commit(100);
  std::uint64_t total = 0;
  UnixNanos newest = kNoTime;
  const auto activity = market.view->activity();
  ASSERT_EQ(activity.size(), kSymbols);
  for (std::uint32_t i = 0; i < kSymbols; ++i) {
    EXPECT_EQ(activity[i].symbol, SymbolId{i});
    std::map<LpId, LpActivity> expected;
    UnixNanos received = kNoTime;
    for (const Tick& tick : market.model.quotes(SymbolId{i})) {
      LpActivity& lp = expected[tick.lp];
      ++lp.tick_count;
      lp.last_event = std::max(lp.last_event, tick.ts_event);
      lp.last_received = std::max(lp.last_received, tick.ts_recv);
      received = std::max(received, tick.ts_recv);
    }
    EXPECT_EQ(activity[i].tick_count, market.model.newest_seq(SymbolId{i}));
    EXPECT_EQ(activity[i].last_event, market.model.newest_event(SymbolId{i}));
    EXPECT_EQ(activity[i].last_received, received);
    ASSERT_EQ(activity[i].lps.size(), expected.size());
    for (const LpActivity& lp : activity[i].lps) {
      EXPECT_EQ(lp.tick_count, expected[lp.lp].tick_count);
      EXPECT_EQ(lp.last_event, expected[lp.lp].last_event);
      EXPECT_EQ(lp.last_received, expected[lp.lp].last_received);
    }
    total += activity[i].tick_count;
    newest = std::max(newest, activity[i].last_event);
  }
  EXPECT_EQ(market.view->quotes_seen(), total);
  EXPECT_EQ(market.view->newest_event(), newest);
  EXPECT_EQ(market.view->symbol_count(), kSymbols);
}

TEST(MarketViewTest, ARestartKnowsLatestActivityAndOpenBarsWithoutTheDisk) {
  Market market({});
  market.commit(100);
  market.restore();
  for (std::uint32_t i = 0; i < kSymbols; ++i) {
    const SymbolId id{i};
    EXPECT_EQ(market.view->latest(id), market.model.latest(id));
    const SymbolActivity activity = market.view->activity().at(i);
    EXPECT_EQ(activity.tick_count, market.model.newest_seq(id));
    EXPECT_EQ(activity.last_event, market.model.newest_event(id));
    EXPECT_EQ(activity.lps.size(), 1U);
    for (const Timeframe timeframe : kTimeframes) {
      const auto bars = market.model.bars({.symbol = id, .timeframe = timeframe});
      if (!bars.back().is_closed) {
        EXPECT_EQ(market.view->active_bar(id, timeframe), bars.back());
      }
    }
  }
  EXPECT_EQ(market.view->quotes_seen(), 0U);
  EXPECT_EQ(market.history.reads(), 0U);
  market.commit(10);
  market.expect_everything();
}

TEST(MarketViewTest, CachedBarsStayWithinTheirBytes) {
  for (const bool has_store : {true, false}) {
    constexpr std::size_t kBytes = 20'000;
    Market market({.has_store = has_store, .bar_bytes = kBytes});
    market.view->set_hot_ticks(1);
    market.commit(1, 1);
    const std::size_t base = market.view->memory_bytes();
    for (int i = 0; i < 300; ++i) {
      market.commit(1, 40);
      const BarQuery query{.symbol = SymbolId{0}, .timeframe = kTimeframes[0], .limit = 5};
      EXPECT_EQ(market.view->bars(query), market.model.bars(query));
      EXPECT_LE(market.view->memory_bytes(), base + kBytes + 20'000);  // views of the other symbols
    }
  }
}

TEST(MarketViewTest, ReadersGetOrderedAnswersWhileOneThreadCommits) {
  for (const bool has_store : {true, false}) {
    Market market({.has_store = has_store, .hot_ticks = 30, .bar_bytes = 30'000});
    market.commit(50);
    if (has_store) market.restore();
    std::atomic<bool> is_done{false};
    std::vector<std::jthread> readers;
    for (std::uint32_t r = 0; r < 3; ++r) {
      readers.emplace_back([&, r] {
        std::mt19937 random(r);
        std::uint64_t last_seq = 0;
        do {
          const SymbolId id{0};
          TickQuery query;
          query.symbol = id;
          query.newest_first = random() % 2 == 0;
          query.limit = random() % 60;
          const TickPage page = market.view->ticks(query);
          EXPECT_GE(page.max_seq, last_seq);
          last_seq = page.max_seq;
          for (std::size_t i = 1; i < page.ticks.size(); ++i) {
            const TickPlace a{page.ticks[i - 1].ts_event, page.ticks[i - 1].seq};
            const TickPlace b{page.ticks[i].ts_event, page.ticks[i].seq};
            EXPECT_TRUE(query.newest_first ? b < a : a < b);
          }
          if (const auto latest = market.view->latest(id)) {
            EXPECT_GE(latest->seq, 1U);
          }
          const auto bars = market.view->bars({.symbol = id, .timeframe = kTimeframes[random() % 3], .limit = 20});
          for (std::size_t i = 1; i < bars.size(); ++i) EXPECT_LT(bars[i - 1].open_time, bars[i].open_time);
          static_cast<void>(market.view->activity());
          static_cast<void>(market.view->active_bar(id, kTimeframes[1]));
        } while (!is_done);
      });
    }
    for (int i = 0; i < 300; ++i) {
      market.commit();
      if (i % 50 == 0) market.view->set_hot_ticks(20 + static_cast<std::size_t>(i) % 100);
    }
    is_done = true;
    readers.clear();
    if (has_store) market.expect_everything();
  }
}

}  // namespace
}  // namespace tickpipe::internal
