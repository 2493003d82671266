// The life of a pipeline in the process of a test, its readers, and what happens to who uses it the wrong way.

#include <tickpipe/pipeline.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "support/embedding.h"

namespace tickpipe::testing {
namespace {

namespace fs = std::filesystem;
using Status = LpQuoteResult::Status;

class LibraryPipelineTest : public EmbeddingTest {
 protected:
  /// Hands over `count` quotes of EURUSD, a millisecond apart, ending now.
  static void send(IntegrationAdapter& adapter, int count, const std::string& symbol = "EURUSD") {
    const std::int64_t end = now().nanos();
    for (int i = 0; i < count; ++i) {
      const Price bid = Price::from_units(1'164'000'000 + i * 10'000);
      const Price ask = Price::from_units(bid.units() + 20'000);
      const auto verdict =
          adapter.process_lp_quote_wait("LP1", symbol, bid, ask, Timestamp::from_nanos(end - (count - i) * 1'000'000LL),
                                        internal::testing::kPatience);
      ASSERT_TRUE(verdict.is_accepted()) << to_string(verdict.reason);
    }
  }
};

TEST_F(LibraryPipelineTest, WhatGoesInIsReadBack) {
  Pipeline pipeline(config_);
  pipeline.start();
  EXPECT_TRUE(pipeline.is_running());
  IntegrationAdapter adapter(pipeline);
  send(adapter, 20);

  const auto latest = pipeline.latest("eurusd");
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->id(), "EURUSD-20");
  EXPECT_EQ(latest->lp, "LP1");
  EXPECT_EQ(latest->bid.to_string(), "1.16419");
  EXPECT_EQ(latest->ask.to_string(), "1.16421");
  EXPECT_FALSE(latest->bid_size);

