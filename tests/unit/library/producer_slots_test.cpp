#include "library/producer_slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "model/name_registry.h"
#include "model/quote_inbox.h"

namespace tickpipe::internal {
namespace {

/// Counts what comes.
class CountingInbox final : public QuoteInbox {
 public:
  std::size_t try_push(std::span<const Quote> quotes) noexcept override {
    count += quotes.size();
    return quotes.size();
  }
  bool wait_for_room(std::chrono::nanoseconds /*timeout*/) override { return true; }
  std::atomic<std::size_t> count{0};
};

class ProducerSlotsTest : public ::testing::Test {
 protected:
  std::shared_ptr<ProducerSlots> open_slots() {
    auto slots = std::make_shared<ProducerSlots>(intake_);
    slots->open();
    return slots;
  }
  static bool submit(ProducerSlots& slots) {
    const ProducerSlots::Use use(slots);
    if (use.producer() == nullptr) return false;
    RawQuote quote;
    quote.lp = parse_lp("LP1");
    quote.symbol = *parse_symbol("EURUSD");
    quote.bid = quote.ask = {1'000'000'000};
    EXPECT_EQ(use.producer()->submit(quote, std::nullopt, QuoteOrigin::kLive), std::nullopt);
    use.producer()->flush();
    return true;
  }

  CountingInbox inbox_;
  SymbolRegistry symbols_{100};
  LpRegistry lps_{100};
  SystemClock clock_;
  Intake intake_{{}, {.symbols = symbols_, .lps = lps_, .inboxes = {&inbox_}, .clock = clock_}};
};

TEST_F(ProducerSlotsTest, NothingIsTakenBeforeOpenAndAfterClose) {
  const auto slots = std::make_shared<ProducerSlots>(intake_);
  EXPECT_FALSE(submit(*slots));
  slots->open();
  EXPECT_TRUE(submit(*slots));
  slots->close();
  EXPECT_FALSE(submit(*slots));
  EXPECT_EQ(inbox_.count, 1U);
  EXPECT_EQ(intake_.totals().received, 1U);
}

TEST_F(ProducerSlotsTest, ThreadsThatComeAndGoShareOneProducer) {
  const auto slots = open_slots();
  for (int i = 0; i < 50; ++i) std::thread([&] { EXPECT_TRUE(submit(*slots)); }).join();
  EXPECT_EQ(slots->size(), 1U);
  EXPECT_EQ(intake_.totals().received, 50U);
  slots->close();
}

TEST_F(ProducerSlotsTest, ThreadsAtOnceHaveOneEach) {
  const auto slots = open_slots();
  std::barrier together(4);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(submit(*slots));
      together.arrive_and_wait();
    });
  }
  threads.clear();
  EXPECT_EQ(slots->size(), 4U);
  slots->close();
}

TEST_F(ProducerSlotsTest, AThreadGoesToAndFroBetweenSeveral) {
  const auto first = open_slots();
  const auto second = open_slots();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(submit(*first));
    EXPECT_TRUE(submit(*second));
  }
  first->close();
  EXPECT_FALSE(submit(*first));
  EXPECT_TRUE(submit(*second));
  second->close();
  EXPECT_EQ(intake_.totals().received, 21U);
}

TEST_F(ProducerSlotsTest, OnesThatAreGoneAreForgotten) {
  std::weak_ptr<ProducerSlots> gone;
  {
    const auto slots = open_slots();
    EXPECT_TRUE(submit(*slots));
    slots->close();
    gone = slots;
  }
  const auto others = open_slots();
  EXPECT_TRUE(submit(*others));
  EXPECT_TRUE(gone.expired());
  others->close();
}

TEST_F(ProducerSlotsTest, AThreadMayOutliveThem) {
  std::atomic<bool> has_submitted{false};
  std::atomic<bool> may_end{false};
  std::jthread thread([&, slots = open_slots()] {
    EXPECT_TRUE(submit(*slots));
    slots->close();
    has_submitted = true;
    while (!may_end) std::this_thread::yield();
  });
  while (!has_submitted) std::this_thread::yield();
  may_end = true;
}

/// Made before the cache of a thread, so it is destroyed after it.
struct LastWord {
  std::shared_ptr<ProducerSlots> slots;
  std::atomic<int>* said = nullptr;
  bool (*submit)(ProducerSlots&) = nullptr;
  ~LastWord() {
    if (slots && submit(*slots)) ++*said;
  }
};
thread_local LastWord t_last_word;

TEST_F(ProducerSlotsTest, AThreadThatIsEndingIsServedToo) {
  const auto slots = open_slots();
  std::atomic<int> said{0};
  std::thread([&] {
    t_last_word.slots = slots;
    t_last_word.said = &said;
    t_last_word.submit = &submit;
    EXPECT_TRUE(submit(*slots));
  }).join();
  EXPECT_EQ(said, 1);
  EXPECT_EQ(slots->size(), 1U);
  slots->close();
  EXPECT_EQ(intake_.totals().received, 2U);
}

TEST_F(ProducerSlotsTest, CloseWaitsForUsesAndCountsNothingTwice) {
  for (int round = 0; round < 50; ++round) {
    const auto slots = open_slots();
    const std::size_t before = inbox_.count;
    std::atomic<std::size_t> taken{0};
    std::barrier together(3);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        together.arrive_and_wait();
        while (submit(*slots)) ++taken;
      });
    }
    together.arrive_and_wait();
    while (taken < 100) std::this_thread::yield();
    slots->close();
    const std::size_t at_close = inbox_.count;
    threads.clear();
    EXPECT_EQ(inbox_.count, at_close);
    EXPECT_EQ(inbox_.count - before, taken);
  }
}

}  // namespace
}  // namespace tickpipe::internal
