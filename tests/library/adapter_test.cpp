// Quotes of an engine: what becomes of them, from many threads, with a full queue and a full disk.

#include <tickpipe/integration_adapter.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <filesystem>
#include <limits>
#include <map>
#include <thread>
#include <vector>

#include "support/allocations.h"
#include "support/embedding.h"
#include "support/small_disk.h"

namespace tickpipe::testing {
namespace {

using Status = LpQuoteResult::Status;
using Verdict = LpQuoteVerdict::Status;
using internal::testing::kPatience;
using std::chrono::seconds;

Timestamp in(std::chrono::nanoseconds from_now) { return Timestamp::from_nanos(now().nanos() + from_now.count()); }

class LibraryAdapterTest : public EmbeddingTest {
 protected:
  Pipeline& start() {
    pipeline_ = std::make_unique<Pipeline>(config_);
    pipeline_->start();
    adapter_ = std::make_unique<IntegrationAdapter>(*pipeline_);
    return *pipeline_;
  }
  LpQuoteResult send(std::string_view lp, std::string_view symbol, Price bid, Price ask, Timestamp time) {
    return adapter_->process_lp_quote(lp, symbol, bid, ask, time);
  }
  static LpQuoteResult refused(Reason reason) { return {Status::kRefused, reason}; }

  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<IntegrationAdapter> adapter_;
};

TEST_F(LibraryAdapterTest, EachRefusalHasItsReason) {
  config_.symbols = {"EURUSD", "GBPUSD"};
  config_.max_lps = 1;
  start();
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(send("LP1", "EURUSD", 1.1, 1.2, now()).is_queued());
  EXPECT_TRUE(send("LP1", "eurusd", 1.1, 1.2, Timestamp::none()).is_queued());
  EXPECT_EQ(send("", "EURUSD", 1.1, 1.2, now()), refused(Reason::kBadLp));
  EXPECT_EQ(send("L P", "EURUSD", 1.1, 1.2, now()), refused(Reason::kBadLp));
  EXPECT_EQ(send("LP2", "EURUSD", 1.1, 1.2, now()), refused(Reason::kTooManyLps));
  EXPECT_EQ(send("LP1", "EUR USD", 1.1, 1.2, now()), refused(Reason::kBadSymbol));
  EXPECT_EQ(send("LP1", std::string(33, 'A'), 1.1, 1.2, now()), refused(Reason::kBadSymbol));
  EXPECT_EQ(send("LP1", "USDJPY", 1.1, 1.2, now()), refused(Reason::kUnknownSymbol));
  EXPECT_EQ(send("LP1", "USDJPY", nan, 1.2, now()), refused(Reason::kUnknownSymbol));
  EXPECT_EQ(send("LP1", "EURUSD", 0.0, 1.2, now()), refused(Reason::kBadPrice));
  EXPECT_EQ(send("LP1", "EURUSD", -1.1, 1.2, now()), refused(Reason::kBadPrice));
  EXPECT_EQ(send("LP1", "EURUSD", nan, 1.2, now()), refused(Reason::kBadPrice));
  EXPECT_EQ(send("LP1", "EURUSD", 1.1, 1e12, now()), refused(Reason::kBadPrice));
  EXPECT_EQ(send("LP1", "EURUSD", 1.3, 1.2, now()), refused(Reason::kCrossed));
  EXPECT_EQ(send("LP1", "EURUSD", 1.1, 1.2, Timestamp(0)), refused(Reason::kBadTimestamp));
  EXPECT_EQ(send("LP1", "EURUSD", 1.1, 1.2, Timestamp::from_nanos(std::numeric_limits<std::int64_t>::max())),
            refused(Reason::kBadTimestamp));
  EXPECT_EQ(send("LP1", "EURUSD", 1.1, 1.2, in(-seconds{700})), refused(Reason::kTooOld));
  EXPECT_EQ(send("LP1", "EURUSD", 1.1, 1.2, in(seconds{60})), refused(Reason::kInFuture));
  const LpQuote sized{"LP1", "EURUSD", 1.1, 1.2, now(), Quantity(-1.0), std::nullopt};
  EXPECT_EQ(adapter_->process_lp_quote(sized), refused(Reason::kMalformed));
  expect_settled(*pipeline_, 19);
  EXPECT_EQ(pipeline_->stats().ticks_processed, 2U);
  EXPECT_EQ(to_string(Reason::kInFuture), "in_future");
}

TEST_F(LibraryAdapterTest, SizesAndExactPricesAreKept) {
  start();
  const LpQuote quote{"LP1",
                      "EURUSD",
                      *Price::parse("1.164520001"),
                      *Price::parse("1.164520002"),
                      now(),
                      *Quantity::parse("1500000.5"),
                      Quantity(3.0)};
  ASSERT_TRUE(adapter_->process_lp_quote_wait(quote, kPatience).is_accepted());
  const auto tick = pipeline_->latest("EURUSD");
  ASSERT_TRUE(tick);
  EXPECT_EQ(tick->bid.to_string(), "1.164520001");
  EXPECT_EQ(tick->ask.to_string(), "1.164520002");
  EXPECT_EQ(tick->bid_size->to_string(), "1500000.5");
  EXPECT_EQ(tick->ask_size->to_string(), "3");
  EXPECT_EQ(tick->timestamp, quote.timestamp);
}

TEST_F(LibraryAdapterTest, WhoWaitsGetsTheVerdictAfterTheCommit) {
  start();
  const Timestamp time = now();
  EXPECT_EQ(adapter_->process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, time, kPatience).status, Verdict::kAccepted);
  EXPECT_EQ(pipeline_->latest("EURUSD")->seq, 1U);  // who has the verdict finds it
  const LpQuoteVerdict again = adapter_->process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, time, kPatience);
  EXPECT_EQ(again, (LpQuoteVerdict{Verdict::kRefused, Reason::kDuplicate}));
  const LpQuoteVerdict far = adapter_->process_lp_quote_wait("LP1", "EURUSD", 10.0, 10.1, now(), kPatience);
  EXPECT_EQ(far, (LpQuoteVerdict{Verdict::kRefused, Reason::kImplausiblePrice}));
  const LpQuoteVerdict bad = adapter_->process_lp_quote_wait("LP1", "EURUSD", 0.0, 10.1, now(), kPatience);
  EXPECT_EQ(bad, (LpQuoteVerdict{Verdict::kRefused, Reason::kBadPrice}));
  expect_settled(*pipeline_, 4);
}

