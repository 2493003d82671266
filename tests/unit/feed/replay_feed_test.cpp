#include "feed/replay_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

#include "core/error.h"
#include "recorded_output.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::at;
using testing::ManualPause;
using testing::RecordedOutput;

struct Row {
  std::string_view symbol = "EURUSD";
  UnixNanos time;
  std::optional<Reason> fault = std::nullopt;
  const char* lp = nullptr;
};

class VectorReader final : public RawQuoteReader {
 public:
  VectorReader(const std::vector<Row>& rows, bool breaks) : rows_(rows), breaks_(breaks) {}
  Item next(RawQuote& quote, Reason& fault) override {
    if (next_ == rows_.size()) {
      if (breaks_) throw Error("cannot read rows.csv: Input/output error");
      return Item::kEnd;
    }
    const Row& row = rows_[next_++];
    quote = {};
    quote.symbol = *parse_symbol(row.symbol);
    quote.bid = {1'000'000'000};
    quote.ask = {1'100'000'000};
    quote.ts_event = row.time;
    if (row.lp != nullptr) quote.lp = parse_lp(row.lp);
    if (!row.fault) return Item::kQuote;
    fault = *row.fault;
    return Item::kFault;
  }

 private:
  const std::vector<Row>& rows_;
  const bool breaks_;
  std::size_t next_ = 0;
};

constexpr std::int64_t kThen = 1'700'000'000;
constexpr std::int64_t kNow = 1'800'000'000;

class ReplayFeedTest : public ::testing::Test {
 protected:
  void run(nanoseconds at_most = hours{24 * 365}) {
    auto pause = std::make_unique<ManualPause>(clock_, stop_, clock_.now() + at_most);
    pause_ = pause.get();
    pause_->on_wait = [this] {
      EXPECT_EQ(output_.unflushed, 0U) << "waits with quotes in hand";
      EXPECT_EQ(feed_->status().state, FeedState::kLive);
    };
    feed_.emplace(
        "replay:rows.csv", options_, [this] { return std::make_unique<VectorReader>(rows_, breaks_); }, clock_,
        std::move(pause));
    feed_->run(stop_.get_token(), output_);
    EXPECT_EQ(output_.unflushed, 0U);
  }
  /// When each quote was received, after the start.
  std::vector<nanoseconds> delays() const {
    std::vector<nanoseconds> out;
    for (const auto& each : output_.submissions) out.push_back(each.received - at(kNow));
    return out;
  }
  void fill(std::size_t count, nanoseconds gap) {
    rows_.resize(count);
    for (std::size_t i = 0; i < count; ++i) rows_[i].time = at(kThen) + static_cast<std::int64_t>(i) * gap;
  }

  ManualClock clock_{at(kNow)};
  std::vector<Row> rows_;
  bool breaks_ = false;
  ReplayOptions options_;
  RecordedOutput output_{clock_};
  std::stop_source stop_;
  ManualPause* pause_ = nullptr;
  std::optional<ReplayFeed> feed_;
};

TEST_F(ReplayFeedTest, KeepsTheGapsAsRecorded) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 1)}, {.time = at(kThen + 1)}, {.time = at(kThen + 5000)}};
  run();
  EXPECT_THAT(delays(), ::testing::ElementsAre(seconds{0}, seconds{1}, seconds{1}, seconds{5000}));
  ASSERT_EQ(output_.submissions.size(), 4U);
  EXPECT_EQ(output_.submissions[3].quote.ts_event, at(kThen + 5000));
  EXPECT_EQ(output_.submissions[3].origin, QuoteOrigin::kHistorical);
}

TEST_F(ReplayFeedTest, AFactorShortensOrStretchesTheGaps) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 10)}, {.time = at(kThen + 30)}};
  options_.speed = 10;
  run();
  EXPECT_THAT(delays(), ::testing::ElementsAre(seconds{0}, seconds{1}, seconds{3}));
  output_.submissions.clear();
  clock_.set(at(kNow));
  options_.speed = 0.5;
  run();
  EXPECT_THAT(delays(), ::testing::ElementsAre(seconds{0}, seconds{20}, seconds{60}));
}

