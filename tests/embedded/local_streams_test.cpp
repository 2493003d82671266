// Quotes to functions of the same process, of a whole running system.

#include "serve/stream/local_streams.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "pipeline/server.h"
#include "support/http_client.h"
#include "support/patience.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal::testing {
namespace {

Name symbol_name(const std::string& text) { return *parse_symbol(text); }

/// What a handler was given, and whether it is whole: no repeat, no step back, no hole that was not told.
class Follower {
 public:
  QuoteHandler handler() {
    return [this](const Tick& tick, const MessageExtras& extras) { take(tick, extras); };
  }
  void take(const Tick& tick, const MessageExtras& extras) {
    const std::lock_guard lock(mutex_);
    std::uint64_t& last = last_[tick.symbol];
    if (extras.is_snapshot) {
      EXPECT_TRUE(last == 0 || extras.is_unrecovered);
      EXPECT_GT(tick.seq, last);
      snapshots_ += 1;
      gaps_ += extras.is_unrecovered ? 1U : 0U;
    } else {
      EXPECT_EQ(tick.seq, last + 1 + extras.skipped);
    }
    skipped_ += extras.skipped;
    if (count_ == 0) first_ = tick.seq;
    last = tick.seq;
    ++count_;
    newest_ = tick.seq;
  }
  bool gets(std::uint64_t seq) const {
    return eventually([&] { return newest() >= seq; });
  }
  std::uint64_t first() const { return get(first_); }
  std::uint64_t newest() const { return get(newest_); }
  std::uint64_t count() const { return get(count_); }
  std::uint64_t snapshots() const { return get(snapshots_); }
  std::uint64_t gaps() const { return get(gaps_); }
  std::uint64_t skipped() const { return get(skipped_); }
  std::size_t symbols() const {
    const std::lock_guard lock(mutex_);
    return last_.size();
  }

 private:
  std::uint64_t get(const std::uint64_t& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  std::map<SymbolId, std::uint64_t> last_;
  std::uint64_t first_ = 0;
  std::uint64_t newest_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t snapshots_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t skipped_ = 0;
};

class LocalStreamsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.http.port = 0;
    config_.worker_count = 2;
  }
  void TearDown() override {
    if (server_) server_->stop();
  }
  Server& server() {
    if (!server_) {
      Server::Options options;
      options.data_dir = folder_ / "data";
      options.version = "test";
      server_ = std::make_unique<Server>(config_, options, log_, clock_);
      server_->start();
    }
    return *server_;
  }
  static QuoteOptions all() {
    QuoteOptions options;
    options.is_all = true;
    return options;
  }
  static void expect_begin(const LocalSubscription& subscription) {
    EXPECT_TRUE(eventually([&] { return subscription.has_begun(); }));
  }
  /// Takes `count` quotes of a symbol in, committed when this returns.
  void put(const std::string& symbol, int count = 1) {
    HttpClient client(server().port());
    client.patience = kPatience;
    while (count > 0) {
      std::string body;
      const int now = std::min(count, 2'000);
      for (int i = 0; i < now; ++i) {
        body += R"({"symbol":")" + symbol + R"(","bid":1.5,"ask":2,"lp":"LP1","timestamp_ns":)" +
                std::to_string(wall_clock().ns + i) + "}\n";
      }
      const auto reply = client.post("/api/ingest", body, "Content-Type: application/x-ndjson\r\n");
      ASSERT_TRUE(reply && reply->status == 200) << (reply ? reply->body : "no answer");
      count -= now;
    }
  }

  TemporaryFolder folder_;
  NullLog log_;
  SystemClock clock_;
  PipelineConfig config_;
  std::unique_ptr<Server> server_;
};

TEST_F(LocalStreamsTest, StartsWithTheLatestQuoteAndMissesNothing) {
  put("EURUSD", 3);
  Follower known;
  Follower unknown;
  const auto first = server().subscribe({symbol_name("EURUSD"), symbol_name("EURUSD")}, all(), known.handler());
  const auto second = server().subscribe({symbol_name("NEWONE")}, all(), unknown.handler());
  ASSERT_TRUE(known.gets(3));
  expect_begin(*second);
  put("EURUSD", 500);
  put("NEWONE", 500);
  put("GBPUSD", 5);
  ASSERT_TRUE(known.gets(503) && unknown.gets(500));
  EXPECT_EQ(known.count(), 501U);
  EXPECT_EQ(known.snapshots(), 1U);
  EXPECT_EQ(unknown.count(), 500U);
  EXPECT_EQ(unknown.snapshots(), 1U);
  EXPECT_EQ(known.skipped() + unknown.skipped(), 0U);
  EXPECT_EQ(first->delivered(), 501U);
  EXPECT_EQ(first->failed(), 0U);
}

TEST_F(LocalStreamsTest, WithoutSymbolsItHasAllThereAreAndWillBe) {
  put("EURUSD", 3);
  Follower follower;
  const auto subscription = server().subscribe({}, all(), follower.handler());
  ASSERT_TRUE(follower.gets(3));
  for (int i = 0; i < 20; ++i) put("NEW" + std::to_string(i), 10);
  ASSERT_TRUE(eventually([&] { return follower.count() == 201; })) << follower.count();
  EXPECT_EQ(follower.symbols(), 21U);
  EXPECT_EQ(follower.skipped(), 0U);
}

TEST_F(LocalStreamsTest, ASymbolThatBeginsWhileAHandlerIsStuckLosesNothing) {
  put("EURUSD");
  std::mutex gate;
  Follower named;
  Follower all_there_are;
  std::atomic<bool> is_in{false};
  std::unique_lock hold(gate);
  const auto stuck = server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick&, const MessageExtras&) {
    is_in = true;
    const std::lock_guard lock(gate);
  });
  const auto first = server().subscribe({symbol_name("NEWONE")}, all(), named.handler());
  const auto second = server().subscribe({}, all(), all_there_are.handler());
  ASSERT_TRUE(eventually([&] { return is_in.load(); }));
  hold.unlock();
  ASSERT_TRUE(all_there_are.gets(1));  // all are subscribed
  hold.lock();
  is_in = false;
  put("EURUSD");
  ASSERT_TRUE(eventually([&] { return is_in.load(); }));
  for (int i = 0; i < 5; ++i) put("NEWONE", 20);
  hold.unlock();
  ASSERT_TRUE(named.gets(100) && all_there_are.gets(100));
  EXPECT_EQ(named.count(), 100U);
  EXPECT_EQ(named.snapshots(), 1U);
  EXPECT_EQ(named.skipped(), 0U);
  EXPECT_EQ(all_there_are.count(), 102U);
  EXPECT_EQ(all_there_are.skipped(), 0U);
}

