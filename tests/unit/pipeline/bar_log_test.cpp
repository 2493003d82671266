#include "pipeline/bar_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr UnixNanos kNoon{1'770'033'600 * kNanosPerSecond};  // 2026-02-02T12:00:00Z

class LinesLog final : public Log {
 public:
  void write(LogLevel /*level*/, std::string_view component, std::string_view message) noexcept override {
    lines.push_back("[" + std::string(component) + "] " + std::string(message));
  }
  std::vector<std::string> lines;
};

class BarLogTest : public ::testing::Test {
 protected:
  BarLogTest() { symbols_.intern(*parse_symbol("BTCUSD")); }
  static BarEvent closed(UnixNanos close_time, std::uint32_t revision = 0) {
    BarEvent event;
    event.bar.open_time = close_time - 1min;
    event.bar.close_time = close_time;
    event.bar.add(event.bar.open_time, Price{1'500'000'000});
    event.bar.add(event.bar.open_time + 1s, Price{2'000'000'000});
    event.bar.is_closed = true;
    event.bar.revision = revision;
    return event;
  }
  std::vector<std::string> lines_of(const std::vector<BarEvent>& bars) {
    EventBatch batch;
    batch.bars = bars;
    bar_log_.on_committed(batch, {});
    log_.lines.clear();
    bar_log_.flush(log_);
    return log_.lines;
  }

  ManualClock clock_{kNoon + 2s};
  SymbolRegistry symbols_{10};
  BarLog bar_log_{symbols_, {Timeframe{1min}}, clock_};
  LinesLog log_;
};

TEST_F(BarLogTest, TellsOfABarThatCloses) {
  EXPECT_THAT(lines_of({closed(kNoon)}),
              ElementsAre("[OHLCEngine] Closing bar: BTCUSD 1m 2026-02-02T11:59:00Z O: 1.5 H: 2 L: 1.5 C: 2 V: 2"));
  EXPECT_THAT(lines_of({}), IsEmpty());
}

TEST_F(BarLogTest, HistoryAndRevisionsAreNotTold) {
  EXPECT_THAT(lines_of({closed(kNoon - 1min), closed(kNoon, 1)}), IsEmpty());
}

TEST_F(BarLogTest, AfterAHundredLinesItOnlyCounts) {
  const auto lines = lines_of(std::vector<BarEvent>(150, closed(kNoon)));
  ASSERT_THAT(lines, SizeIs(101));
  EXPECT_EQ(lines.back(), "[OHLCEngine] Closing bars: and 50 more");
}

}  // namespace
}  // namespace tickpipe::internal