TEST_F(LibraryAdapterTest, WaitersOfManyThreadsEachGetTheirOwn) {
  start();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::string lp = "LP" + std::to_string(t);
      for (int i = 0; i < 25; ++i) {
        const Timestamp time = now();
        EXPECT_TRUE(adapter_->process_lp_quote_wait(lp, "EURUSD", 1.1, 1.2, time, kPatience).is_accepted());
        const auto again = adapter_->process_lp_quote_wait(lp, "EURUSD", 1.1, 1.2, time, kPatience);
        EXPECT_EQ(again, (LpQuoteVerdict{Verdict::kRefused, Reason::kDuplicate}));
      }
    });
  }
  threads.clear();
  expect_settled(*pipeline_, 400);
  EXPECT_EQ(pipeline_->stats().ticks_processed, 200U);
}

TEST_F(LibraryAdapterTest, ATimeoutLeavesTheQuoteOnItsWay) {
  start();
  // Without waiting at all the commit has mostly not come yet; a thread that is held up may find it done.
  std::uint64_t sent = 0;
  ASSERT_TRUE(eventually([&] {
    ++sent;
    const auto verdict = adapter_->process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), seconds{0});
    return verdict.status == Verdict::kTimeout;
  }));
  expect_settled(*pipeline_, sent);
  EXPECT_EQ(pipeline_->stats().ticks_processed, sent);
}

TEST_F(LibraryAdapterTest, ABatchHasAResultForEach) {
  start();
  std::vector<LpQuote> quotes;
  const std::int64_t base = now().nanos();
  std::vector<std::string> symbols;
  for (int i = 0; i < 7; ++i) symbols.push_back("SYM" + std::to_string(i));
  for (int i = 0; i < 1000; ++i) {
    const double bid = i % 10 == 9 ? 0.0 : 1.0 + i * 0.00001;
    quotes.push_back({"LP1", symbols[static_cast<std::size_t>(i) % symbols.size()], bid, 1.5,
                      Timestamp::from_nanos(base + i), std::nullopt, std::nullopt});
  }
  std::vector<LpQuoteResult> results(quotes.size());
  const LpBatchResult total = adapter_->process_lp_quotes(quotes, results);
  EXPECT_EQ(total.queued, 900U);
  EXPECT_EQ(total.refused, 100U);
  EXPECT_EQ(total.dropped + total.not_taken, 0U);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i], i % 10 == 9 ? refused(Reason::kBadPrice) : LpQuoteResult{Status::kQueued}) << i;
  }
  EXPECT_EQ(adapter_->process_lp_quotes({}).queued, 0U);
  expect_settled(*pipeline_, 1000);
  for (const std::string& symbol : symbols) {
    const auto ticks = pipeline_->quotes(symbol, {.limit = 1000});
    for (std::size_t i = 1; i < ticks.size(); ++i) EXPECT_LT(ticks[i - 1].bid, ticks[i].bid);
  }
  pipeline_->stop();
  EXPECT_EQ(adapter_->process_lp_quotes(quotes, results).not_taken, 1000U);
  EXPECT_EQ(results.back().status, Status::kStopped);
}