  const auto quotes = pipeline.quotes("EURUSD", {.limit = 5});
  ASSERT_EQ(quotes.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(quotes[i].seq, 16 + i);
  const auto range = pipeline.quotes("EURUSD", {.from = quotes[1].timestamp, .to = quotes[3].timestamp});
  ASSERT_EQ(range.size(), 2U);
  EXPECT_EQ(range[0].seq, 17U);

  const auto bars = pipeline.bars("EURUSD", "1d");
  ASSERT_FALSE(bars.empty());
  std::uint64_t ticks = 0;
  for (const Bar& bar : bars) ticks += bar.tick_count;
  EXPECT_EQ(ticks, 20U);
  EXPECT_EQ(bars.front().timeframe, "1d");
  EXPECT_EQ(bars.front().open.to_string(), "1.16401");
  EXPECT_EQ(bars.back().close.to_string(), "1.1642");
  EXPECT_EQ(pipeline.symbols(), std::vector<std::string>{"EURUSD"});
  EXPECT_EQ(pipeline.health().overall, HealthState::kHealthy);
  EXPECT_EQ(pipeline.health().components.size(), 5U);
  expect_settled(pipeline, 20);
  pipeline.stop();
  EXPECT_FALSE(pipeline.is_running());
  EXPECT_TRUE(log_.has("[Pipeline] Market data pipeline started"));
  EXPECT_TRUE(log_.has("[Pipeline] Started with 2 workers"));
  EXPECT_TRUE(log_.has("[Pipeline] Market data pipeline stopped"));
}

TEST_F(LibraryPipelineTest, SymbolsAndRangesThatAreNotThereAreEmptyAndWrongOnesThrow) {
  Pipeline pipeline(config_);
  pipeline.start();
  IntegrationAdapter adapter(pipeline);
  send(adapter, 2);
  EXPECT_FALSE(pipeline.latest("NONE"));
  EXPECT_FALSE(pipeline.latest("no symbol at all"));
  EXPECT_TRUE(pipeline.quotes("NONE").empty());
  EXPECT_TRUE(pipeline.bars("NONE", "1m").empty());
  EXPECT_TRUE(pipeline.quotes("EURUSD", {.from = now(), .to = Timestamp(1)}).empty());
  EXPECT_TRUE(pipeline.quotes("EURUSD", {.from = Timestamp(1'000'000'000), .to = Timestamp(1'000'000'001)}).empty());
  EXPECT_THROW((void)pipeline.quotes("EURUSD", {.limit = 0}), ConfigError);
  EXPECT_THROW((void)pipeline.quotes("EURUSD", {.limit = 10'001}), ConfigError);
  EXPECT_THROW((void)pipeline.bars("EURUSD", "2m"), ConfigError);
  EXPECT_THROW((void)pipeline.bars("EURUSD", "never"), ConfigError);
}

TEST_F(LibraryPipelineTest, AnotherRunGoesOnWhereTheFirstStopped) {
  {
    Pipeline pipeline(config_);
    pipeline.start();
    IntegrationAdapter adapter(pipeline);
    send(adapter, 3);
  }
  Pipeline pipeline(config_);
  ASSERT_TRUE(pipeline.latest("EURUSD"));  // can be read before start()
  EXPECT_EQ(pipeline.latest("EURUSD")->seq, 3U);
  EXPECT_EQ(pipeline.quotes("EURUSD").size(), 3U);
  pipeline.start();
  IntegrationAdapter adapter(pipeline);
  send(adapter, 1);
  EXPECT_EQ(pipeline.latest("EURUSD")->seq, 4U);
}

TEST_F(LibraryPipelineTest, TwoLiveInOneProcess) {
  PipelineConfig other = config_;
  other.data_dir = folder_ / "other";
  Pipeline first(config_);
  Pipeline second(other);
  first.start();
  second.start();
  IntegrationAdapter to_first(first);
  IntegrationAdapter to_second(second);
  send(to_first, 3);
  send(to_second, 5);
  send(to_first, 1);
  EXPECT_EQ(first.latest("EURUSD")->seq, 4U);
  EXPECT_EQ(second.latest("EURUSD")->seq, 5U);
  first.stop();
  send(to_second, 1);
  EXPECT_EQ(second.latest("EURUSD")->seq, 6U);
}

TEST_F(LibraryPipelineTest, ADataDirectoryBelongsToOneAtATime) {
  auto first = std::make_unique<Pipeline>(config_);
  IntegrationAdapter adapter(*first);  // outlives it, and holds nothing open
  EXPECT_THROW(Pipeline{config_}, Error);
  first.reset();
  Pipeline second(config_);
}

TEST_F(LibraryPipelineTest, AWrongSettingThrowsAndLeavesNothing) {
  config_.worker_count = 0;
  EXPECT_THROW(Pipeline{config_}, ConfigError);
  EXPECT_FALSE(fs::exists(config_.data_dir));
}

TEST_F(LibraryPipelineTest, StartAndStopMayBeCalledAgainButNotInTurns) {
  Pipeline pipeline(config_);
  pipeline.stop();  // before start(): nothing
  pipeline.start();
  pipeline.start();
  EXPECT_TRUE(pipeline.is_running());
  pipeline.stop();
  pipeline.stop();
  EXPECT_THROW(pipeline.start(), Error);
  EXPECT_FALSE(pipeline.is_running());
}

TEST_F(LibraryPipelineTest, StartAndStopFromSeveralThreadsAreOne) {
  Pipeline pipeline(config_);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { pipeline.start(); });
  }
  EXPECT_TRUE(pipeline.is_running());
  IntegrationAdapter adapter(pipeline);
  send(adapter, 1);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        pipeline.stop();
        EXPECT_FALSE(pipeline.is_running());
      });
    }
  }
  EXPECT_EQ(log_.count("[Pipeline] Market data pipeline started"), 1U);
  EXPECT_EQ(log_.count("[Pipeline] Market data pipeline stopped"), 1U);
}

TEST_F(LibraryPipelineTest, QuotesBeforeStartAndAfterStopAreNotTaken) {
  Pipeline pipeline(config_);
  IntegrationAdapter adapter(pipeline);
  EXPECT_EQ(adapter.process_lp_quote("LP1", "EURUSD", 1.1, 1.2, now()).status, Status::kStopped);
  EXPECT_EQ(adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), std::chrono::seconds{1}).status,
            LpQuoteVerdict::Status::kStopped);
  pipeline.start();
  send(adapter, 1);
  pipeline.stop();
  EXPECT_EQ(adapter.process_lp_quote("LP1", "EURUSD", 1.1, 1.2, now()).status, Status::kStopped);
  EXPECT_EQ(adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), std::chrono::seconds{1}).status,
            LpQuoteVerdict::Status::kStopped);
  EXPECT_EQ(pipeline.stats().ticks_received, 1U);
  EXPECT_EQ(pipeline.latest("EURUSD")->seq, 1U);  // what was there can be read
  EXPECT_EQ(pipeline.quotes("EURUSD").size(), 1U);
}

