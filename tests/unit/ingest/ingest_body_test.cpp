// What becomes of the quotes of one body while the store fails in the middle of it.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "ingest/ingest_service.h"
#include "ingest/intake.h"
#include "ingest/verdict_ledger.h"
#include "unit/ingest/fake_inbox.h"

namespace tickpipe::internal {
namespace {

using testing::FakeInbox;
using namespace std::chrono_literals;

constexpr UnixNanos kNow{1'790'000'000LL * kNanosPerSecond};

/// Does something when it is asked for the time.
class HookedClock final : public Clock {
 public:
  std::function<void()> on_look;
  [[nodiscard]] UnixNanos now() const noexcept override {
    if (on_look) on_look();
    return kNow;
  }
};

std::string line(int number, UnixNanos time = kNow) {
  return R"({"symbol":"EURUSD","bid":)" + std::to_string(number) + R"(,"ask":1000000,"timestamp_ns":)" +
         std::to_string(time.ns) + "}\n";
}

TEST(IngestBodyTest, BehindAQuoteThatTheStoreRefusedNothingOfABodyIsTaken) {
  std::atomic<bool> is_failing{false};
  HookedClock clock;
  SymbolRegistry symbols(10);
  LpRegistry lps(10);
  FakeInbox inbox;
  inbox.room = 200;
  // The store fails when the inbox is full, and is well again, with room, when the clock is read behind that.
  inbox.on_wait = [&] { is_failing = inbox.room == 0; };
  clock.on_look = [&] {
    if (!is_failing) return;
    is_failing = false;
    inbox.room = 1'000'000;
  };
  Intake intake({.symbols = {}, .max_future = 5s, .max_age = 600s},
                {.symbols = symbols, .lps = lps, .inboxes = {&inbox}, .clock = clock, .refuse_all = &is_failing});
  VerdictLedger ledger(1);
  std::optional<IngestAnswer> answer;
  IngestService service({.threads = 1}, intake, ledger);
  service.start();
  std::string body;
  constexpr int kLines = 600;
  constexpr int kFuture = 400;  // makes the producer look at the clock
  for (int i = 1; i <= kLines; ++i) body += i == kFuture ? line(i, kNow + 60s) : line(i);
  service.ingest(body, QuoteOrigin::kLive, [&](IngestAnswer given) { answer = std::move(given); });
  service.stop();
  service.give_up();  // nothing is ever committed here
  ASSERT_TRUE(answer);
  EXPECT_FALSE(is_failing) << "the test is to have it well again";
  EXPECT_EQ(answer->outcome, IngestAnswer::Outcome::kStoreUnavailable);
  ASSERT_EQ(inbox.quotes.size(), 200U);
  for (int i = 1; i <= 200; ++i) {
    EXPECT_EQ(inbox.quotes[static_cast<std::size_t>(i) - 1].bid.units, i * kUnitsPerOne);
  }
  EXPECT_EQ(answer->received, 600U);
  EXPECT_EQ(answer->pending, 200U);
  EXPECT_EQ(answer->rejected, 400U);
  EXPECT_EQ(intake.totals().refused[index_of(Reason::kInFuture)], 1U);
  // The next body is taken whole.
  inbox.quotes.clear();
  IngestService next({.threads = 1}, intake, ledger);
  next.start();
  next.ingest(line(1) + line(2), QuoteOrigin::kLive, [](const IngestAnswer&) {});
  next.stop();
  next.give_up();
  EXPECT_EQ(inbox.quotes.size(), 2U);
}

}  // namespace
}  // namespace tickpipe::internal