TEST_F(LibraryAdapterTest, WhatFindsNoRoomIsDroppedAndCountedExactly) {
  config_.worker_count = 1;
  config_.tick_buffer_size = 16;
  config_.store.flush_interval = std::chrono::milliseconds{200};
  start();
  std::uint64_t queued = 0;
  std::uint64_t full = 0;
  std::uint64_t sent = 0;
  std::array<LpQuote, 100> batch;
  std::array<LpQuoteResult, 100> results;
  std::vector<std::int64_t> taken;  // times of those that were queued
  while (full == 0 || sent < 2000) {
    const std::int64_t base = now().nanos();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i] = {"LP1", "EURUSD", 1.1, 1.2, Timestamp::from_nanos(base + static_cast<std::int64_t>(i)), {}, {}};
    }
    const LpBatchResult total = adapter_->process_lp_quotes(batch, results);
    ASSERT_EQ(total.queued + total.dropped, batch.size());
    std::size_t in_results = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i].is_queued()) taken.push_back(batch[i].timestamp.nanos());
      in_results += results[i].is_queued() ? 1U : 0U;
    }
    ASSERT_EQ(in_results, total.queued);
    queued += total.queued;
    full += total.dropped;
    sent += batch.size();
  }
  expect_settled(*pipeline_, sent);
  EXPECT_EQ(pipeline_->stats().ticks_dropped, full);
  EXPECT_EQ(pipeline_->stats().ticks_processed + pipeline_->stats().ticks_duplicate, queued);
  // Those that were said to be queued are those that are there.
  const auto ticks = pipeline_->quotes("EURUSD", {.limit = 1000});
  std::size_t at = taken.size();
  for (std::size_t i = ticks.size(); i-- > 0 && at-- > 0;) EXPECT_EQ(ticks[i].timestamp.nanos(), taken[at]);
}

