#include "pipeline/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/utc_day.h"
#include "ingest/quote_producer.h"
#include "pipeline/pipeline.h"
#include "pipeline/redis_parts.h"
#include "pipeline/stored_data.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::TemporaryFolder;
using Step = Retention::Step;

constexpr hours kDay{24};
constexpr std::int32_t kFirstDay = 20'458;  // 2026-01-05
constexpr const char* kEuro = "EURUSD";
constexpr const char* kPound = "GBPUSD";

/// A moment of the test's n-th day.
UnixNanos on_day(int day, nanoseconds since_midnight = nanoseconds{0}) {
  return start_of_utc_day(kFirstDay + day) + since_midnight;
}

RawQuote make_quote(const char* symbol, UnixNanos ts, std::int64_t pips = 0) {
  RawQuote quote;
  quote.symbol = *parse_symbol(symbol);
  quote.bid.units = kUnitsPerOne + pips * (kUnitsPerOne / 10'000);
  quote.ask.units = quote.bid.units + kUnitsPerOne / 10'000;
  quote.ts_event = ts;
  return quote;
}

/// `count` quotes of a day, a minute apart, from 08:00 on.
std::vector<RawQuote> quotes_of_day(const char* symbol, int day, int count = 90) {
  std::vector<RawQuote> quotes;
  for (int i = 0; i < count; ++i) quotes.push_back(make_quote(symbol, on_day(day, hours{8} + minutes{i}), i % 7));
  return quotes;
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    config_.worker_count = 2;
    config_.max_tick_age_seconds = 0;
    config_.store.fsync_interval = seconds{1};
  }

  void open(const std::string& folder = "data") {
    close();
    pipeline_ = std::make_unique<Pipeline>(config_, Pipeline::Options{.data_dir = folder_ / folder,
                                                                      .clock = &clock_,
                                                                      .listeners = {},
                                                                      .give_up_after = {},
                                                                      .on_retention_step = [this](Step step) {
                                                                        if (on_step_) on_step_(step);
                                                                      }});
    pipeline_->start();
  }
  void close() {
    if (pipeline_) pipeline_->stop();
    pipeline_.reset();
  }

  /// Stores quotes, received now. Returns how many were accepted.
  std::uint64_t load(const std::vector<RawQuote>& quotes, QuoteOrigin origin = QuoteOrigin::kHistorical) {
    const std::uint64_t before = pipeline_->stats().processed;
    QuoteProducer producer(pipeline_->intake(), *parse_lp("TEST"), QuoteProducer::WhenFull::kWait);
    for (const RawQuote& quote : quotes) EXPECT_EQ(producer.submit(quote, std::nullopt, origin), std::nullopt);
    producer.flush();
    pipeline_->drain();
    return pipeline_->stats().processed - before;
  }
  /// A day of quotes, received at its end.
  void load_day(const char* symbol, int day) {
    clock_.set(on_day(day, hours{20}));
    const auto quotes = quotes_of_day(symbol, day);
    ASSERT_EQ(load(quotes), quotes.size());
  }

  Maintenance::CleanupResult apply(int days_of_ticks, int days_of_bars = 0) {
    return pipeline_->apply_retention({.ticks = kDay * days_of_ticks, .bars = kDay * days_of_bars}, clock_.now());
  }

  [[nodiscard]] SymbolId id(const char* symbol) const { return *pipeline_->symbols().find(*parse_symbol(symbol)); }
  [[nodiscard]] std::vector<Tick> ticks(const char* symbol, UnixNanos from = kNoTime, UnixNanos to = kEndOfTime) const {
    std::vector<Tick> found;
    pipeline_->history()->scan(id(symbol), from, to, [&](const Tick& tick) {
      found.push_back(tick);
      return true;
    });
    return found;
  }
  [[nodiscard]] std::size_t ticks_on(const char* symbol, int day) const {
    return ticks(symbol, on_day(day), on_day(day + 1)).size();
  }
  [[nodiscard]] std::vector<Bar> bars(const char* symbol, const char* timeframe, UnixNanos from = kNoTime,
                                      UnixNanos to = kEndOfTime) const {
    std::vector<Bar> found;
    pipeline_->history()->scan_bars(id(symbol), *parse_timeframe(timeframe), from, to, false, [&](const Bar& bar) {
      found.push_back(bar);
      return true;
    });
    return found;
  }
  [[nodiscard]] std::uint64_t too_old() const { return pipeline_->stats().refused[index_of(Reason::kTooOld)]; }

  /// What a kill at this moment would leave behind.
  void copy_data(const std::string& name) {
    std::filesystem::copy(folder_ / "data", folder_ / name, std::filesystem::copy_options::recursive);
  }

  TemporaryFolder folder_;
  ManualClock clock_{on_day(0)};
  PipelineConfig config_;
  std::function<void(Step)> on_step_;
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_F(RetentionTest, ADayGoesAsAWholeOnceItsLastTickWasStoredLongAgo) {
  open();
  load_day(kEuro, 0);
  load_day(kPound, 0);
  load_day(kEuro, 1);
  clock_.set(on_day(5));
  ASSERT_EQ(load({make_quote(kEuro, on_day(0, hours{3}))}), 1U);

  clock_.set(on_day(11) - nanoseconds{1});
  EXPECT_EQ(apply(10).removed_ticks, 0U) << "no day ended ten days ago";
  clock_.set(on_day(11));
  EXPECT_EQ(apply(10).removed_ticks, 90U);
  EXPECT_EQ(ticks_on(kPound, 0), 0U);
  EXPECT_EQ(ticks_on(kEuro, 0), 91U) << "its last tick was stored on day 5";
  EXPECT_EQ(ticks_on(kEuro, 1), 90U);
  clock_.set(on_day(12));
  EXPECT_EQ(apply(10).removed_ticks, 90U);
  EXPECT_EQ(ticks_on(kEuro, 0), 91U);
  clock_.set(on_day(15) - nanoseconds{1});
  EXPECT_EQ(apply(10).removed_ticks, 0U);
  clock_.set(on_day(15));
  EXPECT_EQ(apply(10).removed_ticks, 91U);
  EXPECT_TRUE(ticks(kEuro).empty());
  EXPECT_EQ(apply(10).removed_ticks, 0U);
}

TEST_F(RetentionTest, HistoryThatWasLoadedTodayStays) {
  open();
  clock_.set(on_day(100));
  ASSERT_EQ(load(quotes_of_day(kEuro, 0)), 90U);
  EXPECT_EQ(apply(10).removed_ticks, 0U);
  EXPECT_EQ(apply(10).removed_ticks, 0U);
  open();
  EXPECT_EQ(apply(10).removed_ticks, 0U);
  EXPECT_EQ(ticks_on(kEuro, 0), 90U);
  clock_.set(on_day(110));
  ASSERT_EQ(load({make_quote(kEuro, on_day(0, hours{20}))}), 1U);
  EXPECT_EQ(apply(10).removed_ticks, 0U) << "seen as old before, but a tick has come since";
  clock_.set(on_day(120));
  EXPECT_EQ(apply(10).removed_ticks, 91U);
}

TEST_F(RetentionTest, ASealedDayTakesNoQuotesWhateverTheyAre) {
  open();
  load_day(kEuro, 0);
  load_day(kEuro, 2);
  load_day(kPound, 2);
  clock_.set(on_day(12));
  ASSERT_EQ(apply(10).removed_ticks, 90U);
  for (int round = 0; round < 2; ++round) {
    const std::uint64_t before = too_old();
    EXPECT_EQ(load(quotes_of_day(kEuro, 0)), 0U) << "loaded again";
    EXPECT_EQ(load({make_quote(kEuro, on_day(0), 3), make_quote(kEuro, on_day(1) - nanoseconds{1}, 3)}), 0U);
    EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{9}), 5)}, QuoteOrigin::kLive), 0U);
    EXPECT_EQ(too_old() - before, 93U);
    EXPECT_EQ(pipeline_->stats().duplicates(), 0U);
    EXPECT_EQ(load({make_quote(kEuro, on_day(0) - nanoseconds{1}, round), make_quote(kEuro, on_day(1), round)}), 2U);
    EXPECT_EQ(load({make_quote(kPound, on_day(0, hours{9}), round)}), 1U) << "another symbol";
    open();
  }
}

