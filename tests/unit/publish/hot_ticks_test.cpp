#include "publish/hot_ticks.h"

#include <gtest/gtest.h>

#include "publish/history_reader.h"
#include "support/memory_history.h"

namespace tickpipe::internal {
namespace {

constexpr std::int64_t kStart = 1'767'600'000LL * kNanosPerSecond;

Tick quote(std::int64_t ts, std::uint64_t seq) {
  Tick tick;
  tick.ts_event = {ts};
  tick.seq = seq;
  tick.symbol = SymbolId{3};
  tick.lp = LpId{static_cast<std::uint16_t>(seq % 5)};
  tick.flags = static_cast<std::uint8_t>(seq);
  return tick;
}

std::vector<Tick> newest(const HotTicks& hot, std::size_t limit) {
  std::vector<Tick> out;
  bool has_more = false;
  EXPECT_TRUE(hot.answer({.range = {kFirstPlace, {kEndOfTime, 0}, ~std::uint64_t{0}}, .limit = limit}, out, has_more));
  return out;
}

TEST(HotTicksTest, SeqIsWholeAcrossItsLow32Bits) {
  constexpr std::uint64_t kFirst = (std::uint64_t{7} << 32) - 3;
  HotTicks hot(SymbolId{3}, 10);
  hot.start_after(kFirst - 1, {kStart - 1});
  for (std::uint64_t i = 0; i < 6; ++i) hot.add(quote(kStart, kFirst + i));
  const auto ticks = newest(hot, 5);
  ASSERT_EQ(ticks.size(), 5U);
  for (std::uint64_t i = 0; i < 5; ++i) EXPECT_EQ(ticks[i], quote(kStart, kFirst + 5 - i));
}

TEST(HotTicksTest, AnAmendedQuoteHasItsNewFlags) {
  HotTicks hot(SymbolId{3}, 8);
  for (std::uint64_t i = 1; i <= 20; ++i) hot.add(quote(kStart + static_cast<std::int64_t>(i / 3), i));
  Tick amended = quote(kStart + 5, 16);
  amended.flags = kFoldedLater;
  hot.amend(amended);
  hot.amend(quote(kStart, 1));  // not in there any more
  const auto ticks = newest(hot, 7);
  ASSERT_EQ(ticks.size(), 7U);
  for (const Tick& tick : ticks) {
    EXPECT_EQ(tick.flags, tick.seq == 16 ? static_cast<std::uint8_t>(kFoldedLater) : quote(0, tick.seq).flags);
  }
}

TEST(HotTicksTest, SizesCostMemoryOnlyWhereThereAreAny) {
  HotTicks hot(SymbolId{3}, 8);
  for (std::uint64_t i = 1; i <= 8; ++i) hot.add(quote(kStart, i));
  EXPECT_EQ(hot.bytes(), 8U * 40);
  Tick sized = quote(kStart - 1, 9);
  sized.ask_size = Quantity{5};
  hot.add(sized);  // older than all: not kept
  EXPECT_EQ(hot.bytes(), 8U * 40);
  sized.ts_event.ns += 1;
  sized.seq = 10;
  hot.add(sized);
  EXPECT_EQ(hot.bytes(), 8U * 56);
  const auto ticks = newest(hot, 7);
  ASSERT_EQ(ticks.size(), 7U);
  EXPECT_EQ(ticks[0], sized);
  EXPECT_EQ(ticks[1], quote(kStart, 8));
}

TEST(HotTicksTest, ItAnswersWhatItProvablyHoldsAndNothingElse) {
  HotTicks hot(SymbolId{3}, 3);
  for (std::uint64_t i = 1; i <= 5; ++i) hot.add(quote(kStart + static_cast<std::int64_t>(i) * 10, i));
  // Quotes 3, 4, 5 are left, at 30, 40, 50; 2 is known to exist at 20.
  HotTicks::Request request{.range = {kFirstPlace, {kEndOfTime, 0}, 5}, .limit = 3};
  EXPECT_TRUE(hot.can_answer(request));
  request.limit = 4;
  EXPECT_FALSE(hot.can_answer(request));
  request.range.begin.ts_event.ns = kStart + 21;
  EXPECT_TRUE(hot.can_answer(request));
  request.newest_first = false;
  EXPECT_TRUE(hot.can_answer(request));
  request.range.begin.ts_event.ns = kStart + 20;
  EXPECT_FALSE(hot.can_answer(request));
  request.is_all_there_is = true;
  EXPECT_TRUE(hot.can_answer(request));
  request.is_all_there_is = false;
  request.newest_first = true;
  request.limit = 2;
  request.range.max_seq = 4;
  std::vector<Tick> ticks;
  bool has_more = false;
  EXPECT_TRUE(hot.answer(request, ticks, has_more));
  EXPECT_TRUE(has_more);
  EXPECT_EQ(ticks.size(), 2U);
  request.range.max_seq = 1;
  EXPECT_FALSE(hot.can_answer(request));
}

TEST(HistoryReaderTest, TheNewestAreFoundBehindAGapWithoutReadingAllThatIsBelow) {
  // 300,000 quotes a second apart, then half a year of silence, then one.
  testing::MemoryHistory history;
  auto& stored = history.ticks[SymbolId{3}];
  for (std::uint64_t i = 1; i <= 300'000; ++i) {
    stored.push_back(quote(kStart + static_cast<std::int64_t>(i) * kNanosPerSecond, i));
  }
  const std::int64_t last = kStart + 182LL * 86'400 * kNanosPerSecond;
  stored.push_back(quote(last, 300'001));
  struct Counting final : History {
    explicit Counting(const History& of) : inner(of) {}
    UnixNanos scan(SymbolId symbol, UnixNanos from, UnixNanos to,
                   const std::function<bool(const Tick&)>& take) const override {
      return inner.scan(symbol, from, to, [&](const Tick& tick) {
        ++handed;
        return take(tick);
      });
    }
    [[nodiscard]] std::optional<StoredBar> find_bar(SymbolId, Timeframe, UnixNanos) const override { return {}; }
    void scan_bars(SymbolId, Timeframe, UnixNanos, UnixNanos, bool,
                   const std::function<bool(const Bar&)>&) const override {}
    const History& inner;
    mutable std::size_t handed = 0;
  } counting(history);

  const TickRange range{kFirstPlace, {{last + 1}, 0}, ~std::uint64_t{0}};
  const auto found = read_newest(counting, SymbolId{3}, range, 100, std::chrono::seconds{1});
  ASSERT_EQ(found.size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(found[i].seq, 300'001 - i);
  EXPECT_LT(counting.handed, 250'000U);
}

}  // namespace
}  // namespace tickpipe::internal
