#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "ingest/quote_producer.h"
#include "pipeline/stored_data.h"
#include "support/quote_scenario.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using testing::fold_brute_force;
using testing::make_scenario;
using testing::QuoteScenario;
using testing::ScenarioOptions;
using testing::TemporaryFolder;
using testing::without_history;

constexpr UnixNanos kNow{1'790'000'000LL * kNanosPerSecond};

Pipeline::Options options_for(const TemporaryFolder& folder, const Clock& clock) {
  return {.data_dir = folder / "data", .clock = &clock, .listeners = {}, .give_up_after = {}};
}

/// Feeds quotes [from, to) with flushes at random moments.
void feed(Pipeline& pipeline, const std::vector<RawQuote>& quotes, std::size_t from, std::size_t to,
          std::mt19937_64& random) {
  QuoteProducer producer(pipeline.intake(), *parse_lp("TEST"), QuoteProducer::WhenFull::kWait);
  const std::uint64_t flush_one_in = 1 + random() % 200;
  for (std::size_t i = from; i < to; ++i) {
    ASSERT_EQ(producer.submit(quotes[i]), std::nullopt);
    if (random() % flush_one_in == 0) producer.flush();
  }
  producer.flush();
}

/// Every stored tick is there once, in order, and every bar equals a brute-force fold.
void expect_stored(const TemporaryFolder& folder, const QuoteScenario& scenario, const BarSettings& settings) {
  StoredData data(folder / "data");
  const CalendarRules calendars = settings.calendars();
  for (const auto& [name, quotes] : scenario.accepted) {
    const SymbolId symbol = data.symbol(*parse_symbol(name));
    std::vector<Tick> ticks;
    data.for_each_tick(symbol, kNoTime, kEndOfTime, [&](const Tick& tick) { ticks.push_back(tick); });
    for (std::size_t i = 1; i < ticks.size(); ++i) {
      ASSERT_TRUE(ticks[i - 1].ts_event < ticks[i].ts_event ||
                  (ticks[i - 1].ts_event == ticks[i].ts_event && ticks[i - 1].seq < ticks[i].seq));
    }
    std::sort(ticks.begin(), ticks.end(), [](const Tick& a, const Tick& b) { return a.seq < b.seq; });
    ASSERT_EQ(ticks.size(), quotes.size()) << name;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      ASSERT_EQ(ticks[i].seq, i + 1);
      ASSERT_EQ(ticks[i].ts_event, *quotes[i].ts_event);
      ASSERT_EQ(ticks[i].bid, quotes[i].bid);
      ASSERT_EQ(ticks[i].ask, quotes[i].ask);
      ASSERT_EQ(ticks[i].bid_size, quotes[i].bid_size);
      ASSERT_EQ(data.lp_name(ticks[i].lp), *quotes[i].lp);
    }
    for (const Timeframe timeframe : settings.timeframes) {
      std::map<UnixNanos, Bar> bars;
      UnixNanos previous = kNoTime;
      data.for_each_bar(symbol, timeframe, kNoTime, kEndOfTime, [&](const Bar& bar) {
        ASSERT_GT(bar.open_time, previous);
        previous = bar.open_time;
        bars[bar.open_time] = bar;
      });
      ASSERT_EQ(without_history(bars), fold_brute_force(scenario.points(name), timeframe, calendars.for_symbol(name)))
          << name << " " << timeframe.name();
    }
  }
}

class AnyWorkerCountTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(AnyWorkerCountTest, TicksAndBarsAreExactWithRestartsAnywhere) {
  ManualClock clock(kNow);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const TemporaryFolder folder;
    const QuoteScenario scenario = make_scenario({.seed = seed, .count = 15'000});
    std::mt19937_64 random(seed);
    PipelineConfig config;
    config.worker_count = GetParam();
    config.tick_buffer_size = 64;  // back-pressure all the time
    std::uint64_t processed = 0;
    std::uint64_t duplicates = 0;
    for (std::size_t from = 0; from < scenario.quotes.size();) {
      const std::size_t to = std::min<std::size_t>(from + 1 + random() % 12'000, scenario.quotes.size());
      Pipeline pipeline(config, options_for(folder, clock));
      pipeline.start();
      feed(pipeline, scenario.quotes, from, to, random);
      if (random() % 2 == 0) pipeline.close_bars_through(*scenario.quotes[to - 1].ts_event - hours{1});
      pipeline.stop();
      const PipelineStats stats = pipeline.stats();
      EXPECT_EQ(stats.received, to - from);
      EXPECT_EQ(stats.in_flight, 0U);
      processed += stats.processed;
      duplicates += stats.duplicates();
      from = to;
      if (random() % 2 == 0) config.worker_count = 1 + static_cast<std::uint32_t>(random() % 5);
    }
    EXPECT_EQ(processed, scenario.distinct);
    EXPECT_EQ(processed + duplicates, scenario.quotes.size());
    expect_stored(folder, scenario, BarSettings::of(config));
  }
}

INSTANTIATE_TEST_SUITE_P(Workers, AnyWorkerCountTest, ::testing::Values(1U, 2U, 4U, 16U),
                         [](const auto& workers) { return std::to_string(workers.param); });

TEST(PipelineTest, LoadingTheSameAgainChangesNothing) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  const QuoteScenario scenario = make_scenario({.seed = 9, .count = 20'000});
  std::mt19937_64 random(9);
  for (int round = 0; round < 3; ++round) {
    Pipeline pipeline(PipelineConfig{}, options_for(folder, clock));
    pipeline.start();
    feed(pipeline, scenario.quotes, 0, scenario.quotes.size(), random);
    pipeline.close_bars_through(clock.now());
    pipeline.stop();
    EXPECT_EQ(pipeline.stats().processed, round == 0 ? scenario.distinct : 0);
    if (round == 0) continue;
    for (const auto& [timeframe, count] : pipeline.changed_bars()) EXPECT_EQ(count, 0U) << timeframe.name();
    EXPECT_LE(pipeline.stats().commits, 4U) << "price levels at most, one checkpoint a shard";
  }
  expect_stored(folder, scenario, BarSettings::of(PipelineConfig{}));
}

TEST(PipelineTest, MonthsInTheWrongOrderGiveTheSameBars) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  ScenarioOptions early{.seed = 4, .count = 15'000};
  ScenarioOptions late = early;
  late.seed = 5;
  late.start.ns += 31LL * 86400 * kNanosPerSecond;
  QuoteScenario both = make_scenario(late);
  const QuoteScenario first_month = make_scenario(early);
  both.quotes.insert(both.quotes.end(), first_month.quotes.begin(), first_month.quotes.end());
  for (const auto& [name, quotes] : first_month.accepted) {
    both.accepted[name].insert(both.accepted[name].end(), quotes.begin(), quotes.end());
  }
  std::mt19937_64 random(4);
  Pipeline pipeline(PipelineConfig{}, options_for(folder, clock));
  pipeline.start();
  feed(pipeline, both.quotes, 0, both.quotes.size(), random);
  feed(pipeline, both.quotes, 0, both.quotes.size(), random);  // and all of it again
  pipeline.close_bars_through(clock.now());
  pipeline.stop();
  EXPECT_EQ(pipeline.stats().processed, both.distinct + first_month.distinct);
  EXPECT_GT(pipeline.stats().out_of_order, first_month.distinct / 2);
  expect_stored(folder, both, BarSettings::of(PipelineConfig{}));
}

TEST(PipelineTest, ChangedBarsAreDistinctHoweverOftenTheyAreRead) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  QuoteScenario scenario = make_scenario({.seed = 12, .count = 6'000, .symbols = 2, .duplicates = false});
  std::mt19937_64 random(12);
  std::shuffle(scenario.quotes.begin(), scenario.quotes.end(), random);  // each bar is left and come back to
  Pipeline pipeline(PipelineConfig{}, options_for(folder, clock));
  pipeline.start();
  for (std::size_t from = 0; from < scenario.quotes.size(); from += 500) {
    feed(pipeline, scenario.quotes, from, std::min(from + 500, scenario.quotes.size()), random);
    pipeline.drain();
  }
  pipeline.stop();
  const CalendarRules calendars = BarSettings::of(PipelineConfig{}).calendars();
  for (const auto& [timeframe, count] : pipeline.changed_bars()) {
    std::size_t bars = 0;
    for (const auto& [name, quotes] : scenario.accepted) {
      bars += fold_brute_force(scenario.points(name), timeframe, calendars.for_symbol(name)).size();
    }
    EXPECT_EQ(count, bars) << timeframe.name();
  }
}

TEST(PipelineTest, NewBarSettingsFoldAllStoredTicksAgain) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  ScenarioOptions over_spring_change{.seed = 6, .count = 20'000};
  over_spring_change.start = {1'772'730'000LL * kNanosPerSecond};  // 2026-03-05
  const QuoteScenario scenario = make_scenario(over_spring_change);
  std::mt19937_64 random(6);
  PipelineConfig config;
  const std::size_t half = scenario.quotes.size() / 2;
  const auto run = [&](std::size_t from, std::size_t to) {
    Pipeline pipeline(config, options_for(folder, clock));
    pipeline.start();
    feed(pipeline, scenario.quotes, from, to, random);
    pipeline.stop();
  };
  run(0, half);
  config.day_close = "17:00 America/New_York";
  config.day_close_rules = {{"SYM1", "00:00 UTC"}};
  config.timeframes = {*parse_timeframe("30s"), *parse_timeframe("2m"), *parse_timeframe("4h"), *parse_timeframe("1d"),
                       kOneWeek};
  config.worker_count = 3;
  run(half, scenario.quotes.size());
  expect_stored(folder, scenario, BarSettings::of(config));
  config.timeframes.pop_back();
  run(0, scenario.quotes.size());
  expect_stored(folder, scenario, BarSettings::of(config));
}

/// Keeps the newest state of every bar that was published.
class BarCollector final : public BatchListener {
 public:
  void on_committed(const EventBatch& batch, Position /*position*/) override {
    for (const Tick& tick : batch.ticks) {
      EXPECT_EQ(tick.seq, ++seq[tick.symbol.value]) << "published in order, without holes";
    }
    for (const BarEvent& event : batch.bars) {
      bars[{event.symbol.value, event.timeframe_index}][event.bar.open_time] = event.bar;
    }
  }
  std::map<std::uint32_t, std::uint64_t> seq;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::map<UnixNanos, Bar>> bars;
};

TEST(PipelineTest, WithoutAStoreThePublishedBarsAreExact) {
  ManualClock clock(kNow);
  for (const std::uint32_t workers : {1U, 2U, 4U, 16U}) {
    QuoteScenario scenario = make_scenario({.seed = workers, .count = 20'000, .duplicates = false});
    std::mt19937_64 random(workers);
    PipelineConfig config;
    config.worker_count = workers;
    config.store.type = StoreType::kNone;
    config.bar_price = BarPrice::kMid;
    BarCollector collector;
    Pipeline pipeline(config, {.data_dir = {}, .clock = &clock, .listeners = {&collector}, .give_up_after = {}});
    pipeline.start();
    feed(pipeline, scenario.quotes, 0, scenario.quotes.size(), random);
    pipeline.close_bars_through(clock.now());
    pipeline.stop();
    ASSERT_EQ(collector.seq.size(), scenario.accepted.size());
    const CalendarRules calendars = BarSettings::of(config).calendars();
    std::vector<std::string> names;  // by number: in order of first sight
    for (const RawQuote& quote : scenario.quotes) {
      const std::string name(quote.symbol.view());
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    for (std::uint32_t s = 0; s < names.size(); ++s) {
      for (std::uint32_t t = 0; t < config.timeframes.size(); ++t) {
        ASSERT_EQ(without_history(collector.bars[{s, t}]),
                  fold_brute_force(scenario.points(names[s]), config.timeframes[t], calendars.for_symbol(names[s])));
      }
    }
  }
}

TEST(PipelineTest, TheAccountBalancesAtEveryMoment) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  PipelineConfig config;
  config.tick_buffer_size = 32;
  Pipeline pipeline(config, options_for(folder, clock));
  pipeline.start();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> looks{0};
  std::jthread watcher([&] {
    while (!done.load()) {
      const PipelineStats stats = pipeline.stats();
      // An in-flight count that went below zero would be enormous.
      ASSERT_LT(stats.in_flight, 1'000'000U);
      ASSERT_EQ(stats.received, stats.processed + stats.refused_total() + stats.dropped + stats.in_flight);
      looks.fetch_add(1);
    }
  });
  const QuoteScenario scenario = make_scenario({.seed = 3, .count = 40'000});
  std::vector<std::jthread> sources;
  for (std::uint64_t t = 0; t < 3; ++t) {
    sources.emplace_back([&, t] {
      // Live sources: what finds no room is dropped and counted. Each sends faults among good quotes.
      QuoteProducer producer(pipeline.intake(), *parse_lp("TEST"),
                             t == 0 ? QuoteProducer::WhenFull::kWait : QuoteProducer::WhenFull::kDrop);
      for (std::size_t i = t; i < scenario.quotes.size(); i += 3) {
        if (i % 7 == 0) producer.submit(scenario.quotes[i], Reason::kBadPrice);
        if (i % 11 == 0) producer.refuse(Reason::kLineTooLong);
        producer.submit(scenario.quotes[i]);
        if (i % 50 == 0) producer.flush();
      }
      producer.flush();
    });
  }
  sources.clear();
  pipeline.drain();
  done.store(true);
  watcher.join();
  const PipelineStats stats = pipeline.stats();
  EXPECT_EQ(stats.in_flight, 0U);
  EXPECT_EQ(stats.refused[index_of(Reason::kBadPrice)], (scenario.quotes.size() + 6) / 7);
  EXPECT_EQ(stats.refused[index_of(Reason::kLineTooLong)], (scenario.quotes.size() + 10) / 11);
  EXPECT_GT(looks.load(), 0U);
  pipeline.stop();
}

TEST(PipelineTest, AFullRingDropsOnlyForSourcesThatCannotWait) {
  ManualClock clock(kNow);
  PipelineConfig config;
  config.store.type = StoreType::kNone;
  config.worker_count = 1;
  config.tick_buffer_size = 16;
  Pipeline pipeline(config, {.data_dir = {}, .clock = &clock, .listeners = {}, .give_up_after = {}});
  // Not started: nobody empties the inbox.
  QuoteProducer producer(pipeline.intake(), *parse_lp("TEST"), QuoteProducer::WhenFull::kDrop);
  RawQuote quote = make_scenario({.count = 1}).quotes.at(0);
  for (int i = 0; i < 100; ++i) {
    ++quote.ts_event->ns;
    producer.submit(quote);
  }
  producer.flush();
  EXPECT_EQ(pipeline.stats().dropped, 84U);
  pipeline.start();
  pipeline.stop();
  EXPECT_EQ(pipeline.stats().processed, 16U);
  EXPECT_EQ(pipeline.stats().in_flight, 0U);
}

TEST(PipelineTest, NamesAreBoundedAndOnlyGoodQuotesMakeThemKnown) {
  ManualClock clock(kNow);
  PipelineConfig config;
  config.store.type = StoreType::kNone;
  config.max_symbols = 2;
  config.max_lps = 1;
  config.symbols = {"A", "B", "C"};
  Pipeline pipeline(config, {.data_dir = {}, .clock = &clock, .listeners = {}, .give_up_after = {}});
  QuoteProducer producer(pipeline.intake(), *parse_lp("TEST"), QuoteProducer::WhenFull::kWait);
  RawQuote quote;
  const auto submit = [&](const char* symbol, std::optional<Reason> fault = std::nullopt) {
    quote.symbol = *parse_symbol(symbol);
    return producer.submit(quote, fault);
  };
  quote.bid = quote.ask = Price{kUnitsPerOne};
  quote.ts_event = kNow;
  EXPECT_EQ(submit("A", Reason::kBadPrice), Reason::kBadPrice);
  EXPECT_EQ(submit("B"), std::nullopt);
  EXPECT_EQ(submit("C"), std::nullopt);
  EXPECT_EQ(submit("A"), Reason::kTooManySymbols);
  EXPECT_EQ(submit("A", Reason::kBadPrice), Reason::kTooManySymbols);  // names are judged before prices
  EXPECT_EQ(submit("X", Reason::kBadPrice), Reason::kUnknownSymbol);
  quote.lp = parse_lp("OTHER");
  EXPECT_EQ(submit("B"), Reason::kTooManyLps);
  quote.lp.reset();
  quote.ts_event = kNow + std::chrono::seconds{6};
  EXPECT_EQ(submit("B"), Reason::kInFuture);
  quote.ts_event = kNow + std::chrono::seconds{5};
  EXPECT_EQ(submit("B"), std::nullopt);
  quote.ts_event.reset();
  EXPECT_EQ(submit("B"), Reason::kBadTimestamp);
  pipeline.start();
  producer.flush();
}

TEST(PipelineTest, ASecondWriterIsToldWhoHoldsTheData) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  const Pipeline first(PipelineConfig{}, options_for(folder, clock));
  try {
    const Pipeline second(PipelineConfig{}, options_for(folder, clock));
    FAIL() << "two writers";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("in use by process"), std::string::npos) << error.what();
  }
}

TEST(PipelineTest, AReaderSeesCommittedDataBesideAWriter) {
  const TemporaryFolder folder;
  ManualClock clock(kNow);
  const QuoteScenario scenario = make_scenario({.seed = 8, .count = 5'000});
  std::mt19937_64 random(8);
  Pipeline pipeline(PipelineConfig{}, options_for(folder, clock));
  pipeline.start();
  feed(pipeline, scenario.quotes, 0, scenario.quotes.size(), random);
  pipeline.drain();
  expect_stored(folder, scenario, BarSettings::of(PipelineConfig{}));  // the newest bars are open and not stored
  pipeline.stop();
  expect_stored(folder, scenario, BarSettings::of(PipelineConfig{}));
}

}  // namespace
}  // namespace tickpipe::internal