TEST_F(RetentionTest, EverythingElseIsAsBefore) {
  open();
  for (int day = 0; day < 4; ++day) load_day(kEuro, day);
  load_day(kPound, 3);
  pipeline_->close_bars_through(on_day(2));
  const auto all = ticks(kEuro);
  std::map<std::string, std::vector<Bar>> before;
  for (const char* timeframe : {"1m", "1h", "1d"}) before[timeframe] = bars(kEuro, timeframe);
  ASSERT_GE(before["1d"].size(), 2U);

  clock_.set(on_day(12));
  ASSERT_EQ(apply(10).removed_ticks, 180U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ticks(kEuro), std::vector<Tick>(all.begin() + 180, all.end()));
    EXPECT_EQ(ticks(kPound).size(), 90U);
    for (const auto& [timeframe, wanted] : before) EXPECT_EQ(bars(kEuro, timeframe.c_str()), wanted) << timeframe;
    open();
  }
  ASSERT_EQ(load({make_quote(kEuro, on_day(11))}), 1U);
  EXPECT_EQ(ticks(kEuro).back().seq, all.back().seq + 1);
  EXPECT_EQ(load(quotes_of_day(kEuro, 3)), 0U);
  EXPECT_EQ(pipeline_->stats().duplicates(), 90U);
}

