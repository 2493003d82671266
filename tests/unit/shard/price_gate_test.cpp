#include "shard/price_gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "core/int128.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Verdict = PriceGate::Verdict;

constexpr UnixNanos kNoon{1'770'000'000 * kNanosPerSecond};
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr PriceGate::Rules kFlagging{5 * kUnitsPerOne, kUnitsPerOne / 10, false};
constexpr PriceGate::Rules kRejecting{5 * kUnitsPerOne, kUnitsPerOne / 10, true};

Quote quote_at(UnixNanos ts, std::int64_t bid, std::int64_t ask) {
  Quote quote;
  quote.ts_event = quote.ts_recv = ts;
  quote.bid = Price{bid};
  quote.ask = Price{ask};
  return quote;
}

/// The verdict on a quote one second after a reference, both in units of 1e-9.
Verdict verdict_of(const PriceGate::Rules& rules, std::int64_t reference_bid, std::int64_t reference_ask,
                   std::int64_t bid, std::int64_t ask) {
  PriceTrack track;
  track.level = {kNoon, Price{reference_bid}, Price{reference_ask}};
  return PriceGate(rules).judge_historical(quote_at(kNoon + seconds{1}, bid, ask), track, {});
}

Verdict verdict_of(const PriceGate::Rules& rules, std::int64_t reference, std::int64_t price) {
  return verdict_of(rules, reference, reference, price, price);
}

/// The rules of the contract in plain 128-bit arithmetic, without a shortcut.
Verdict plain_verdict(const PriceGate::Rules& rules, const PriceLevel& level, const Quote& quote) {
  const auto implausible = [&](Price price, Price reference) {
    const Int128 p = price.units;
    const Int128 r = reference.units;
    return p * kUnitsPerOne >= r * rules.reject_ratio_units || p * rules.reject_ratio_units <= r * kUnitsPerOne;
  };
  if (implausible(quote.bid, level.bid) || implausible(quote.ask, level.ask)) return Verdict::kRefusedImplausible;
  const Int128 reference = static_cast<Int128>(level.bid.units) + level.ask.units;
  Int128 move = static_cast<Int128>(quote.bid.units) + quote.ask.units - reference;
  if (move < 0) move = -move;
  // Both products are below 2^64 * 2^63.
  const bool spike = static_cast<UInt128>(move) * static_cast<UInt128>(kUnitsPerOne) >=
                     static_cast<UInt128>(reference) * static_cast<UInt128>(rules.spike_threshold_units);
  if (!spike) return Verdict::kGood;
  return rules.reject_spikes ? Verdict::kRefusedSpike : Verdict::kSpike;
}

/// A track, the level of its symbol, and what an engine does around them.
class PriceGateTest : public ::testing::Test {
 protected:
  explicit PriceGateTest(const PriceGate::Rules& rules = kFlagging) : gate_(rules) {}

  Verdict quote(UnixNanos ts, std::int64_t bid, std::int64_t ask) {
    const Quote q = quote_at(ts, bid, ask);
    const Verdict verdict = gate_.judge_historical(q, track_, symbol_level_);
    if (verdict == Verdict::kNewLevel) track_.level = {};
    if (verdict == Verdict::kGood || verdict == Verdict::kSpike || verdict == Verdict::kNewLevel) {
      PriceGate::accept_historical(track_.level, q.ts_event, q.bid, q.ask);
      PriceGate::accept_historical(symbol_level_, q.ts_event, q.bid, q.ask);
    }
    return verdict;
  }
  Verdict quote(UnixNanos ts, std::int64_t price) { return quote(ts, price, price); }
  Verdict quote(int second, std::int64_t price) { return quote(kNoon + seconds{second}, price); }

  PriceGate gate_;
  PriceTrack track_;
  PriceLevel symbol_level_;
};

class RejectingPriceGateTest : public PriceGateTest {
 protected:
  RejectingPriceGateTest() : PriceGateTest(kRejecting) {}
};

// --- limits ---------------------------------------------------------------------------------------------------------

TEST_F(PriceGateTest, FiveTimesTheReferenceIsImplausibleAndOneUnitLessIsNot) {
  EXPECT_EQ(verdict_of(kFlagging, 1000, 5000), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 4999), Verdict::kSpike);
}