TEST_F(LibraryPipelineTest, WhatHoldsItMayOutliveIt) {
  auto pipeline = std::make_unique<Pipeline>(config_);
  pipeline->start();
  IntegrationAdapter adapter(*pipeline);
  ApiHandler api(*pipeline);
  std::atomic<int> ticks{0};
  Subscription subscription = pipeline->subscribe({}, [&](const Tick&) { ++ticks; });
  ASSERT_EQ(adapter.subscribe("client", {}, [](const Tick&) {}), 1U);
  send(adapter, 1);
  ASSERT_TRUE(eventually([&] { return ticks == 1; }));
  pipeline.reset();  // while subscribed
  EXPECT_EQ(adapter.process_lp_quote("LP1", "EURUSD", 1.1, 1.2, now()).status, Status::kStopped);
  EXPECT_EQ(adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), std::chrono::seconds{1}).status,
            LpQuoteVerdict::Status::kStopped);
  EXPECT_EQ(adapter.subscribe("other", {}, [](const Tick&) {}), 0U);
  EXPECT_EQ(adapter.disconnect("client"), 1U);
  EXPECT_EQ(api.handle({.target = "/healthz"}).status, 503);
  subscription.cancel();
  EXPECT_EQ(subscription.delivered(), 1U);
}

TEST_F(LibraryPipelineTest, OffNothingHappens) {
  config_.enabled = false;
  config_.worker_count = 0;  // not even looked at
  Pipeline pipeline(config_);
  EXPECT_FALSE(pipeline.is_enabled());
  pipeline.start();
  EXPECT_FALSE(pipeline.is_running());
  IntegrationAdapter adapter(pipeline);
  adapter.start_monitoring();
  EXPECT_EQ(adapter.process_lp_quote("LP1", "EURUSD", 1.1, 1.2, now()).status, Status::kOff);
  EXPECT_EQ(adapter.process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), std::chrono::hours{1}).status,
            LpQuoteVerdict::Status::kOff);
  const std::vector<LpQuote> batch(3);
  std::vector<LpQuoteResult> results(3, LpQuoteResult{Status::kQueued});
  EXPECT_EQ(adapter.process_lp_quotes(batch, results).not_taken, 3U);
  EXPECT_EQ(results.front().status, Status::kOff);
  EXPECT_EQ(adapter.subscribe("client", {}, [](const Tick&) {}), 0U);
  EXPECT_EQ(adapter.unsubscribe("client", {}), 0U);
  EXPECT_EQ(adapter.disconnect("client"), 0U);
  EXPECT_EQ(adapter.client_count(), 0U);
  Subscription subscription = pipeline.subscribe({}, [](const Tick&) {});
  EXPECT_FALSE(subscription.has_begun());
  EXPECT_EQ(ApiHandler(pipeline).handle({.target = "/healthz"}).status, 503);
  EXPECT_EQ(pipeline.stats().ticks_received, 0U);
  EXPECT_EQ(pipeline.health().overall, HealthState::kHealthy);
  EXPECT_FALSE(pipeline.latest("EURUSD"));
  EXPECT_TRUE(pipeline.quotes("EURUSD").empty());
  EXPECT_TRUE(pipeline.bars("EURUSD", "1m").empty());
  EXPECT_TRUE(pipeline.symbols().empty());
  EXPECT_EQ(pipeline.http_port(), 0);
  pipeline.stop();
  EXPECT_FALSE(fs::exists(config_.data_dir));
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(LibraryPipelineTest, WithoutAStoreNothingIsWritten) {
  config_.store.type = StoreType::kNone;
  Pipeline pipeline(config_);
  pipeline.start();
  IntegrationAdapter adapter(pipeline);
  send(adapter, 4);
  EXPECT_EQ(pipeline.quotes("EURUSD").size(), 4U);
  pipeline.stop();
  EXPECT_FALSE(fs::exists(config_.data_dir));
}

TEST_F(LibraryPipelineTest, AFeedMayBeAskedFor) {
  config_.feeds = {"sim:EURUSD"};
  Pipeline pipeline(config_);
  pipeline.start();
  EXPECT_TRUE(eventually([&] { return pipeline.latest("EURUSD").has_value(); }));
}

TEST_F(LibraryPipelineTest, TheVersionIsThatOfTheProject) { EXPECT_EQ(version(), TICKPIPE_TEST_VERSION); }

}  // namespace
}  // namespace tickpipe::testing
