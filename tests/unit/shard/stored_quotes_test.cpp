#include "shard/stored_quotes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "core/error.h"
#include "support/memory_history.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::MemoryHistory;
using Entry = StoredQuotes::Entry;

constexpr UnixNanos kNoon{1'770'000'000 * kNanosPerSecond};

Entry entry(UnixNanos ts, std::int64_t price = 1, std::uint16_t lp = 0) {
  return {ts, Price{price}, Price{price + 1}, LpId{lp}};
}

/// The store, what is accepted and not yet stored, and the object between them and a shard.
class StoredQuotesTest : public ::testing::Test {
 protected:
  bool contains(const Entry& wanted, SymbolId symbol = {}) {
    return quotes_.contains(symbol, wanted, [this, symbol](UnixNanos from, UnixNanos to, const auto& take) {
      for (const auto& [of, each] : uncommitted_) {
        if (of == symbol && each.ts >= from && each.ts < to) take(each);
      }
    });
  }

  /// As a shard does it: the quote is uncommitted until commit(), and told when it lies below end().
  void accept(const Entry& quote, SymbolId symbol = {}) {
    uncommitted_.emplace_back(symbol, quote);
    if (quote.ts < quotes_.end()) quotes_.add(symbol, quote);
  }
  void commit() {
    for (const auto& [symbol, quote] : uncommitted_) store(quote, symbol);
    uncommitted_.clear();
  }
  void store(const Entry& quote, SymbolId symbol = {}) {
    Tick tick;
    tick.ts_event = quote.ts;
    tick.bid = quote.bid;
    tick.ask = quote.ask;
    tick.lp = quote.lp;
    tick.symbol = symbol;
    tick.seq = ++seq_;
    history_.add(tick);
  }

  MemoryHistory history_;
  StoredQuotes quotes_{history_};
  std::vector<std::pair<SymbolId, Entry>> uncommitted_;
  std::uint64_t seq_ = 0;
};

TEST_F(StoredQuotesTest, AStoredQuoteIsFound) {
  store(entry(kNoon));
  EXPECT_TRUE(contains(entry(kNoon)));
  EXPECT_FALSE(contains(entry(kNoon + nanoseconds{1})));
  EXPECT_FALSE(contains(entry(kNoon, 2)));
  EXPECT_FALSE(contains(entry(kNoon, 1, 7)));
  EXPECT_FALSE(contains(entry(kNoon), SymbolId{1}));
  EXPECT_FALSE(contains({kNoon, Price{1}, Price{3}, LpId{0}}));
}

TEST_F(StoredQuotesTest, AQuoteThatIsNotCommittedIsFound) {
  accept(entry(kNoon));
  EXPECT_TRUE(contains(entry(kNoon)));
  EXPECT_FALSE(contains(entry(kNoon), SymbolId{1}));
}

TEST_F(StoredQuotesTest, AQuoteAcceptedAfterTheReadIsFoundBeforeAndAfterItsCommit) {
  EXPECT_FALSE(contains(entry(kNoon)));
  accept(entry(kNoon));
  EXPECT_TRUE(contains(entry(kNoon)));
  commit();
  EXPECT_TRUE(contains(entry(kNoon)));
  EXPECT_EQ(history_.scans, 1U);
}

TEST_F(StoredQuotesTest, OneReadAnswersForItsNeighbours) {
  for (int i = 0; i < 5000; ++i) store(entry(kNoon + milliseconds{i}));
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(contains(entry(kNoon + milliseconds{i})));
    EXPECT_FALSE(contains(entry(kNoon + milliseconds{i}, 2)));
  }
  EXPECT_EQ(history_.scans, 1U);
}

TEST_F(StoredQuotesTest, QuotesBeyondTheEndOfAReadAreReadAnew) {
  constexpr int kCount = 30'000;
  for (int i = 0; i < kCount; ++i) store(entry(kNoon + nanoseconds{i / 3}, i % 3));  // reads end within ties
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(contains(entry(kNoon + nanoseconds{i / 3}, i % 3))) << i;
  EXPECT_LE(history_.scans, 6U);
  for (int i = kCount - 1; i >= 0; --i) ASSERT_TRUE(contains(entry(kNoon + nanoseconds{i / 3}, i % 3))) << i;
}