TEST_F(PriceGateTest, AFifthOfTheReferenceIsImplausibleAndOneUnitMoreIsNot) {
  EXPECT_EQ(verdict_of(kFlagging, 1000, 200), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 201), Verdict::kSpike);
  EXPECT_EQ(verdict_of(kFlagging, 1001, 200), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 999, 200), Verdict::kSpike);
}

TEST_F(PriceGateTest, BidAndAskAreJudgedEachAgainstItsOwnReference) {
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1010, 199, 1010), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1010, 1000, 5050), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1010, 1000, 5049), Verdict::kSpike);
  // Five times the other side's reference is no measure.
  EXPECT_EQ(verdict_of(kFlagging, 1000, 2000, 1000, 5500), Verdict::kSpike);
}

TEST_F(PriceGateTest, AMoveOfExactlyTheThresholdIsASpike) {
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1100), Verdict::kSpike);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1099), Verdict::kGood);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 900), Verdict::kSpike);
  EXPECT_EQ(verdict_of(kFlagging, 1000, 901), Verdict::kGood);
}

TEST_F(PriceGateTest, ASpikeIsAMoveOfTheMidNotRounded) {
  // mid 1000 -> 1099.5 and 1100
  EXPECT_EQ(verdict_of(kFlagging, 990, 1010, 990, 1209), Verdict::kGood);
  EXPECT_EQ(verdict_of(kFlagging, 990, 1010, 990, 1210), Verdict::kSpike);
  // One side may move far while the other moves back.
  EXPECT_EQ(verdict_of(kFlagging, 1000, 1000, 700, 1300), Verdict::kGood);
}

TEST_F(PriceGateTest, RejectingTurnsASpikeIntoARefusal) {
  EXPECT_EQ(verdict_of(kRejecting, 1000, 1100), Verdict::kRefusedSpike);
  EXPECT_EQ(verdict_of(kRejecting, 1000, 1099), Verdict::kGood);
  EXPECT_EQ(verdict_of(kRejecting, 1000, 5000), Verdict::kRefusedImplausible);
}

TEST_F(PriceGateTest, TheFirstQuoteOfAllIsAlwaysGood) {
  EXPECT_EQ(quote(0, kMax), Verdict::kGood);
  track_ = {};
  symbol_level_ = {};
  EXPECT_EQ(quote(0, 1), Verdict::kGood);
}

TEST_F(PriceGateTest, TheLargestPricesDoNotOverflow) {
  PriceGate::Rules rules{kMax, kMax, false};
  EXPECT_EQ(verdict_of(rules, kMax, kMax), Verdict::kGood);
  EXPECT_EQ(verdict_of(rules, 1, kMax), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(rules, kMax, 1), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(rules, kMax, kMax / 2), Verdict::kGood);
  rules = {kUnitsPerOne + 1, 1, false};  // the tightest rules there are
  EXPECT_EQ(verdict_of(rules, kMax, kMax), Verdict::kGood);
  EXPECT_EQ(verdict_of(rules, kMax, kMax - 1), Verdict::kGood);
  EXPECT_EQ(verdict_of(rules, kMax, 1), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(rules, 1, 1), Verdict::kGood);
  EXPECT_EQ(verdict_of(rules, 1, 2), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, 1, kMax), Verdict::kRefusedImplausible);
  EXPECT_EQ(verdict_of(kFlagging, kMax, 1), Verdict::kRefusedImplausible);
}

