// Ticks to functions of the program that embeds the library.

#include <tickpipe/subscription.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/embedding.h"

namespace tickpipe::testing {
namespace {

class LibrarySubscriptionTest : public EmbeddingTest {
 protected:
  void SetUp() override {
    pipeline_ = std::make_unique<Pipeline>(config_);
    pipeline_->start();
    adapter_ = std::make_unique<IntegrationAdapter>(*pipeline_);
  }
  /// The i-th quote of a symbol.
  void send(const std::string& symbol, int i) {
    const Price bid = Price::from_units(1'164'000'000 + i * 10'000);
    ASSERT_TRUE(adapter_
                    ->process_lp_quote_wait("LP1", symbol, bid, Price::from_units(bid.units() + 5), now(),
                                            internal::testing::kPatience)
                    .is_accepted());
  }

  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<IntegrationAdapter> adapter_;
};

TEST_F(LibrarySubscriptionTest, FirstTheLatestThenEveryTickInOrder) {
  for (int i = 0; i < 3; ++i) send("EURUSD", i);
  send("GBPUSD", 0);
  std::mutex mutex;
  std::vector<Tick> ticks;
  Subscription subscription = pipeline_->subscribe({"eurusd"}, [&](const Tick& tick) {
    const std::lock_guard lock(mutex);
    ticks.push_back(tick);
  });
  ASSERT_TRUE(eventually([&] { return subscription.has_begun(); }));
  for (int i = 3; i < 53; ++i) send("EURUSD", i);
  send("GBPUSD", 1);
  ASSERT_TRUE(eventually([&] { return subscription.delivered() == 51; }));
  pipeline_->stop();
  ASSERT_EQ(ticks.size(), 51U);
  EXPECT_TRUE(ticks.front().is_snapshot);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    EXPECT_EQ(ticks[i].seq, 3 + i);
    EXPECT_EQ(ticks[i].symbol, "EURUSD");
    EXPECT_EQ(ticks[i].lp, "LP1");
    EXPECT_EQ(ticks[i].bid.units(), 1'164'000'000 + static_cast<std::int64_t>(2 + i) * 10'000);
    EXPECT_EQ(ticks[i].is_snapshot, i == 0);
    EXPECT_EQ(ticks[i].skipped, 0U);
  }
}

TEST_F(LibrarySubscriptionTest, OneOfAllSymbolsHasThoseToComeToo) {
  std::mutex mutex;
  std::map<std::string, std::uint64_t> last;
  Subscription subscription = pipeline_->subscribe({}, [&](const Tick& tick) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(tick.seq, last[tick.symbol] + 1);
    last[tick.symbol] = tick.seq;
  });
  ASSERT_TRUE(eventually([&] { return subscription.has_begun(); }));
  for (int i = 0; i < 10; ++i) {
    for (const char* const symbol : {"EURUSD", "GBPUSD", "BTCUSD"}) send(symbol, i);
  }
  ASSERT_TRUE(eventually([&] { return subscription.delivered() == 30; }));
}

TEST_F(LibrarySubscriptionTest, ACancelledOneIsSilent) {
  std::atomic<int> count{0};
  Subscription subscription = pipeline_->subscribe({"EURUSD"}, [&](const Tick&) { ++count; });
  send("EURUSD", 0);
  ASSERT_TRUE(eventually([&] { return count == 1; }));
  subscription.cancel();
  subscription.cancel();
  send("EURUSD", 1);
  std::atomic<int> others{0};
  Subscription other = pipeline_->subscribe({"EURUSD"}, [&](const Tick&) { ++others; });
  ASSERT_TRUE(eventually([&] { return others == 1; }));  // the same thread has had its turn
  EXPECT_EQ(count, 1);
}

TEST_F(LibrarySubscriptionTest, AHandlerMaySubscribeCancelReadAndThrow) {
  std::atomic<int> inner_count{0};
  std::mutex mutex;
  Subscription inner;
  Subscription outer = pipeline_->subscribe({"EURUSD"}, [&](const Tick& tick) {
    EXPECT_EQ(pipeline_->latest("EURUSD")->symbol, tick.symbol);
    {
      const std::lock_guard lock(mutex);
      if (tick.seq == 1) inner = pipeline_->subscribe({"EURUSD"}, [&](const Tick&) { ++inner_count; });
    }
    if (tick.seq == 2) throw std::runtime_error("one that\nis told");
  });
  send("EURUSD", 0);
  ASSERT_TRUE(eventually([&] { return inner_count == 1; }));
  send("EURUSD", 1);
  send("EURUSD", 2);
  ASSERT_TRUE(eventually([&] { return inner_count == 3 && outer.delivered() == 3; }));
  EXPECT_EQ(outer.failed(), 1U);
  EXPECT_TRUE(eventually([&] { return log_.has("[Stream] A handler of quotes threw: one that\\x0ais told"); }));
  const std::lock_guard lock(mutex);
  inner.cancel();
}