TEST_F(ReplayFeedTest, RowsThatGoBackInTimeAreSentAtOnce) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 10)}, {.time = at(kThen - 50)}, {.time = at(kThen + 12)}};
  run();
  EXPECT_THAT(delays(), ::testing::ElementsAre(seconds{0}, seconds{10}, seconds{10}, seconds{12}));
}

TEST_F(ReplayFeedTest, AtMaxSpeedNothingWaits) {
  fill(1000, hours{1});
  options_.speed = 0;
  run();
  EXPECT_EQ(output_.submissions.size(), 1000U);
  EXPECT_TRUE(pause_->waits.empty());
}

TEST_F(ReplayFeedTest, FlushesEveryFewHundredQuotes) {
  fill(2000, nanoseconds{1});
  options_.speed = 0;
  std::size_t most = 0;
  output_.on_submit = [&] { most = std::max(most, output_.unflushed); };
  run();
  EXPECT_LE(most, 300U);
  EXPECT_GE(most, 100U);
}

TEST_F(ReplayFeedTest, RestampedQuotesAreLiveAndTheirTimesAlwaysRise) {
  fill(3000, nanoseconds{0});
  options_.restamp = true;
  for (const double speed : {0.0, 1.0}) {
    options_.speed = speed;
    run();
  }
  UnixNanos previous = at(kNow) - nanoseconds{1};
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto& each = output_.submissions[i];
    EXPECT_EQ(each.origin, QuoteOrigin::kLive);
    EXPECT_EQ(each.quote.ts_event->ns, previous.ns + 1);  // the clock stands still
    previous = *each.quote.ts_event;
  }
}

TEST_F(ReplayFeedTest, ARestampedTimeIsThatOfEmission) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 7)}};
  options_.restamp = true;
  run();
  ASSERT_EQ(output_.submissions.size(), 2U);
  EXPECT_EQ(output_.submissions[0].quote.ts_event, at(kNow));
  EXPECT_EQ(output_.submissions[1].quote.ts_event, at(kNow + 7));
  EXPECT_EQ(output_.submissions[1].received, at(kNow + 7));
}

TEST_F(ReplayFeedTest, ALoopStartsOverUntilItIsStopped) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 10)}};
  options_.restamp = options_.loop = true;
  run(seconds{35});
  EXPECT_EQ(output_.submissions.size(), 7U);  // at 0, 10, 10, 20, 20, 30, 30
  for (std::size_t i = 1; i < output_.submissions.size(); ++i) {
    EXPECT_GT(output_.submissions[i].quote.ts_event, output_.submissions[i - 1].quote.ts_event);
  }
  EXPECT_EQ(feed_->status().state, FeedState::kLive);
  EXPECT_THAT(feed_->status().detail, ::testing::HasSubstr("pass 4"));
}

TEST_F(ReplayFeedTest, ALoopOverNothingEnds) {
  options_.restamp = options_.loop = true;
  rows_ = {{.time = at(kThen), .fault = Reason::kMalformed}};
  run();
  EXPECT_EQ(output_.submissions.size(), 1U);
  EXPECT_EQ(feed_->status().state, FeedState::kEnded);
}

TEST_F(ReplayFeedTest, RowsWithoutAnLpGetTheConfiguredOne) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen), .lp = "BANK"}, {.time = at(kThen), .fault = Reason::kBadPrice}};
  options_.lp = *parse_lp("REC");
  run();
  ASSERT_EQ(output_.submissions.size(), 3U);
  EXPECT_EQ(output_.submissions[0].quote.lp, parse_lp("REC"));
  EXPECT_EQ(output_.submissions[1].quote.lp, parse_lp("BANK"));
  EXPECT_EQ(output_.submissions[2].quote.lp, parse_lp("REC"));
}