TEST_F(PriceGateTest, VerdictsEqualPlainArithmeticForPricesOfAllMagnitudes) {
  std::mt19937_64 random(1);
  const auto magnitude = [&random](std::uint64_t below_bits) {
    const std::uint64_t value = random() >> (64 - 1 - random() % below_bits);
    return static_cast<std::int64_t>(std::max<std::uint64_t>(value & static_cast<std::uint64_t>(kMax), 1));
  };
  std::map<Verdict, int> seen;
  for (int i = 0; i < 400'000; ++i) {
    PriceGate::Rules rules{kUnitsPerOne + magnitude(33), magnitude(33), random() % 2 == 0};
    if (random() % 2 == 0) rules.reject_ratio_units = 5 * kUnitsPerOne;
    if (random() % 2 == 0) rules.spike_threshold_units = kUnitsPerOne / 10;
    PriceTrack track;
    track.level = {kNoon, Price{magnitude(63)}, Price{magnitude(63)}};
    // Mostly within a random distance of the reference, so that every limit is met from both sides.
    const auto near = [&](Price reference) {
      if (random() % 8 == 0) return magnitude(63);
      const std::int64_t step = reference.units >> (random() % 40);
      const auto by = static_cast<std::int64_t>(random() % 5) - 2;
      const Int128 price = static_cast<Int128>(reference.units) + (random() % 2 == 0 ? step : -step) + by;
      return static_cast<std::int64_t>(std::clamp<Int128>(price, 1, kMax));
    };
    const Quote q = quote_at(kNoon + seconds{1}, near(track.level.bid), near(track.level.ask));
    const PriceLevel level = track.level;
    const Verdict wanted = plain_verdict(rules, level, q);
    ASSERT_EQ(PriceGate(rules).judge_historical(q, track, {}), wanted)
        << level.bid.units << ' ' << level.ask.units << " -> " << q.bid.units << ' ' << q.ask.units << " ratio "
        << rules.reject_ratio_units << " threshold " << rules.spike_threshold_units;
    ++seen[wanted];
  }
  EXPECT_EQ(seen.size(), 4U);  // all but kNewLevel, which takes ten quotes
  for (const auto& [verdict, count] : seen) EXPECT_GT(count, 10'000);
}

TEST_F(PriceGateTest, VerdictsEqualPlainArithmeticOneUnitAroundEveryLimit) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto reference = static_cast<std::int64_t>((random() >> (1 + random() % 60)) / 6 + 1);
    const PriceLevel level{kNoon, Price{reference}, Price{reference}};
    const Int128 r = reference;
    for (const Int128 limit : {r * 5, r / 5, r * 11 / 10, r * 9 / 10, r * 17 / 16, r * 15 / 16}) {
      for (std::int64_t by = -2; by <= 2; ++by) {
        const auto price = static_cast<std::int64_t>(std::clamp<Int128>(limit + by, 1, kMax));
        const Quote q = quote_at(kNoon + seconds{1}, price, price);
        ASSERT_EQ(verdict_of(kFlagging, reference, price), plain_verdict(kFlagging, level, q))
            << reference << " -> " << price;
      }
    }
  }
}

// --- streaks --------------------------------------------------------------------------------------------------------

TEST_F(PriceGateTest, TheTenthAgreeingQuoteIsAcceptedAndSetsTheLevel) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 9000 + i), Verdict::kRefusedImplausible) << i;
  EXPECT_EQ(quote(10, 9010), Verdict::kNewLevel);
  EXPECT_EQ(quote(11, 9000), Verdict::kGood);
  EXPECT_EQ(quote(12, 1000), Verdict::kRefusedImplausible);
}

TEST_F(PriceGateTest, QuotesOfOneMomentCountOnceInAStreak) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(quote(1, 9000 + i), Verdict::kRefusedImplausible);
  for (int i = 2; i <= 9; ++i) {
    EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible);
    EXPECT_EQ(quote(i - 1, 9001), Verdict::kRefusedImplausible);  // a moment that was counted before
  }
  EXPECT_EQ(quote(10, 9000), Verdict::kNewLevel);
}

