// Bodies of quotes through a whole pipeline: the answer tells the fate of every line, once all of it is committed.

#include "ingest/ingest_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/timestamp_text.h"
#include "pipeline/pipeline.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Outcome = IngestAnswer::Outcome;

constexpr UnixNanos kNow{1'790'000'000LL * kNanosPerSecond};

/// Collects the seq of what was published.
class Published final : public BatchListener {
 public:
  void on_committed(const EventBatch& batch, Position /*position*/) override {
    const std::lock_guard lock(mutex_);
    for (const Tick& tick : batch.ticks) ticks_.push_back(tick);
  }
  [[nodiscard]] std::vector<Tick> ticks() const {
    const std::lock_guard lock(mutex_);
    return ticks_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Tick> ticks_;
};

class IngestServiceTest : public ::testing::TestWithParam<StoreType> {
 protected:
  IngestServiceTest() {
    PipelineConfig config;
    config.store.type = GetParam();
    config.worker_count = 3;
    config.tick_buffer_size = 64;
    config.symbols = {"EURUSD", "GBPUSD", "A", "B", "C", "D", "E"};
    start(config);
  }
  ~IngestServiceTest() override {
    service_->stop();
    pipeline_->stop();
    service_->give_up();
  }

  void start(const PipelineConfig& config) {
    ledger_ = std::make_unique<VerdictLedger>(config.worker_count);
    pipeline_ = std::make_unique<Pipeline>(config, Pipeline::Options{.data_dir = folder_ / "data",
                                                                     .clock = &clock_,
                                                                     .listeners = {&published_, ledger_.get()},
                                                                     .give_up_after = {},
                                                                     .is_service = true,
                                                                     .verdicts = ledger_.get()});
    service_ =
        std::make_unique<IngestService>(IngestService::Options{.max_line_bytes = 200}, pipeline_->intake(), *ledger_);
    pipeline_->start();
    service_->start();
  }

  IngestAnswer post(std::string body, QuoteOrigin origin = QuoteOrigin::kLive) {
    std::promise<IngestAnswer> promise;
    service_->ingest(std::move(body), origin, [&](IngestAnswer answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  static std::string line(const std::string& symbol, const std::string& bid, const std::string& ask, UnixNanos time) {
    return R"({"symbol":")" + symbol + R"(","bid":)" + bid + R"(,"ask":)" + ask + R"(,"timestamp":")" +
           format_rfc3339(time, 9) + "\"}\n";
  }
  static std::vector<std::pair<std::uint64_t, Reason>> errors_of(const IngestAnswer& answer) {
    std::vector<std::pair<std::uint64_t, Reason>> errors;
    for (const IngestError& error : answer.errors) errors.emplace_back(error.line, error.reason);
    return errors;
  }

  testing::TemporaryFolder folder_;
  ManualClock clock_{kNow};
  Published published_;
  std::unique_ptr<VerdictLedger> ledger_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<IngestService> service_;
};

INSTANTIATE_TEST_SUITE_P(Stores, IngestServiceTest, ::testing::Values(StoreType::kNone, StoreType::kEmbedded));

TEST_P(IngestServiceTest, EveryLineGetsItsVerdict) {
  const IngestAnswer answer = post(line("EURUSD", "1.1", "1.2", kNow) +                    // 1: accepted
                                   line("EURUSD", "1.1", "1.2", kNow) +                    // 2: the same again
                                   "\n" +                                                  // 3: blank
                                   "{\"symbol\":\n" +                                      // 4
                                   line("GBPUSD", "1.3", "1.2", kNow) +                    // 5
                                   line("USDJPY", "1.1", "1.2", kNow) +                    // 6: not allowed
                                   line("GBPUSD", "1.1", "1.2", kNow - 601s) +             // 7
                                   line("GBPUSD", "1.1", "1.2", kNow + 6s) +               // 8
                                   line("EURUSD", "9.1", "9.2", kNow + 1s) +               // 9
                                   std::string(201, ' ') + "x\n" +                         // 10
                                   "{\"symbol\":\"A\",\"bid\":\"2\",\"ask\":\"2\"}\r\n" +  // 11: no time: accepted
                                   line("B", "1.1", "1.2", kNow - 600s));                  // 12: accepted
  EXPECT_EQ(answer.outcome, Outcome::kDone);
  EXPECT_EQ(answer.received, 11U);
  EXPECT_EQ(answer.accepted, 3U);
  EXPECT_EQ(answer.rejected, 8U);
  EXPECT_EQ(answer.pending, 0U);
  EXPECT_THAT(
      errors_of(answer),
      ElementsAre(std::pair(2, Reason::kDuplicate), std::pair(4, Reason::kMalformed), std::pair(5, Reason::kCrossed),
                  std::pair(6, Reason::kUnknownSymbol), std::pair(7, Reason::kTooOld), std::pair(8, Reason::kInFuture),
                  std::pair(9, Reason::kImplausiblePrice), std::pair(10, Reason::kLineTooLong)));
  // What was accepted is published when the answer comes.
  EXPECT_EQ(published_.ticks().size(), 3U);
  const PipelineStats stats = pipeline_->stats();
  EXPECT_EQ(stats.received, 11U);
  EXPECT_EQ(stats.processed, 3U);
  EXPECT_EQ(stats.refused_total(), 8U);
  EXPECT_EQ(stats.in_flight, 0U);
}

TEST_P(IngestServiceTest, HistoryHasNoAgeButNeedsATime) {
  const IngestAnswer answer =
      post("[" + line("EURUSD", "1.1", "1.2", kNow - 24h * 365) + "," + R"({"symbol":"A","bid":1,"ask":1})" + "]",
           QuoteOrigin::kHistorical);
  EXPECT_EQ(answer.accepted, 1U);
  EXPECT_THAT(errors_of(answer), ElementsAre(std::pair(2, Reason::kBadTimestamp)));
  EXPECT_EQ(published_.ticks().front().flags, kHistorical);
}

TEST_P(IngestServiceTest, AnArrayThatIsNotWellFormedIsRefusedWhole) {
  const IngestAnswer answer = post("[" + line("EURUSD", "1.1", "1.2", kNow) + ",{]");
  EXPECT_EQ(answer.outcome, Outcome::kNotWellFormed);
  EXPECT_NE(answer.detail, "");
  EXPECT_EQ(answer.received, 0U);
  EXPECT_EQ(pipeline_->stats().received, 0U);
}

TEST_P(IngestServiceTest, AnEmptyArrayIsDone) {
  const IngestAnswer answer = post("[]");
  EXPECT_EQ(answer.outcome, Outcome::kDone);
  EXPECT_EQ(answer.received, 0U);
}

TEST_P(IngestServiceTest, OfManyErrorsTheFirstHundredAreTold) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += line("A", "1", i % 2 == 0 ? "2" : "1", kNow);  // one is accepted of each kind
  const IngestAnswer answer = post(body);
  EXPECT_EQ(answer.received, 1000U);
  EXPECT_EQ(answer.accepted, 2U);
  EXPECT_EQ(answer.rejected, 998U);
  ASSERT_EQ(answer.errors.size(), 100U);
  EXPECT_EQ(answer.errors.front().line, 3U);
  EXPECT_EQ(answer.errors.back().line, 102U);
}

TEST_P(IngestServiceTest, ManySendersAtOnceGetTheirOwnVerdicts) {
  constexpr int kSenders = 6;
  constexpr int kBodies = 60;
  std::vector<std::jthread> senders;
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> duplicates{0};
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (int body = 0; body < kBodies; ++body) {
        // Each symbol is shared by two senders, who send the same quotes: every quote is accepted from one of them.
        std::string text;
        const std::string symbol(1, static_cast<char>('A' + sender / 2));
        const int count = 1 + (body * 37) % 200;
        for (int i = 0; i < count; ++i) {
          text += line(symbol, "1.1", "1.2", kNow - 60s + std::chrono::microseconds{body * 1000 + i});
        }
        const IngestAnswer answer = post(text);
        EXPECT_EQ(answer.outcome, Outcome::kDone);
        EXPECT_EQ(answer.received, static_cast<std::uint64_t>(count));
        EXPECT_EQ(answer.accepted + answer.rejected, answer.received);
        for (const IngestError& error : answer.errors) EXPECT_EQ(error.reason, Reason::kDuplicate);
        accepted += answer.accepted;
        duplicates += answer.rejected;
      }
    });
  }
  senders.clear();
  EXPECT_EQ(accepted.load(), duplicates.load());
  EXPECT_EQ(published_.ticks().size(), accepted.load());
  std::map<SymbolId, std::uint64_t> seqs;
  for (const Tick& tick : published_.ticks()) EXPECT_EQ(tick.seq, ++seqs[tick.symbol]);
}