TEST_F(ReplayFeedTest, FaultsArePassedOn) {
  rows_ = {{.time = at(kThen), .fault = Reason::kMalformed},
           {.time = at(kThen), .fault = Reason::kLineTooLong},
           {.time = at(kThen)}};
  run();
  ASSERT_EQ(output_.submissions.size(), 2U);
  EXPECT_EQ(output_.submissions[0].fault, Reason::kMalformed);
  EXPECT_FALSE(output_.submissions[1].fault);
  EXPECT_THAT(output_.refused, ::testing::ElementsAre(Reason::kLineTooLong));
  EXPECT_EQ(feed_->status().detail, "3 lines, 1 quotes sent, 2 refused by their form");
}

TEST_F(ReplayFeedTest, OtherSymbolsThanThoseChosenAreLeftOut) {
  rows_ = {{.time = at(kThen)},
           {.symbol = "GBPUSD", .time = at(kThen + 5)},
           {.symbol = "GBPUSD", .time = at(kThen + 5), .fault = Reason::kCrossed},
           {.symbol = "GBPUSD", .time = at(kThen + 5), .fault = Reason::kMalformed},
           {.time = at(kThen + 9)}};
  options_.symbols = {*parse_symbol("EURUSD")};
  run();
  ASSERT_EQ(output_.submissions.size(), 3U);
  EXPECT_EQ(output_.submissions[1].fault, Reason::kMalformed);  // nobody knows whose it was
  EXPECT_EQ(delays().back(), seconds{9});
}

TEST_F(ReplayFeedTest, EndsWithACount) {
  fill(300, milliseconds{1});
  run();
  EXPECT_EQ(feed_->status().name, "replay:rows.csv");
  EXPECT_EQ(feed_->status().state, FeedState::kEnded);
  EXPECT_EQ(feed_->status().detail, "300 lines, 300 quotes sent, 0 refused by their form");
}

TEST_F(ReplayFeedTest, AFailureKeepsWhatWasReadAndIsInTheStatus) {
  fill(10, nanoseconds{1});
  breaks_ = true;
  run();
  EXPECT_EQ(output_.submissions.size(), 10U);
  EXPECT_EQ(feed_->status().state, FeedState::kFailed);
  EXPECT_THAT(feed_->status().detail,
              ::testing::StartsWith("cannot read rows.csv: Input/output error (after 10 lines"));
}

TEST_F(ReplayFeedTest, AFileThatCannotBeOpenedIsAFailure) {
  ReplayFeed feed(
      "replay:no.csv", options_,
      []() -> std::unique_ptr<RawQuoteReader> { throw Error("cannot open no.csv: No such file or directory"); },
      clock_);
  EXPECT_EQ(feed.status().state, FeedState::kConnecting);
  feed.run({}, output_);
  EXPECT_EQ(feed.status().state, FeedState::kFailed);
  EXPECT_EQ(feed.status().detail, "cannot open no.csv: No such file or directory");
}

TEST_F(ReplayFeedTest, AStopEndsAWaitAndTheQuoteWaitedForIsNotSent) {
  rows_ = {{.time = at(kThen)}, {.time = at(kThen + 3600)}};
  ReplayFeed feed(
      "replay:rows.csv", options_, [this] { return std::make_unique<VectorReader>(rows_, false); }, clock_);
  std::promise<void> ended;
  std::jthread thread([&](const std::stop_token& stop) {
    feed.run(stop, output_);
    ended.set_value();
  });
  while (feed.status().detail.rfind("2 lines", 0) != 0) std::this_thread::yield();
  thread.request_stop();
  ASSERT_EQ(ended.get_future().wait_for(seconds{60}), std::future_status::ready);
  thread.join();
  EXPECT_EQ(output_.submissions.size(), 1U);
  EXPECT_EQ(feed.status().state, FeedState::kLive);
}

}  // namespace
}  // namespace tickpipe::internal