TEST_F(LibraryAdapterTest, SixteenThreadsKeepTheirOrder) {
  constexpr int kThreads = 16;
  constexpr int kSymbols = 5;
  constexpr int kQuotes = 2000;
  config_.worker_count = 4;
  config_.tick_buffer_size = 100'000;
  start();
  std::barrier together(kThreads);
  std::atomic<int> dropped{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const std::string lp = "LP" + std::to_string(t);
        const std::string symbol = "SYM" + std::to_string(t % kSymbols);
        together.arrive_and_wait();
        for (int i = 0; i < kQuotes; ++i) {
          const Price bid = Price::from_units(1'000'000'000 + i);
          if (!send(lp, symbol, bid, Price::from_units(1'100'000'000), now()).is_queued()) ++dropped;
        }
      });
    }
  }
  ASSERT_EQ(dropped, 0);
  expect_settled(*pipeline_, kThreads * kQuotes);
  std::size_t total = 0;
  for (int i = 0; i < kSymbols; ++i) {
    auto ticks = pipeline_->quotes("SYM" + std::to_string(i), {.limit = 10'000});
    std::sort(ticks.begin(), ticks.end(), [](const Tick& a, const Tick& b) { return a.seq < b.seq; });
    std::map<std::string, std::int64_t> next;  // by LP, in the order in which they were accepted
    for (const Tick& tick : ticks) ASSERT_EQ(tick.bid.units(), 1'000'000'000 + next[tick.lp]++) << tick.lp;
    total += ticks.size();
  }
  EXPECT_EQ(total, static_cast<std::size_t>(kThreads * kQuotes));
}

TEST_F(LibraryAdapterTest, SteadyStateAllocatesNothing) {
  config_.tick_buffer_size = 100'000;
  start();
  const auto round = [&] {
    for (int i = 0; i < 100; ++i) {
      for (const char* const symbol : {"EURUSD", "GBPUSD", "BTCUSD"}) send("LP1", symbol, 1.1, 1.2, now());
      send("LP1", "EURUSD", 0.0, 1.2, now());
    }
  };
  round();
  const std::uint64_t before = internal::testing::allocations_of_this_thread();
  round();
  EXPECT_EQ(internal::testing::allocations_of_this_thread(), before);
  const auto made = std::make_unique<int>(1);  // the counter counts
  EXPECT_EQ(internal::testing::allocations_of_this_thread(), before + 1);
  EXPECT_EQ(*made, 1);
}

TEST_F(LibraryAdapterTest, StopWhileOthersHandOverLosesNothing) {
  config_.tick_buffer_size = 1'000'000;
  start();
  std::atomic<std::uint64_t> queued{0};
  std::atomic<bool> has_begun{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string lp = "LP" + std::to_string(t);
      while (true) {
        const LpQuoteResult result = send(lp, "EURUSD", 1.1, 1.2, now());
        if (result.status == Status::kStopped) return;
        if (result.is_queued()) ++queued;
        if (queued > 1000) has_begun = true;
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return has_begun.load(); }));
  pipeline_->stop();
  threads.clear();
  const Statistics stats = pipeline_->stats();
  EXPECT_EQ(stats.ticks_in_flight, 0U);
  EXPECT_EQ(stats.ticks_processed + stats.ticks_duplicate, queued.load());
  EXPECT_EQ(stats.ticks_received, queued + stats.ticks_dropped);
}

TEST_F(LibraryAdapterTest, WhoWaitsIsToldWhenItStops) {
  config_.store.flush_interval = std::chrono::milliseconds{500};
  start();
  std::atomic<int> ended{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto verdict =
          adapter_->process_lp_quote_wait("LP" + std::to_string(t), "EURUSD", 1.1, 1.2, now(), std::chrono::hours{1});
      // What was queued before stop() is committed by it.
      EXPECT_TRUE(verdict.status == Verdict::kAccepted || verdict.status == Verdict::kStopped);
      ++ended;
    });
  }
  ASSERT_TRUE(eventually([&] { return pipeline_->stats().ticks_received != 0; }));
  pipeline_->stop();
  threads.clear();
  EXPECT_EQ(ended, 4);
}

TEST_F(LibraryAdapterTest, WithAFullDiskQuotesAreRefusedAndWorkGoesOnAfterwards) {
  std::filesystem::create_directories(folder_ / "disk");
  const internal::testing::SmallDisk disk(folder_ / "disk", folder_ / "holder");
  if (!disk.is_there()) GTEST_SKIP() << "no mount namespace here, the disk cannot be made: " << disk.why_not();
  disk.take_room(16'000'000);
  config_.data_dir = disk.inside("data");
  config_.worker_count = 1;
  start();
  std::uint64_t sent = 0;
  const auto send_one = [&] {
    ++sent;
    return send("LP1", "EURUSD", Price::from_units(1'000'000'000 + static_cast<std::int64_t>(sent % 1000)), 1.2, now());
  };
  ASSERT_TRUE(eventually([&] {
    for (int i = 0; i < 5000; ++i) {
      const LpQuoteResult result = send_one();
      if (result == refused(Reason::kStoreUnavailable)) return true;
      EXPECT_TRUE(result.is_queued() || result.status == Status::kQueueFull);
    }
    return false;
  }));
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(send_one(), refused(Reason::kStoreUnavailable));
  EXPECT_EQ(adapter_->process_lp_quote_wait("LP1", "EURUSD", 1.1, 1.2, now(), kPatience),
            (LpQuoteVerdict{Verdict::kRefused, Reason::kStoreUnavailable}));
  ++sent;
  EXPECT_EQ(pipeline_->health().overall, HealthState::kUnhealthy);
  EXPECT_TRUE(eventually([&] { return log_.has("[Storage] "); }));

  disk.give_room();
  ASSERT_TRUE(eventually([&] { return send_one().is_queued(); }));
  expect_settled(*pipeline_, sent);
  pipeline_->stop();
}

TEST_F(LibraryAdapterTest, MonitoringWritesALineFromTimeToTime) {
  config_.stats_interval = std::chrono::milliseconds{50};
  start();
  ASSERT_TRUE(send("LP1", "EURUSD", 1.1, 1.2, now()).is_queued());
  EXPECT_FALSE(log_.has("[Pipeline Stats]"));
  adapter_->start_monitoring();
  adapter_->start_monitoring();
  EXPECT_TRUE(eventually([&] { return log_.has("[Pipeline Stats] Received: 1 | Processed: 1 | Dropped: 0 | "); }));
}

TEST_F(LibraryAdapterTest, WithoutMonitoringNoLineOfStatisticsComes) {
  start();
  pipeline_->stop();
  EXPECT_FALSE(log_.has("[Pipeline Stats]"));
}

TEST_F(LibraryAdapterTest, LinesBelowTheLevelAreLeftOut) {
  config_.log.level = LogLevel::kWarn;
  start();
  pipeline_->stop();
  EXPECT_FALSE(log_.has_level_below(LogLevel::kWarn));
}

}  // namespace
}  // namespace tickpipe::testing