TEST_P(IngestServiceTest, AfterStopItSaysSo) {
  service_->stop();
  EXPECT_EQ(post(line("EURUSD", "1.1", "1.2", kNow)).outcome, Outcome::kStopping);
}

TEST_P(IngestServiceTest, TheAllowListMayChangeWhileItRuns) {
  EXPECT_EQ(post(line("EURUSD", "1.1", "1.2", kNow)).accepted, 1U);
  PipelineConfig config;
  config.symbols = {"USDJPY"};
  config.max_tick_age_seconds = 0;
  pipeline_->reconfigure(config);
  const IngestAnswer answer =
      post(line("EURUSD", "1.1", "1.2", kNow + 1s) + line("USDJPY", "150", "150.1", kNow - 24h * 300));
  EXPECT_EQ(answer.accepted, 1U);
  EXPECT_THAT(errors_of(answer), ElementsAre(std::pair(1, Reason::kUnknownSymbol)));
}

TEST(VerdictLedgerTest, ATicketIsCompleteWhenAllIsRefusedOrCommitted) {
  VerdictLedger ledger(2);
  int completed = 0;
  const auto ticket = ledger.open([&] { ++completed; });
  EventBatch first;
  first.number = 1;
  EventBatch second;
  second.number = 2;
  ledger.on_verdict(ticket->sink(), 0, std::nullopt, 1);
  ledger.on_verdict(ticket->sink(), 0, Reason::kDuplicate, 1);
  ledger.on_verdict(ticket->sink(), 0, std::nullopt, 2);
  ledger.on_verdict(ticket->sink(), 1, Reason::kSpike, 0);
  EXPECT_FALSE(ticket->is_sealed());
  ticket->seal(4);
  EXPECT_EQ(ticket->outstanding(), 3U);
  ledger.on_committed(first, {});
  EXPECT_EQ(ticket->outstanding(), 1U);
  EXPECT_EQ(completed, 0);
  ledger.on_committed(second, {});
  EXPECT_EQ(completed, 1);
  const auto refusals = ticket->refusals();
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0].index, 1U);
  EXPECT_EQ(refusals[1].shard, 1U);
}

TEST(VerdictLedgerTest, WhatIsCommittedAlreadyIsNotWaitedFor) {
  VerdictLedger ledger(1);
  EventBatch batch;
  batch.number = 5;
  ledger.on_committed(batch, {});
  int completed = 0;
  const auto ticket = ledger.open([&] { ++completed; });
  ledger.on_verdict(ticket->sink(), 0, Reason::kDuplicate, 5);
  ticket->seal(1);
  EXPECT_EQ(completed, 1);
}

TEST(VerdictLedgerTest, NumbersAreUsedAgainButNeverTwiceAtOnce) {
  VerdictLedger ledger(1);
  std::set<std::uint16_t> sinks;
  std::vector<std::shared_ptr<VerdictTicket>> tickets;
  while (auto ticket = ledger.open([] {})) {
    EXPECT_NE(ticket->sink(), 0);
    EXPECT_TRUE(sinks.insert(ticket->sink()).second);
    tickets.push_back(std::move(ticket));
  }
  EXPECT_EQ(sinks.size(), std::size_t{kVerdictMask});
  ledger.close(*tickets[7]);
  const auto again = ledger.open([] {});
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->sink(), tickets[7]->sink());
}

}  // namespace
}  // namespace tickpipe::internal