TEST_F(StoredQuotesTest, EqualTimesAreAllCompared) {
  for (int i = 0; i < 20'000; ++i) store(entry(kNoon, i, static_cast<std::uint16_t>(i % 5)));
  for (int i = 0; i < 20'000; i += 997) {
    EXPECT_TRUE(contains(entry(kNoon, i, static_cast<std::uint16_t>(i % 5))));
    EXPECT_FALSE(contains(entry(kNoon, i, static_cast<std::uint16_t>((i + 1) % 5))));
  }
}

TEST_F(StoredQuotesTest, NothingReachesBeyondTheEnd) {
  EXPECT_EQ(quotes_.end(), kNoTime);
  EXPECT_FALSE(contains(entry(kNoon)));
  const UnixNanos end = quotes_.end();
  EXPECT_GT(end, kNoon);
  accept(entry(end));  // not told, as it is not below the end
  accept(entry(end - nanoseconds{1}));
  EXPECT_TRUE(contains(entry(end)));
  EXPECT_TRUE(contains(entry(end - nanoseconds{1})));
}

TEST_F(StoredQuotesTest, StretchesBeyondTheLimitAreReadAgainWithAllThatCameSince) {
  constexpr int kPlaces = 100;  // more than are kept
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < kPlaces; ++i) {
      const UnixNanos place = kNoon + hours{24 * i};
      for (int k = 0; k < round; ++k) ASSERT_TRUE(contains(entry(place, k)));
      ASSERT_FALSE(contains(entry(place, round)));
      accept(entry(place, round));
      ASSERT_TRUE(contains(entry(place, round)));
      if (i % 7 == 0) commit();
    }
  }
  EXPECT_GE(history_.scans, static_cast<std::size_t>(4 * kPlaces));
}

TEST_F(StoredQuotesTest, TheStretchUsedLongestAgoMakesRoom) {
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(contains(entry(kNoon + hours{24 * i})));
  EXPECT_FALSE(contains(entry(kNoon)));
  EXPECT_EQ(history_.scans, 32U);
  EXPECT_FALSE(contains(entry(kNoon + hours{24 * 32})));
  EXPECT_FALSE(contains(entry(kNoon)));
  EXPECT_EQ(history_.scans, 33U);
  EXPECT_FALSE(contains(entry(kNoon + hours{24})));
  EXPECT_EQ(history_.scans, 34U);
}

TEST_F(StoredQuotesTest, AStretchThatHasGrownBeyondItsLimitIsDroppedAndReadAnew) {
  EXPECT_FALSE(contains(entry(kNoon)));
  constexpr int kCount = 70'000;
  for (int i = 0; i < kCount; ++i) accept(entry(kNoon + nanoseconds{i}));
  commit();
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(contains(entry(kNoon + nanoseconds{i}))) << i;
    ASSERT_FALSE(contains(entry(kNoon + nanoseconds{i}, 2)));
  }
  EXPECT_GT(history_.scans, 1U);
}

TEST_F(StoredQuotesTest, AFailingReadThrowsAndLeavesNoTrace) {
  store(entry(kNoon));
  history_.fails = true;
  EXPECT_THROW(contains(entry(kNoon)), Error);
  EXPECT_EQ(quotes_.end(), kNoTime);
  history_.fails = false;
  EXPECT_TRUE(contains(entry(kNoon)));
  history_.fails = true;
  EXPECT_TRUE(contains(entry(kNoon)));  // known by now
  EXPECT_THROW(contains(entry(kNoon + hours{48})), Error);
}

TEST_F(StoredQuotesTest, AnswersEqualThoseOfAListOfEverythingAccepted) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::mt19937_64 random(seed);
    const std::int64_t spread_seconds = seed % 2 == 0 ? 3600 * 24 * 60 : 600;
    std::vector<std::pair<SymbolId, Entry>> all;
    for (int i = 0; i < 4000; ++i) {
      const SymbolId symbol{static_cast<std::uint32_t>(random() % 3)};
      UnixNanos ts = kNoon + seconds{static_cast<std::int64_t>(seed * 100'000'000) +
                                     static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread_seconds))};
      Entry quote = entry(ts, static_cast<std::int64_t>(random() % 2), static_cast<std::uint16_t>(random() % 2));
      if (!all.empty() && random() % 3 == 0) quote = all[random() % all.size()].second;
      const bool known = std::find(all.begin(), all.end(), std::pair(symbol, quote)) != all.end();
      ASSERT_EQ(contains(quote, symbol), known) << "seed " << seed << " quote " << i;
      if (!known) {
        accept(quote, symbol);
        all.emplace_back(symbol, quote);
      }
      if (random() % 20 == 0) commit();
    }
    commit();
  }
}

}  // namespace
}  // namespace tickpipe::internal