TEST_F(LocalStreamsTest, WhatIsSubscribedWhileTheServerStopsIsSilent) {
  std::vector<std::unique_ptr<LocalSubscription>> more;
  std::atomic<bool> is_in{false};
  const auto subscription =
      server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick& tick, const MessageExtras&) {
        is_in = true;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        if (tick.seq > 450) {
          more.push_back(server_->subscribe({}, all(), [](const Tick&, const MessageExtras&) {}));
        }
      });
  expect_begin(*subscription);
  put("EURUSD", 500);
  ASSERT_TRUE(eventually([&] { return is_in.load(); }));
  server().stop();
  EXPECT_EQ(subscription->delivered(), 500U);
  EXPECT_EQ(more.size(), 50U);
}

TEST_F(LocalStreamsTest, StopGivesUpOnAHandlerThatTakesTooLong) {
  const auto subscription = server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick&, const MessageExtras&) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  });
  expect_begin(*subscription);
  put("EURUSD", 3'000);  // a minute's worth
  server().stop();
  EXPECT_LT(subscription->delivered(), 3'000U);
}

TEST_F(LocalStreamsTest, StopEndsIntervals) {
  QuoteOptions conflated;
  conflated.interval_ms = 3'000;
  Follower follower;
  const auto subscription = server().subscribe({symbol_name("EURUSD")}, conflated, follower.handler());
  put("EURUSD");
  ASSERT_TRUE(follower.gets(1));
  put("EURUSD", 10);
  server().stop();
  EXPECT_EQ(follower.newest(), 11U);
}

TEST_F(LocalStreamsTest, OneThatIsSlowGetsWhatItMissedFromTheStore) {
  config_.distribution_buffer_size = 100;
  config_.hot_data_retention = 100;
  std::mutex gate;
  Follower slow;
  std::unique_lock hold(gate);
  const auto subscription =
      server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick& tick, const MessageExtras& extras) {
        const std::lock_guard lock(gate);
        slow.take(tick, extras);
      });
  expect_begin(*subscription);
  put("EURUSD", 9'000);
  hold.unlock();
  ASSERT_TRUE(slow.gets(9'000));
  EXPECT_EQ(slow.count(), 9'000U);
  EXPECT_EQ(slow.gaps(), 0U);
  EXPECT_EQ(slow.skipped(), 0U);
}

TEST_F(LocalStreamsTest, OneThatMissedTooMuchIsToldAndGoesOnWithTheLatestQuote) {
  config_.distribution_buffer_size = 100;
  std::mutex gate;
  Follower stuck;
  std::unique_lock hold(gate);
  const auto subscription =
      server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick& tick, const MessageExtras& extras) {
        const std::lock_guard lock(gate);
        stuck.take(tick, extras);
      });
  expect_begin(*subscription);
  put("EURUSD", 40'000);
  hold.unlock();
  ASSERT_TRUE(stuck.gets(40'000));
  EXPECT_EQ(stuck.gaps(), 1U);
  EXPECT_LT(stuck.count(), 40'000U);
  put("EURUSD", 100);
  ASSERT_TRUE(stuck.gets(40'100));
  EXPECT_EQ(stuck.gaps(), 1U);
}

TEST_F(LocalStreamsTest, ConflatedItGetsTheLastValueAndIsToldWhatWasLeftOut) {
  QuoteOptions conflated;
  conflated.interval_ms = 50;
  Follower follower;
  const auto subscription = server().subscribe({symbol_name("EURUSD")}, conflated, follower.handler());
  put("EURUSD", 20'000);
  ASSERT_TRUE(follower.gets(20'000));
  EXPECT_LT(follower.count(), 20'000U);
  EXPECT_EQ(follower.first() - 1 + follower.count() + follower.skipped(), 20'000U);
}

TEST_F(LocalStreamsTest, CancelledItIsSilent) {
  put("EURUSD");
  std::mutex mutex;
  std::condition_variable changed;
  bool is_in = false;
  bool may_go = false;
  std::atomic<int> calls{0};
  const auto subscription = server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick&, const MessageExtras&) {
    ++calls;
    std::unique_lock lock(mutex);
    is_in = true;
    changed.notify_all();
    changed.wait(lock, [&] { return may_go; });
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_in; });
  }
  std::atomic<bool> is_cancelled{false};
  std::thread canceller([&] {
    subscription->cancel();
    is_cancelled = true;
  });
  put("EURUSD", 100);
  EXPECT_FALSE(is_cancelled);  // the call under way has not ended
  {
    const std::lock_guard lock(mutex);
    may_go = true;
    changed.notify_all();
  }
  canceller.join();
  EXPECT_EQ(calls, 1);
  put("EURUSD", 100);
  subscription->cancel();
  EXPECT_EQ(calls, 1);
}

TEST_F(LocalStreamsTest, AHandlerMayCancelItselfAndSubscribeAgain) {
  std::unique_ptr<LocalSubscription> subscription;
  std::unique_ptr<LocalSubscription> next;
  Follower follower;
  std::atomic<int> calls{0};
  std::mutex mutex;
  {
    const std::lock_guard lock(mutex);  // the handler may be called before this returns
    subscription = server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick&, const MessageExtras&) {
      const std::lock_guard inner(mutex);
      ++calls;
      subscription->cancel();
      next = server().subscribe({symbol_name("EURUSD")}, all(), follower.handler());
    });
  }
  put("EURUSD", 100);
  put("EURUSD", 100);
  ASSERT_TRUE(follower.gets(200));
  EXPECT_EQ(calls, 1);
}

TEST_F(LocalStreamsTest, AHandlerThatThrowsIsGivenTheNextOne) {
  Follower follower;
  const auto subscription =
      server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick& tick, const MessageExtras& extras) {
        follower.take(tick, extras);
        if (tick.seq % 2 == 0) throw std::runtime_error("no");
        if (tick.seq % 5 == 0) throw 5;  // NOLINT(hicpp-exception-baseclass)
      });
  expect_begin(*subscription);
  put("EURUSD", 100);
  ASSERT_TRUE(follower.gets(100));
  ASSERT_TRUE(eventually([&] { return subscription->failed() == 60; })) << subscription->failed();
  EXPECT_EQ(subscription->delivered(), 100U);
}

TEST_F(LocalStreamsTest, StopGivesWhatIsCommittedAndThenThereIsSilence) {
  Follower slow;
  const auto subscription =
      server().subscribe({symbol_name("EURUSD")}, all(), [&](const Tick& tick, const MessageExtras& extras) {
        if (tick.seq % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds{5});
        slow.take(tick, extras);
      });
  expect_begin(*subscription);
  put("EURUSD", 5'000);
  server().stop();
  EXPECT_EQ(slow.newest(), 5'000U);
  EXPECT_EQ(slow.count(), 5'000U);
  server_.reset();
  subscription->cancel();
}

TEST_F(LocalStreamsTest, ManyComeAndGoWhileQuotesCome) {
  constexpr int kSymbols = 5;
  Server& running = server();
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 150; ++i) put("SYM" + std::to_string((t + i) % kSymbols), 50);
    });
  }
  std::vector<std::thread> users;
  std::atomic<std::uint64_t> delivered{0};
  for (unsigned t = 0; t < 3; ++t) {
    users.emplace_back([&, t] {
      std::mt19937 generator(t);
      const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
      while (!is_over) {
        Follower follower;
        std::vector<Name> symbols;
        for (std::uint32_t i = random() % 3; i > 0; --i)
          symbols.push_back(symbol_name("SYM" + std::to_string(random() % 5)));
        QuoteOptions options;
        options.is_all = random() % 2 == 0;
        options.interval_ms = options.is_all ? 0 : random() % 3 * 5;
        const auto subscription = running.subscribe(symbols, options, follower.handler());
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 20});
        subscription->cancel();
        delivered += follower.count();
        if (options.is_all) {
          EXPECT_EQ(follower.skipped(), 0U);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  for (std::thread& user : users) user.join();
  EXPECT_GT(delivered, 0U);
}

}  // namespace
}  // namespace tickpipe::internal::testing