TEST_F(PriceGateTest, AStreakAgreesWithItsFirstQuoteNotWithItsLast) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 8; ++i) EXPECT_EQ(quote(i, 10'000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(9, 50'000), Verdict::kRefusedImplausible);  // five times the first: begins anew
  for (int i = 10; i <= 17; ++i) EXPECT_EQ(quote(i, 249'999), Verdict::kRefusedImplausible) << i;
  EXPECT_EQ(quote(18, 249'999), Verdict::kNewLevel);
}

TEST_F(PriceGateTest, AStreakOfQuotesThatDriftByLessThanTheRatioFromTheFirstHolds) {
  EXPECT_EQ(quote(0, 100), Verdict::kGood);
  EXPECT_EQ(quote(1, 10'000), Verdict::kRefusedImplausible);
  for (int i = 2; i <= 9; ++i) EXPECT_EQ(quote(i, i % 2 == 0 ? 49'999 : 2'001), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(10, 49'999), Verdict::kNewLevel);
}

TEST_F(PriceGateTest, AnAcceptedQuoteBreaksAStreak) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(10, 1001), Verdict::kGood);
  for (int i = 11; i <= 19; ++i) EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible) << i;
  EXPECT_EQ(quote(20, 2000), Verdict::kSpike);  // a flagged spike is accepted too
  for (int i = 21; i <= 29; ++i) EXPECT_EQ(quote(i, 20'000), Verdict::kRefusedImplausible) << i;
  EXPECT_EQ(quote(30, 20'000), Verdict::kNewLevel);
}

TEST_F(PriceGateTest, AnEscapedQuoteThatIsLateStillSetsTheLevel) {
  EXPECT_EQ(quote(1000, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(10, 9000), Verdict::kNewLevel);
  EXPECT_EQ(quote(11, 9000), Verdict::kGood);
}

TEST_F(RejectingPriceGateTest, TheTenthAgreeingSpikeIsAccepted) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 1200), Verdict::kRefusedSpike);
  EXPECT_EQ(quote(10, 1200), Verdict::kNewLevel);
  EXPECT_EQ(quote(11, 1210), Verdict::kGood);
}

TEST_F(RejectingPriceGateTest, ASpikeThatDiffersFromTheFirstByTheThresholdBeginsANewStreak) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 1200), Verdict::kRefusedSpike);
  EXPECT_EQ(quote(10, 1320), Verdict::kRefusedSpike);
  for (int i = 11; i <= 18; ++i) EXPECT_EQ(quote(i, 1451), Verdict::kRefusedSpike);
  EXPECT_EQ(quote(19, 1451), Verdict::kNewLevel);
}

TEST_F(RejectingPriceGateTest, SpikesAndImplausiblePricesDoNotContinueEachOther) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 4999), Verdict::kRefusedSpike);
  EXPECT_EQ(quote(10, 5000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(11, 4999), Verdict::kRefusedSpike);
  for (int i = 12; i <= 19; ++i) EXPECT_EQ(quote(i, 4999), Verdict::kRefusedSpike);
  EXPECT_EQ(quote(20, 4999), Verdict::kNewLevel);
}

// --- levels ---------------------------------------------------------------------------------------------------------

TEST_F(PriceGateTest, TheFirstQuoteOfAnLpIsComparedWithTheSymbol) {
  symbol_level_ = {kNoon, Price{1000}, Price{1000}};
  EXPECT_EQ(quote(1, 5000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(1, 1100), Verdict::kSpike);
}

TEST_F(PriceGateTest, AnLpWithALevelOfItsOwnIsNotComparedWithTheSymbol) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  symbol_level_ = {kNoon, Price{100'000}, Price{100'000}};
  EXPECT_EQ(quote(1, 1001), Verdict::kGood);
  EXPECT_EQ(quote(2, 100'000), Verdict::kRefusedImplausible);
}

TEST_F(PriceGateTest, ALevelIsForgottenAfterMoreThanADayOfEventTime) {
  EXPECT_EQ(quote(kNoon, 1000), Verdict::kGood);
  EXPECT_EQ(quote(kNoon + hours{24}, 9000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(kNoon - hours{24}, 9000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(kNoon - hours{24} - nanoseconds{1}, 9000), Verdict::kGood);
  EXPECT_EQ(quote(kNoon, 1000), Verdict::kGood);  // the level went back in time with the quote
  EXPECT_EQ(quote(kNoon + hours{24} + nanoseconds{1}, 9000), Verdict::kGood);
  EXPECT_EQ(quote(kNoon + hours{24} + nanoseconds{2}, 9000), Verdict::kGood);
}

TEST_F(PriceGateTest, ForgettingALevelEndsAStreak) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible);
  EXPECT_EQ(quote(kNoon + hours{30}, 1000), Verdict::kGood);
  EXPECT_EQ(quote(kNoon + hours{31}, 9000), Verdict::kRefusedImplausible);
}

TEST_F(PriceGateTest, ALateQuoteDoesNotMoveTheLevel) {
  EXPECT_EQ(quote(10, 1000), Verdict::kGood);
  EXPECT_EQ(quote(5, 1099), Verdict::kGood);
  EXPECT_EQ(quote(11, 1100), Verdict::kSpike);
  EXPECT_EQ(quote(11, 1101), Verdict::kGood);  // one of the same time does
}

TEST_F(PriceGateTest, ALateQuoteIsComparedWithItsPredecessorWhenThatIsKnown) {
  EXPECT_EQ(quote(100, 9000), Verdict::kGood);
  const PriceLevel predecessor{kNoon, Price{1000}, Price{1000}};
  const auto judge = [&](int second, std::int64_t price, const PriceLevel& before) {
    return gate_.judge_historical(quote_at(kNoon + seconds{second}, price, price), track_, symbol_level_, before);
  };
  EXPECT_EQ(judge(50, 1000, predecessor), Verdict::kGood);
  EXPECT_EQ(judge(50, 9000, predecessor), Verdict::kRefusedImplausible);
  EXPECT_EQ(judge(50, 1000, {}), Verdict::kRefusedImplausible);
  EXPECT_EQ(judge(100, 1000, predecessor), Verdict::kRefusedImplausible);  // not late: the level counts
  EXPECT_EQ(judge(100, 9000, predecessor), Verdict::kGood);
}

TEST_F(PriceGateTest, TheWholeRangeOfTickTimesIsComparedWithoutOverflow) {
  EXPECT_EQ(quote(kFirstTickTime, 1000), Verdict::kGood);
  EXPECT_EQ(quote(kEndOfTickTime - nanoseconds{1}, 9000), Verdict::kGood);
  EXPECT_EQ(quote(kFirstTickTime, 1000), Verdict::kGood);
}

// --- encoding -------------------------------------------------------------------------------------------------------

TEST_F(PriceGateTest, ATrackWithAStreakGoesOnAfterEncodingAndDecoding) {
  EXPECT_EQ(quote(0, 1000), Verdict::kGood);
  for (int i = 1; i <= 9; ++i) {
    EXPECT_EQ(quote(i, 9000), Verdict::kRefusedImplausible);
    std::string bytes;
    ByteWriter out(bytes);
    encode_price_track(out, track_);
    track_ = {};
    ByteReader in(bytes);
    decode_price_track(in, track_);
    ASSERT_TRUE(in.ok() && in.at_end());
    ASSERT_TRUE(track_.streak);
    EXPECT_EQ(track_.streak->count, i);
    EXPECT_EQ(track_.level.bid, Price{1000});
    std::string again;
    ByteWriter out_again(again);
    encode_price_track(out_again, track_);
    EXPECT_EQ(again, bytes);
    EXPECT_EQ(quote(i, 9001), Verdict::kRefusedImplausible);  // the times are remembered
  }
  EXPECT_EQ(quote(10, 9000), Verdict::kNewLevel);
}

TEST_F(PriceGateTest, ATrackOfExtremeValuesSurvivesEncoding) {
  track_.level = {kNoTime, Price{kMax}, Price{std::numeric_limits<std::int64_t>::min()}};
  std::string bytes;
  ByteWriter out(bytes);
  encode_price_track(out, track_);
  PriceTrack decoded;
  decoded.streak = std::make_unique<RefusedStreak>();
  ByteReader in(bytes);
  decode_price_track(in, decoded);
  EXPECT_TRUE(in.ok() && in.at_end());
  EXPECT_FALSE(decoded.streak);
  EXPECT_FALSE(decoded.level.known());
  EXPECT_EQ(decoded.level.bid, track_.level.bid);
  EXPECT_EQ(decoded.level.ask, track_.level.ask);
}

}  // namespace
}  // namespace tickpipe::internal