TEST_F(LibrarySubscriptionTest, StopByAHandlerIsRefused) {
  std::atomic<bool> was_refused{false};
  Subscription subscription = pipeline_->subscribe({"EURUSD"}, [&](const Tick&) {
    try {
      pipeline_->stop();
    } catch (const Error&) {
      was_refused = true;
    }
  });
  send("EURUSD", 0);
  ASSERT_TRUE(eventually([&] { return was_refused.load(); }));
  EXPECT_TRUE(pipeline_->is_running());
}

TEST_F(LibrarySubscriptionTest, StopGivesHandlersWhatIsCommitted) {
  std::atomic<int> count{0};
  Subscription subscription = pipeline_->subscribe({"EURUSD"}, [&](const Tick&) { ++count; });
  ASSERT_TRUE(eventually([&] { return subscription.has_begun(); }));
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(adapter_->process_lp_quote("LP1", "EURUSD", 1.1 + i * 0.0001, 1.2 + i * 0.0001, now()).is_queued());
  }
  pipeline_->stop();
  EXPECT_EQ(count, 500);
}

TEST_F(LibrarySubscriptionTest, WrongArgumentsThrow) {
  EXPECT_THROW((void)pipeline_->subscribe({"no symbol"}, [](const Tick&) {}), ConfigError);
  EXPECT_THROW((void)pipeline_->subscribe({"EURUSD"}, nullptr), ConfigError);
  EXPECT_THROW((void)pipeline_->subscribe({}, [](const Tick&) {}, {.interval = std::chrono::milliseconds{-1}}),
               ConfigError);
}

TEST_F(LibrarySubscriptionTest, ClientsOfAHubSubscribeUnsubscribeAndDisconnect) {
  std::mutex mutex;
  std::map<std::string, int> counts;  // by client and symbol
  const auto handler = [&](const std::string& client) {
    return [&, client](const Tick& tick) {
      const std::lock_guard lock(mutex);
      ++counts[client + " " + tick.symbol];
    };
  };
  const auto count = [&](const std::string& key) {
    const std::lock_guard lock(mutex);
    return counts[key];
  };
  EXPECT_EQ(adapter_->subscribe("anna", {"EURUSD", "GBPUSD", "eurusd"}, handler("anna")), 2U);
  EXPECT_EQ(adapter_->subscribe("anna", {"EURUSD", "BTCUSD"}, handler("anna")), 1U);
  EXPECT_EQ(adapter_->subscribe("bert", {}, handler("bert")), 1U);
  EXPECT_EQ(adapter_->client_count(), 2U);
  for (const char* const symbol : {"EURUSD", "GBPUSD", "BTCUSD"}) send(symbol, 0);
  for (const char* const symbol : {"EURUSD", "GBPUSD", "BTCUSD"}) {
    for (const char* const client : {"anna ", "bert "}) {
      ASSERT_TRUE(eventually([&] { return count(client + std::string(symbol)) == 1; })) << client << symbol;
    }
  }
  EXPECT_EQ(adapter_->unsubscribe("anna", {"eurusd", "USDJPY"}), 1U);
  EXPECT_EQ(adapter_->unsubscribe("nobody", {}), 0U);
  send("EURUSD", 1);
  send("GBPUSD", 1);
  ASSERT_TRUE(eventually([&] { return count("bert EURUSD") == 2 && count("anna GBPUSD") == 2; }));
  EXPECT_EQ(count("anna EURUSD"), 1);
  EXPECT_EQ(adapter_->disconnect("anna"), 2U);
  EXPECT_EQ(adapter_->disconnect("anna"), 0U);
  EXPECT_EQ(adapter_->unsubscribe("bert", {}), 1U);
  EXPECT_EQ(adapter_->client_count(), 0U);
  EXPECT_THROW((void)adapter_->subscribe("cleo", {"no symbol"}, handler("cleo")), ConfigError);
}

}  // namespace
}  // namespace tickpipe::testing
