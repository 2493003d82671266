#include "feed/sim_faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using Emission = SimFaults::Emission;

const UnixNanos kStart = *parse_timestamp("2026-06-16T09:00:00Z");

/// Quotes of a minute of ten thousand, and what the faults make of them. Times of leaving are told by stepping.
class SimFaultsTest : public ::testing::Test {
 protected:
  struct Left {
    UnixNanos time;  ///< when it left, at the latest
    Emission emission;
  };
  static constexpr seconds kLength{60};

  std::vector<SimQuote> quotes() const {
    const SimMarket market(options_, nanoseconds{0});
    SimStream stream(market, kStart);
    std::vector<SimQuote> out;
    while (stream.next_time() < kStart + kLength) out.push_back(stream.pop());
    return out;
  }

  std::vector<Left> run() const {
    const SimMarket market(options_, nanoseconds{0});
    SimFaults faults(options_, market);
    std::vector<Left> out;
    std::vector<Emission> now;
    const auto note = [&](UnixNanos time) {
      for (const Emission& emission : now) out.push_back({time, emission});
      now.clear();
    };
    for (const SimQuote& quote : quotes()) {
      while (faults.next_time() < quote.time) {
        const UnixNanos due = faults.next_time();
        faults.release(due, now);
        note(due);
      }
      faults.pass(quote, now);
      note(quote.time);
    }
    while (faults.next_time() != kEndOfTime) {
      const UnixNanos due = faults.next_time();
      faults.release(due, now);
      note(due);
    }
    return out;
  }

  static std::vector<std::tuple<std::int64_t, std::uint32_t, std::int64_t, std::int64_t, int>> rows(
      const std::vector<Left>& all) {
    std::vector<std::tuple<std::int64_t, std::uint32_t, std::int64_t, std::int64_t, int>> out;
    for (const auto& [time, emission] : all) {
      const SimQuote& quote = emission.quote;
      out.emplace_back(time.ns, quote.symbol, quote.prices.bid.units, quote.prices.ask.units,
                       emission.fault ? static_cast<int>(*emission.fault) : -1);
    }
    return out;
  }

  static double as_double(std::size_t count) { return static_cast<double>(count); }

  SimOptions options_ = [] {
    SimOptions options;
    options.rate = 170;
    return options;
  }();
};

TEST_F(SimFaultsTest, WithoutFaultsEverythingLeavesAtItsTime) {
  const auto in = quotes();
  const auto out = run();
  ASSERT_EQ(out.size(), in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    EXPECT_EQ(out[i].time, in[i].time);
    EXPECT_EQ(out[i].emission.quote.time, in[i].time);
    EXPECT_EQ(out[i].emission.quote.prices.bid, in[i].prices.bid);
    EXPECT_FALSE(out[i].emission.fault);
  }
}

TEST_F(SimFaultsTest, FaultsAreAFunctionOfSeedAndTime) {
  options_.drop_share = options_.duplicate_share = options_.garble_share = options_.delay_share = 0.2;
  options_.mute_share = 0.2;
  const auto first = rows(run());
  EXPECT_EQ(first, rows(run()));
  options_.seed = 2;
  EXPECT_NE(first, rows(run()));
}

TEST_F(SimFaultsTest, DropsItsShare) {
  options_.drop_share = 0.25;
  EXPECT_NEAR(as_double(run().size()) / as_double(quotes().size()), 0.75, 0.02);
  options_.drop_share = 1;
  EXPECT_TRUE(run().empty());
}

