// The remedy for everything that went wrong is to load the same files again: it must be safe at any time.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/decimal.h"
#include "support/quote_scenario.h"
#include "support/tickpipe_fixture.h"

namespace tickpipe::internal::testing {
namespace {

class ReloadTest : public TickpipeTest {
 protected:
  /// Rows of one symbol, a second apart from `start` (Unix seconds); bid and ask are the price and a little more.
  static std::string rows(std::int64_t start, const std::vector<double>& prices) {
    std::string text;
    for (std::size_t i = 0; i < prices.size(); ++i) {
      const auto units = static_cast<std::int64_t>(prices[i] * 1e9);
      text += std::to_string(start + static_cast<std::int64_t>(i)) + ",EURUSD," + decimal_to_string(units) + "," +
              decimal_to_string(units + 1'000'000) + "\n";
    }
    return text;
  }

  /// Loads a file three times; only the first time anything may be accepted.
  void expect_idempotent(const std::string& text, const std::vector<std::string>& options = {}) {
    const auto path = file("again.csv", "timestamp,symbol,bid,ask\n" + text);
    const auto first = backfill({path}, options);
    EXPECT_GT(first["invalid"].get<int>(), 0) << "nothing was refused: nothing is tested";
    const auto bars = exported("bars", "EURUSD");
    for (int i = 0; i < 2; ++i) {
      const auto again = backfill({path}, options);
      EXPECT_EQ(again["accepted"], 0);
      EXPECT_EQ(again["duplicate"], first["accepted"]);
      EXPECT_EQ(again["invalid_by_reason"], first["invalid_by_reason"]);
      EXPECT_EQ(exported("bars", "EURUSD"), bars);
    }
  }
};

constexpr std::int64_t kMonday = 1'767'600'000;

TEST_F(ReloadTest, AnImplausiblePriceStaysRefusedWhenTheFileEndsDaysLater) {
  std::vector<double> prices(40, 1.1);
  prices[20] = 11;
  expect_idempotent(rows(kMonday, prices) + rows(kMonday + 2 * 86'400, std::vector<double>(20, 1.1)));
}

TEST_F(ReloadTest, RunsOfImplausiblePricesDoNotAddUp) {
  std::vector<double> prices;
  for (const auto& [count, price] : {std::pair{5, 1.1}, {6, 11.0}, {5, 1.1}, {4, 11.0}}) {
    prices.insert(prices.end(), static_cast<std::size_t>(count), price);
  }
  expect_idempotent(rows(kMonday, prices));
}

TEST_F(ReloadTest, ARefusedSpikeStaysRefusedWhenThePriceDriftsThere) {
  std::vector<double> prices = {1.0, 1.0, 1.3};
  for (double price = 1.0; price < 1.35; price += 0.02) prices.push_back(price);
  expect_idempotent(rows(kMonday, prices), {"--config", file("reject.json", R"({"price_sanity_action":"reject"})")});
}

TEST_F(ReloadTest, SparseQuotesAreJudgedByTheirPredecessorToo) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += rows(kMonday + i * 600, {i == 7 ? 1.4 : 1.0 + i * 0.015});
  expect_idempotent(text, {"--config", file("reject.json", R"({"price_sanity_action":"reject"})")});
}

TEST_F(ReloadTest, ANewLevelAfterTenAgreeingQuotesIsAccepted) {
  std::vector<double> prices(5, 1.1);
  prices.insert(prices.end(), 15, 11.0);
  expect_idempotent(rows(kMonday, prices));
}

TEST_F(ReloadTest, KilledAtAnyMomentUnderAnySettingsItEndsUpRight) {
  const QuoteScenario scenario = make_scenario({.seed = 77, .count = 30'000, .symbols = 3});
  std::string text = "timestamp_ns,symbol,bid,ask,lp,bid_size\n";
  for (const RawQuote& quote : scenario.quotes) {
    text += std::to_string(quote.ts_event->ns) + "," + std::string(quote.symbol.view()) + "," +
            decimal_to_string(quote.bid.units) + "," + decimal_to_string(quote.ask.units) + "," +
            std::string(quote.lp->view()) + "," +
            (quote.bid_size == kNoQuantity ? "" : decimal_to_string(quote.bid_size.units)) + "\n";
  }
  const std::string path = file("quotes.csv", text);
  const std::array<std::string, 3> configs = {
      file("c0.json", "{}"), file("c1.json", R"({"bar_price":"bid","worker_count":3})"),
      file("c2.json", R"({"timeframes":["30s","10m","1d","1w"],"day_close":"17:00 America/New_York"})")};
  std::mt19937_64 random(7);
  for (int round = 0; round < 25; ++round) {
    const std::string& config = configs[random() % configs.size()];
    Process process({TICKPIPE_EXECUTABLE, "backfill", path, "--data-dir", data(), "--config", config},
                    folder_ / "killed" + std::to_string(round));
    ::usleep(static_cast<useconds_t>(20'000 + random() % 120'000));
    process.signal(SIGKILL);
    process.wait();
  }
  backfill({path}, {"--config", configs[0]});
  const TradingCalendar calendar("00:00 UTC");
  for (const auto& [symbol, quotes] : scenario.accepted) {
    EXPECT_EQ(lines_of(exported("ticks", symbol)).size(), quotes.size() + 1) << "each once";
    for (const char* timeframe : {"1m", "5m", "15m", "1h", "4h", "1d"}) {
      const auto lines = lines_of(exported("bars", symbol, {"--timeframe", timeframe}));
      const auto bars = fold_brute_force(scenario.points(symbol), *parse_timeframe(timeframe), calendar);
      ASSERT_EQ(lines.size(), bars.size() + 1) << symbol << " " << timeframe;
      std::size_t i = 1;
      for (const auto& [open_time, bar] : bars) {
        const auto fields = fields_of(lines[i++]);
        ASSERT_EQ(fields.at(0), std::to_string(open_time.ns / kNanosPerMilli));
        ASSERT_EQ(fields.at(2), decimal_to_string(bar.high.units));
        ASSERT_EQ(fields.at(3), decimal_to_string(bar.low.units));
        ASSERT_EQ(fields.at(5), std::to_string(bar.tick_count));
      }
    }
  }
}

TEST_F(ReloadTest, AnotherSelectedStreamAfterAKillLosesNoBar) {
  std::string text = "timestamp,symbol,bid,ask,lp\n";
  for (int i = 0; i < 4'000; ++i) {
    text += std::to_string(kMonday + i / 4) + "." + std::to_string(i % 4) + ",X,1.1,1.2,A\n";
    text += std::to_string(kMonday + i / 4 - 40) + "." + std::to_string(i % 4) + ",X,1.1,1.2,B\n";
  }
  // A pipe that stays open keeps the process alive with everything committed and no clean stop before it.
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Process process({TICKPIPE_EXECUTABLE, "backfill", pipe, "--data-dir", data()}, folder_ / "killed");
  std::ofstream out(pipe, std::ios::binary);
  out << text << std::flush;
  const auto stored = [this] {
    const auto result = run({"export", "ticks", "--symbol", "X", "--data-dir", data()});
    return result.status == 0 ? lines_of(result.out).size() - 1 : 0;
  };
  // The source collects up to 128 quotes before it sends them on.
  for (int i = 0; i < 600 && stored() < 8'000 - 128; ++i) ::usleep(50'000);
  const std::size_t ticks = stored();
  ASSERT_GE(ticks, 8'000U - 128);
  process.signal(SIGKILL);
  process.wait();

  const auto config = file("a.json", R"({"quote_source":"A"})");
  backfill({file("none.csv", "timestamp,symbol,bid,ask\n")}, {"--config", config});
  ASSERT_EQ(stored(), ticks);
  std::uint64_t in_bars = 0;
  const auto bars = lines_of(exported("bars", "X"));
  for (std::size_t i = 1; i < bars.size(); ++i) in_bars += std::stoull(fields_of(bars[i]).at(5));
  EXPECT_EQ(in_bars, ticks);
}

TEST_F(ReloadTest, ANamedPipeIsReadOnce) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer([&pipe] { write_file(pipe, "timestamp,symbol,bid,ask\n1767600000,X,1,2\n"); });
  EXPECT_EQ(backfill({pipe})["accepted"], 1);
}

TEST_F(ReloadTest, SymbolsTakesOneArgumentOnly) {
  const auto a = file("a.csv", "timestamp,symbol,bid,ask\n1767600000,X,1,2\n");
  const auto b = file("b.csv", "timestamp,symbol,bid,ask\n1767600001,X,1,2\n");
  const auto result = run({"backfill", "--data-dir", data(), "--symbols", "X,Y", a, b});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["accepted"], 2);
}

TEST_F(ReloadTest, ABadInputLosesNothingOfThoseBeforeIt) {
  const auto good = file("good.csv", "timestamp,symbol,bid,ask\n1767600000,X,1,2\n");
  const auto result =
      run({"backfill", "--data-dir", data(), "--format", "csv", good, "-"}, file("in", "symbol,bid\nX,1\n"));
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(lines_of(exported("ticks", "X")).size(), 2U);
}

TEST_F(ReloadTest, QuotesInDescendingOrderAreAllKept) {
  std::string text = "timestamp,symbol,bid,ask\n";
  for (int i = 20'000; i > 0; --i) text += std::to_string(kMonday + i) + ",X,1.1,1.2\n";
  const auto path = file("descending.csv", text);
  EXPECT_EQ(backfill({path})["accepted"], 20'000);
  EXPECT_EQ(backfill({path})["duplicate"], 20'000);
}

}  // namespace
}  // namespace tickpipe::internal::testing
