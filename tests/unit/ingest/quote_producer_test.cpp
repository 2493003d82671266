#include "ingest/quote_producer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "ingest/intake.h"
#include "unit/ingest/fake_inbox.h"

namespace tickpipe::internal {
namespace {

using testing::FakeInbox;
using namespace std::chrono_literals;

constexpr UnixNanos kNow{1'790'000'000LL * kNanosPerSecond};

class QuoteProducerTest : public ::testing::Test {
 protected:
  QuoteProducerTest()
      : intake_({.symbols = {}, .max_future = 5s, .max_age = 600s},
                {.symbols = symbols_, .lps = lps_, .inboxes = {&inbox_}, .clock = clock_, .refuse_all = &refuse_all_}) {
    producer_.emplace(intake_, *parse_lp("HTTP"), QuoteProducer::WhenFull::kWait);
  }
  static RawQuote quote(std::optional<UnixNanos> time, std::string_view symbol = "EURUSD") {
    RawQuote quote;
    quote.symbol = *parse_symbol(symbol);
    quote.bid = Price{1'100'000'000};
    quote.ask = Price{1'200'000'000};
    quote.ts_event = time;
    return quote;
  }
  std::optional<Reason> live(std::optional<UnixNanos> time) {
    return producer_->submit(quote(time), std::nullopt, QuoteOrigin::kLive);
  }
  std::optional<Reason> historical(std::optional<UnixNanos> time) {
    return producer_->submit(quote(time), std::nullopt, QuoteOrigin::kHistorical);
  }

  ManualClock clock_{kNow};
  SymbolRegistry symbols_{10};
  LpRegistry lps_{10};
  FakeInbox inbox_;
  std::atomic<bool> refuse_all_{false};
  Intake intake_;
  std::optional<QuoteProducer> producer_;
};

TEST_F(QuoteProducerTest, ALiveQuoteMayBeAsOldAsTheLimit) {
  EXPECT_EQ(live(kNow - 600s), std::nullopt);
  EXPECT_EQ(live(kNow - 600s - 1ns), Reason::kTooOld);
}

TEST_F(QuoteProducerTest, HistoryMayBeOfAnyAge) {
  EXPECT_EQ(historical(kFirstTickTime), std::nullopt);
  EXPECT_EQ(historical(kNow + 5s), std::nullopt);
  EXPECT_EQ(historical(kNow + 5s + 1ns), Reason::kInFuture);
}

TEST_F(QuoteProducerTest, WithoutALimitNothingIsTooOldOrTooNew) {
  intake_.set_rules({});
  EXPECT_EQ(live(kFirstTickTime), std::nullopt);
  EXPECT_EQ(live(kNow + 24h * 365), std::nullopt);
}

TEST_F(QuoteProducerTest, ALiveQuoteWithoutATimeHasThatOfItsReceipt) {
  EXPECT_EQ(live(std::nullopt), std::nullopt);
  EXPECT_EQ(live(kNow - 1s), std::nullopt);
  producer_->flush();
  ASSERT_EQ(inbox_.quotes.size(), 2U);
  EXPECT_EQ(inbox_.quotes[0].ts_event, kNow);
  EXPECT_EQ(inbox_.quotes[0].marks, kLiveQuote | kReceiveTimed);
  EXPECT_EQ(inbox_.quotes[1].marks, kLiveQuote);
}

TEST_F(QuoteProducerTest, HistoryWithoutATimeIsRefused) { EXPECT_EQ(historical(std::nullopt), Reason::kBadTimestamp); }

TEST_F(QuoteProducerTest, TheClockIsReadAgainBeforeAQuoteIsFromTheFuture) {
  clock_.advance(10s);
  EXPECT_EQ(live(kNow + 15s), std::nullopt);  // received with the read before
}

TEST_F(QuoteProducerTest, WhileTheStoreFailsQuotesAreRefusedAndNoNameIsTaken) {
  refuse_all_ = true;
  EXPECT_EQ(live(kNow), Reason::kStoreUnavailable);
  EXPECT_EQ(symbols_.size(), 0U);
  refuse_all_ = false;
  EXPECT_EQ(live(kNow), std::nullopt);
}

TEST_F(QuoteProducerTest, WhatIsWrongWithAQuoteComesBeforeTheStore) {
  refuse_all_ = true;
  EXPECT_EQ(live(kNow - 601s), Reason::kTooOld);
  EXPECT_EQ(producer_->submit(quote(kNow), Reason::kCrossed, QuoteOrigin::kLive), Reason::kCrossed);
}

TEST_F(QuoteProducerTest, AWaitingSourceGoesOnWhenThereIsRoom) {
  inbox_.room = 3;
  inbox_.on_wait = [this] { inbox_.room = 2; };
  for (int i = 0; i < 10; ++i) live(kNow + i * 1ms);
  producer_->flush();
  EXPECT_EQ(inbox_.quotes.size(), 10U);
  EXPECT_EQ(inbox_.waits, 4);
}

TEST_F(QuoteProducerTest, WhatWaitsWhenTheStoreFailsIsRefusedAndTold) {
  inbox_.room = 3;
  inbox_.on_wait = [this] { refuse_all_ = true; };
  producer_->set_verdict_sink(7);
  for (int i = 0; i < 10; ++i) live(kNow + i * 1ms);
  EXPECT_FALSE(producer_->has_lost());
  producer_->flush();
  EXPECT_EQ(inbox_.quotes.size(), 3U);
  EXPECT_EQ(inbox_.quotes[0].marks & kVerdictMask, 7);
  EXPECT_TRUE(producer_->has_lost());
  EXPECT_EQ(producer_->take_lost(0), 7U);
  EXPECT_FALSE(producer_->has_lost());
  const IntakeTotals totals = intake_.totals();
  EXPECT_EQ(totals.received, 10U);
  EXPECT_EQ(totals.refused[index_of(Reason::kStoreUnavailable)], 7U);
  EXPECT_EQ(totals.dropped, 0U);
}

TEST_F(QuoteProducerTest, ASourceThatCannotWaitDrops) {
  inbox_.room = 3;
  QuoteProducer producer(intake_, *parse_lp("FIX"), QuoteProducer::WhenFull::kDrop);
  for (int i = 0; i < 10; ++i) producer.submit(quote(kNow + i * 1ms), std::nullopt, QuoteOrigin::kLive);
  producer.flush();
  EXPECT_EQ(inbox_.quotes.size(), 3U);
  EXPECT_EQ(intake_.totals().dropped, 7U);
}

TEST_F(QuoteProducerTest, AnotherAllowListHoldsFromTheNextReadOn) {
  EXPECT_EQ(live(kNow), std::nullopt);
  intake_.set_rules({.symbols = {*parse_symbol("USDJPY")}, .max_future = 5s, .max_age = 600s});
  producer_->take_time();
  EXPECT_EQ(live(kNow), Reason::kUnknownSymbol);
  EXPECT_EQ(producer_->submit(quote(kNow, "USDJPY"), std::nullopt, QuoteOrigin::kLive), std::nullopt);
}

TEST_F(QuoteProducerTest, NamesItHasMetAreRecalledAsTheyAreSpelt) {
  EXPECT_FALSE(producer_->recall("HTTP", "EURUSD"));
  EXPECT_EQ(live(kNow), std::nullopt);
  ASSERT_TRUE(producer_->recall("HTTP", "EURUSD"));
  EXPECT_EQ(producer_->submit_recalled(quote(kNow, "USDJPY"), std::nullopt, QuoteOrigin::kLive), std::nullopt);
  RawQuote other = quote(kNow, "USDJPY");
  other.lp = *parse_lp("LP2");
  EXPECT_EQ(producer_->submit(other, std::nullopt, QuoteOrigin::kLive), std::nullopt);
  for (const auto& [lp, symbol] :
       std::vector<std::pair<std::string, std::string>>{{"HTTP", "eurusd"},
                                                        {"HTTP", ""},
                                                        {"", "EURUSD"},
                                                        {"HTT", "EURUSD"},
                                                        {"HTTP", "EURUS"},
                                                        {"LP3", "EURUSD"},
                                                        {"HTTP", std::string("EURUSD\0", 7)},
                                                        {std::string("HTTP\0", 5), "EURUSD"},
                                                        {"HTTP", "EURUSD" + std::string(30, 'X')}}) {
    EXPECT_FALSE(producer_->recall(lp, symbol)) << lp << " " << symbol;
  }
  EXPECT_FALSE(producer_->recall("HTTP", std::string_view()));
  ASSERT_TRUE(producer_->recall("HTTP", "USDJPY")) << "also an LP that is not the last one";
  EXPECT_EQ(producer_->submit_recalled(quote(kNow), std::nullopt, QuoteOrigin::kLive), std::nullopt);
  ASSERT_TRUE(producer_->recall("LP2", "EURUSD"));
  EXPECT_EQ(producer_->submit_recalled(quote(kNow), Reason::kCrossed, QuoteOrigin::kLive), Reason::kCrossed);
  EXPECT_EQ(producer_->submit_recalled(quote(kNow - 601s), std::nullopt, QuoteOrigin::kLive), Reason::kTooOld);
  producer_->flush();
  ASSERT_EQ(inbox_.quotes.size(), 4U);
  const auto names = [this](const Quote& one) {
    return std::string(lps_.name(one.lp).view()) + " " + std::string(symbols_.name(one.symbol).view());
  };
  EXPECT_EQ(names(inbox_.quotes[1]), "HTTP EURUSD") << "not of the names that the quote has";
  EXPECT_EQ(names(inbox_.quotes[3]), "HTTP USDJPY");
  EXPECT_EQ(intake_.totals().received, 6U);
  EXPECT_EQ(intake_.totals().refused[index_of(Reason::kTooOld)], 1U);
}

TEST_F(QuoteProducerTest, ASymbolThatIsNotAllowedAnyMoreIsNotRecalled) {
  EXPECT_EQ(live(kNow), std::nullopt);
  intake_.set_rules({.symbols = {*parse_symbol("USDJPY")}, .max_future = 5s, .max_age = 600s});
  producer_->take_time();
  EXPECT_FALSE(producer_->recall("HTTP", "EURUSD"));
}

}  // namespace
}  // namespace tickpipe::internal