TEST_F(RetentionTest, ExportGoesOverTheGap) {
  open();
  for (int day = 0; day < 3; ++day) load_day(kEuro, day);
  clock_.set(on_day(4));
  ASSERT_EQ(load({make_quote(kEuro, on_day(1, hours{21}))}), 1U);  // keeps day 1
  clock_.set(on_day(13));
  ASSERT_EQ(apply(10).removed_ticks, 180U);
  StoredData data(folder_ / "data");  // beside the writer
  std::vector<UnixNanos> times;
  data.for_each_tick(data.symbol(*parse_symbol(kEuro)), kNoTime, kEndOfTime,
                     [&](const Tick& tick) { times.push_back(tick.ts_event); });
  ASSERT_EQ(times.size(), 91U);
  EXPECT_EQ(times.front(), on_day(1, hours{8}));
  std::uint64_t in_bars = 0;
  data.for_each_bar(data.symbol(*parse_symbol(kEuro)), *parse_timeframe("1d"), kNoTime, kEndOfTime,
                    [&](const Bar& bar) { in_bars += bar.tick_count; });
  EXPECT_EQ(in_bars, 271U);
}

TEST_F(RetentionTest, ATickBetweenTheLookAndTheSealKeepsTheDay) {
  open();
  load_day(kEuro, 0);
  load_day(kEuro, 1);
  clock_.set(on_day(12));
  on_step_ = [this](Step step) {
    if (step == Step::kLooked) {
      EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{20}))}), 1U);
    }
    if (step == Step::kSealed) {
      EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{21}))}), 0U);
    }
  };
  EXPECT_EQ(apply(10).removed_ticks, 90U) << "day 1";
  on_step_ = nullptr;
  EXPECT_EQ(ticks_on(kEuro, 0), 91U);
  EXPECT_EQ(too_old(), 1U);
  EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{22}))}), 1U) << "the seal was taken back";
  open();
  EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{23}))}), 1U);
  clock_.set(on_day(22));
  EXPECT_EQ(apply(10).removed_ticks, 93U);
}