TEST_F(SimFaultsTest, DuplicatesAreIdenticalAndWithinASecond) {
  options_.duplicate_share = 0.25;
  std::map<std::pair<std::uint32_t, std::int64_t>, std::vector<Left>> by_quote;
  std::size_t at_once = 0;
  std::size_t later = 0;
  for (const Left& left : run()) by_quote[{left.emission.quote.symbol, left.emission.quote.time.ns}].push_back(left);
  for (const auto& [key, all] : by_quote) {
    ASSERT_LE(all.size(), 2U);
    if (all.size() < 2) continue;
    EXPECT_EQ(all[0].emission.quote.prices.bid, all[1].emission.quote.prices.bid);
    EXPECT_EQ(all[0].emission.quote.prices.ask, all[1].emission.quote.prices.ask);
    EXPECT_LE(all[1].time - all[0].time, seconds{1});
    ++(all[1].time == all[0].time ? at_once : later);
  }
  EXPECT_EQ(by_quote.size(), quotes().size());
  EXPECT_NEAR(as_double(at_once + later) / as_double(by_quote.size()), 0.25, 0.02);
  EXPECT_GT(at_once, 1000U);
  EXPECT_GT(later, 1000U);
}

TEST_F(SimFaultsTest, DelayedQuotesKeepTheirTimeAndAreLateByAtMostTheDelay) {
  options_.delay_share = 0.5;
  options_.delay = seconds{3};
  const auto out = run();
  EXPECT_EQ(out.size(), quotes().size());
  std::size_t late = 0;
  nanoseconds latest{0};
  UnixNanos previous = kNoTime;
  for (const auto& [time, emission] : out) {
    EXPECT_GE(time, previous);
    previous = time;
    const nanoseconds delay = time - emission.quote.time;
    EXPECT_LE(delay, options_.delay);
    latest = std::max(latest, delay);
    if (delay.count() > 0) ++late;
  }
  EXPECT_NEAR(as_double(late) / as_double(out.size()), 0.5, 0.02);
  EXPECT_GT(latest, seconds{2});
}

TEST_F(SimFaultsTest, AMutedSymbolIsSilentForTheWholeStretch) {
  options_.mute_share = 0.3;
  options_.mute = seconds{10};
  const auto out = run();
  EXPECT_NEAR(as_double(out.size()) / as_double(quotes().size()), 0.7, 0.1);
  std::map<std::uint32_t, UnixNanos> last;
  std::set<std::uint32_t> silent;
  for (const auto& [time, emission] : out) {
    UnixNanos& before = last.try_emplace(emission.quote.symbol, kStart).first->second;
    if (time - before > seconds{8}) silent.insert(emission.quote.symbol);
    before = time;
  }
  EXPECT_GT(silent.size(), 20U);
}

TEST_F(SimFaultsTest, GarbledQuotesAreOfEveryKind) {
  options_.garble_share = 0.2;
  const auto in = quotes();
  const auto out = run();
  ASSERT_EQ(out.size(), in.size());
  std::map<std::string_view, std::size_t> kinds;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto& [quote, fault] = out[i].emission;
    if (fault) {
      ++kinds[to_string(*fault)];
      if (fault == Reason::kCrossed) {
        EXPECT_GT(quote.prices.bid, quote.prices.ask);
      }
    } else if (quote.prices.bid != in[i].prices.bid) {
      EXPECT_EQ(quote.prices.bid.units, 10 * in[i].prices.bid.units);
      EXPECT_EQ(quote.prices.ask.units, 10 * in[i].prices.ask.units);
      ++kinds["absurd"];
    } else {
      ++kinds["sound"];
    }
  }
  EXPECT_EQ(kinds.size(), 5U);
  EXPECT_NEAR(as_double(kinds["sound"]) / as_double(in.size()), 0.8, 0.02);
  for (const auto& [kind, count] : kinds) EXPECT_GT(count, 200U) << kind;
}

TEST_F(SimFaultsTest, NoTwoAbsurdPricesOfASymbolAreWithoutASoundOneBetween) {
  options_.garble_share = 0.8;
  const auto in = quotes();
  const auto out = run();
  ASSERT_EQ(out.size(), in.size());
  std::set<std::uint32_t> sound;
  std::size_t absurd = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto& [quote, fault] = out[i].emission;
    if (fault) continue;
    if (quote.prices.bid == in[i].prices.bid) {
      sound.insert(quote.symbol);
    } else {
      EXPECT_EQ(sound.erase(quote.symbol), 1U);
      ++absurd;
    }
  }
  EXPECT_GT(absurd, 100U);
}

}  // namespace
}  // namespace tickpipe::internal