TEST_F(RetentionTest, AKillBetweenAnyStepsIsFinishedByTheNextCleanup) {
  open();
  load_day(kPound, 0);  // all it has will go, its open bars and its seq stay
  for (int day = 0; day < 3; ++day) load_day(kEuro, day);
  const auto all = ticks(kEuro);
  clock_.set(on_day(12));
  const std::map<Step, std::string> copies = {
      {Step::kLooked, "looked"}, {Step::kSealed, "sealed"}, {Step::kCheckpointed, "checkpointed"}};
  on_step_ = [&](Step step) { copy_data(copies.at(step)); };
  ASSERT_EQ(apply(10).removed_ticks, 270U);
  on_step_ = nullptr;
  copy_data("removed");
  const auto open_bars = [this] {
    std::vector<std::pair<std::uint64_t, std::vector<Bar>>> found;
    pipeline_->for_each_symbol(
        [&](const SymbolState& state) { found.emplace_back(state.seq, state.bars.open_bars(0)); });
    return found;
  };
  open("looked");  // nothing was removed there yet
  const auto wanted_open = open_bars();
  ASSERT_EQ(wanted_open.size(), 2U);
  for (const auto& [seq, bars_of_symbol] : wanted_open) {
    EXPECT_GE(seq, 90U);
    EXPECT_FALSE(bars_of_symbol.empty());
  }

  for (const char* copy : {"looked", "sealed", "checkpointed", "removed"}) {
    const std::string name = copy;
    open(name);
    EXPECT_EQ(open_bars(), wanted_open) << name;
    EXPECT_EQ(ticks(kEuro).size(), name == "removed" ? 90U : 270U) << name;
    // The seal is as durable as the ticks.
    EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{8}), 0)}), 0U) << name;
    EXPECT_EQ(too_old(), name == "looked" ? 0U : 1U) << name;
    EXPECT_EQ(apply(10).removed_ticks, name == "removed" ? 0U : 270U) << name;
    EXPECT_EQ(ticks(kEuro).size(), 90U) << name;
    ASSERT_EQ(load({make_quote(kEuro, on_day(11))}), 1U) << name;
    EXPECT_EQ(ticks(kEuro).back().seq, all.back().seq + 1) << name;
  }
}

TEST_F(RetentionTest, ALongerRetentionAfterACrashTakesTheSealBack) {
  open();
  load_day(kEuro, 0);
  clock_.set(on_day(12));
  on_step_ = [](Step step) {
    if (step == Step::kSealed) throw Error("crash");
  };
  EXPECT_THROW(apply(10), Error);
  on_step_ = nullptr;
  EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{9}), 6)}), 0U);
  for (const int days : {20, 12, 0}) {
    open();
    EXPECT_EQ(apply(days).removed_ticks, 0U);
    EXPECT_EQ(load({make_quote(kEuro, on_day(0, hours{20}), days)}), 1U) << days;
    EXPECT_EQ(ticks_on(kEuro, 0), days == 20 ? 91U : days == 12 ? 92U : 93U);
  }
}

TEST_F(RetentionTest, ZeroIsForEver) {
  open();
  load_day(kEuro, 0);
  pipeline_->close_bars_through(on_day(1));
  const std::size_t count = bars(kEuro, "1m").size();
  clock_.set(on_day(36'500));
  const auto removed = apply(0, 0);
  EXPECT_EQ(removed.removed_ticks, 0U);
  EXPECT_EQ(removed.removed_bars, 0U);
  EXPECT_EQ(ticks(kEuro).size(), 90U);
  EXPECT_EQ(bars(kEuro, "1m").size(), count);
}

TEST_F(RetentionTest, NothingHappensUnlessItRuns) {
  config_.store.type = StoreType::kNone;
  open();
  EXPECT_EQ(apply(1, 1).removed_ticks, 0U);
  config_.store.type = StoreType::kEmbedded;
  open();
  load_day(kEuro, 0);
  clock_.set(on_day(12));
  pipeline_->stop();
  EXPECT_EQ(apply(10).removed_ticks, 0U);
  open();
  EXPECT_EQ(apply(10).removed_ticks, 90U);
}

TEST_F(RetentionTest, BarsGoByTheirEndAndTicksDoNotBringThemBack) {
  config_.timeframes = {*parse_timeframe("1m"), *parse_timeframe("1h"), *parse_timeframe("1d")};
  const auto old_bars = [this](const char* timeframe) { return bars(kEuro, timeframe, kNoTime, on_day(1)); };
  open();
  load_day(kEuro, 0);
  load_day(kPound, 8);
  load_day(kEuro, 9);
  pipeline_->close_bars_through(on_day(9));
  ASSERT_EQ(old_bars("1m").size(), 90U);
  ASSERT_EQ(old_bars("1h").size(), 2U);
  ASSERT_EQ(old_bars("1d").size(), 1U);

  clock_.set(on_day(10, hours{8} + minutes{60}));
  EXPECT_EQ(apply(0, 10).removed_bars, 61U) << "of 1m and 1h, those that ended by 09:00";
  EXPECT_EQ(old_bars("1m").size(), 30U);
  EXPECT_EQ(old_bars("1m").front().open_time, on_day(0, hours{9}));
  EXPECT_EQ(old_bars("1h").size(), 1U);
  EXPECT_EQ(old_bars("1d").size(), 1U);
  EXPECT_EQ(bars(kPound, "1m").size(), 90U);
  EXPECT_EQ(ticks(kEuro).size(), 180U);
  EXPECT_EQ(apply(0, 10).removed_bars, 0U);

  for (std::uint64_t round = 0; round < 2; ++round) {
    const auto pips = static_cast<std::int64_t>(8 + round);
    ASSERT_EQ(load({make_quote(kEuro, on_day(0, hours{8} + minutes{59}), pips),
                    make_quote(kEuro, on_day(0, hours{9} + minutes{1}), pips)}),
              2U);
    ASSERT_EQ(load({make_quote(kEuro, on_day(0, hours{8} + minutes{59}), pips)}), 0U) << "loading again folds none in";
    EXPECT_EQ(pipeline_->stats().late_for_bars, 1U);
    EXPECT_EQ(old_bars("1m").size(), 30U);
    EXPECT_EQ(old_bars("1m").at(1).tick_count, 2U + round);
    EXPECT_EQ(old_bars("1h").size(), 1U);
    EXPECT_EQ(old_bars("1h").front().tick_count, 31U + round);
    EXPECT_EQ(old_bars("1d").front().tick_count, 91U + round);
    open();
  }
  clock_.set(on_day(11));
  EXPECT_EQ(apply(0, 10).removed_bars, 32U);
  EXPECT_TRUE(old_bars("1d").empty());
}

TEST_F(RetentionTest, OtherBarSettingsAreRefusedOnceTicksAreGone) {
  open();
  load_day(kEuro, 0);
  load_day(kEuro, 5);
  clock_.set(on_day(12));
  ASSERT_EQ(apply(10).removed_ticks, 90U);
  close();
  const PipelineConfig good = config_;
  const auto message = [this](const PipelineConfig& config) -> std::string {
    config_ = config;
    try {
      open();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  PipelineConfig bad = good;
  bad.day_close = "17:00 America/New_York";
  EXPECT_EQ(message(bad).find("day_close differ"), 0U);
  bad.day_close = good.day_close;
  bad.day_close_rules = {{"EUR*", "17:00 America/New_York"}};
  EXPECT_EQ(message(bad).find("day_close differ"), 0U);
  bad.bar_price = BarPrice::kAsk;
  bad.timeframes.pop_back();
  EXPECT_EQ(message(bad).find("timeframes, bar_price, day_close differ"), 0U);
  EXPECT_NE(message(bad).find("fresh data directory"), std::string::npos);
  EXPECT_EQ(message(good), "accepted");
  EXPECT_EQ(ticks(kEuro).size(), 90U);
}

TEST_F(RetentionTest, QuotesMayPourInMeanwhile) {
  config_.tick_buffer_size = 256;
  open();
  constexpr int kDays = 6;
  for (int day = 0; day < kDays; ++day) load_day(kEuro, day);
  clock_.set(on_day(20));
  std::atomic<bool> done{false};
  std::vector<std::jthread> sources;
  for (int t = 0; t < 2; ++t) {
    sources.emplace_back([&, t] {
      QuoteProducer producer(pipeline_->intake(), *parse_lp("LP" + std::to_string(t)), QuoteProducer::WhenFull::kWait);
      for (std::int64_t i = 0; !done.load(std::memory_order_relaxed); ++i) {
        // The three days before this one, an old one at times, two symbols, and every fifth quote again.
        const int today = utc_day(clock_.now()) - kFirstDay;
        const int day = i % 257 == 0 ? static_cast<int>(i % 11) : today - 1 - static_cast<int>(i % 3);
        const RawQuote quote = make_quote(i % 2 == 0 ? kEuro : kPound, on_day(day, nanoseconds{1'000'000 * i}), i % 9);
        producer.take_time();
        producer.submit(quote);
        if (i % 5 == 0) producer.submit(quote);
        if (i % 64 == 0) producer.flush();
      }
    });
  }
  std::uint64_t removed = 0;
  for (int round = 0; round < 24; ++round) {
    clock_.advance(hours{12});
    const std::uint64_t before = pipeline_->stats().received;
    while (pipeline_->stats().received < before + 500) std::this_thread::yield();
    removed += apply(1).removed_ticks;
    const PipelineStats stats = pipeline_->stats();
    ASSERT_EQ(stats.received, stats.processed + stats.refused_total() + stats.dropped + stats.in_flight);
    ASSERT_LT(stats.in_flight, 1'000'000U);
  }
  done.store(true);
  sources.clear();
  pipeline_->drain();
  EXPECT_EQ(pipeline_->stats().in_flight, 0U);
  EXPECT_GT(removed, 90U * kDays) << "also of what came meanwhile";
  EXPECT_GT(too_old(), 0U);
  EXPECT_EQ(pipeline_->stats().processed, removed + ticks(kEuro).size() + ticks(kPound).size());
  clock_.advance(kDay * 2);
  removed += apply(1).removed_ticks;
  EXPECT_EQ(pipeline_->stats().processed, removed) << "all of it is old now";
  EXPECT_TRUE(ticks(kEuro).empty());
}

TEST_F(RetentionTest, WhatASinkHasMissedIsToldUnlessSomeOfItWasRemoved) {
  open();
  load_day(kEuro, 0);
  const Position after_first = pipeline_->store()->newest_position();
  load_day(kPound, 1);
  const auto since = [this](Position position) {
    return changes_since(*pipeline_->store(), pipeline_->timeframes(), position);
  };
  const auto missed = since(after_first);
  ASSERT_TRUE(missed);
  EXPECT_EQ(missed->symbols, std::vector<SymbolId>{id(kPound)});
  EXPECT_FALSE(missed->bars.empty());
  for (const BarEvent& event : missed->bars) EXPECT_EQ(event.symbol, id(kPound));
  EXPECT_EQ(since(Position{0})->symbols, (std::vector<SymbolId>{id(kEuro), id(kPound)}));

  clock_.set(on_day(4));
  ASSERT_EQ(apply(3).removed_ticks, 90U);
  EXPECT_FALSE(since(Position{0})) << "the first day is gone";
  EXPECT_TRUE(since(pipeline_->store()->newest_position())->symbols.empty());
  // The position of a sink stays with the data.
  pipeline_->store()->set_sink_position("redis", after_first);
  open();
  EXPECT_EQ(pipeline_->store()->sink_position("redis"), after_first);
  EXPECT_EQ(pipeline_->store()->sink_position("other"), std::nullopt);
}

}  // namespace
}  // namespace tickpipe::internal
