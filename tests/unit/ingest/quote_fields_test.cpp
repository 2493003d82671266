#include "ingest/quote_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tickpipe::internal {
namespace {

using enum QuoteField;

constexpr std::int64_t kTime = 1'768'514'400'123'456'789;

QuoteFields good_fields() {
  QuoteFields fields;
  fields.set(kSymbol, "EURUSD");
  fields.set(kBid, "1.1");
  fields.set(kAsk, "1.2");
  fields.set(kTimestampNs, "1768514400123456789");
  return fields;
}

std::string_view verdict(const QuoteFields& fields, bool timestamp_required = true) {
  RawQuote quote;
  const DecodeResult result = check_quote_fields(fields, timestamp_required, quote);
  if (!result.ok) {
    EXPECT_FALSE(std::string_view(result.detail).empty());
  }
  return result.ok ? "ok" : to_string(result.reason);
}

std::string_view verdict_with(QuoteField field, std::string_view text) {
  QuoteFields fields = good_fields();
  fields.set(field, text);
  return verdict(fields);
}

TEST(QuoteFieldsTest, EveryNameIsFoundExactly) {
  EXPECT_EQ(find_quote_field("lp"), kLp);
  EXPECT_EQ(find_quote_field("source"), kSource);
  EXPECT_EQ(find_quote_field("symbol"), kSymbol);
  EXPECT_EQ(find_quote_field("bid"), kBid);
  EXPECT_EQ(find_quote_field("ask"), kAsk);
  EXPECT_EQ(find_quote_field("bid_size"), kBidSize);
  EXPECT_EQ(find_quote_field("ask_size"), kAskSize);
  EXPECT_EQ(find_quote_field("timestamp"), kTimestamp);
  EXPECT_EQ(find_quote_field("timestamp_ms"), kTimestampMs);
  EXPECT_EQ(find_quote_field("timestamp_us"), kTimestampUs);
  EXPECT_EQ(find_quote_field("timestamp_ns"), kTimestampNs);
  for (const std::string_view name : {"", "LP", "Bid", "bid ", "bids", "timestamp_s", "symbols", "volume"}) {
    EXPECT_EQ(find_quote_field(name), std::nullopt) << name;
  }
}

TEST(QuoteFieldsTest, GoodFieldsGiveTheQuote) {
  QuoteFields fields = good_fields();
  fields.set(kLp, "Lmax-1");
  fields.set(kSymbol, "eur/usd");
  fields.set(kBidSize, "1e6");
  RawQuote quote;
  ASSERT_TRUE(check_quote_fields(fields, true, quote).ok);
  ASSERT_TRUE(quote.lp.has_value());
  EXPECT_EQ(quote.lp->view(), "Lmax-1");
  EXPECT_EQ(quote.symbol.view(), "EUR/USD");
  EXPECT_EQ(quote.bid, Price{1'100'000'000});
  EXPECT_EQ(quote.ask, Price{1'200'000'000});
  EXPECT_EQ(quote.bid_size, Quantity{1'000'000'000'000'000});
  EXPECT_EQ(quote.ask_size, kNoQuantity);
  EXPECT_EQ(quote.ts_event, UnixNanos{kTime});
}

TEST(QuoteFieldsTest, NothingOfThePreviousQuoteRemains) {
  QuoteFields full = good_fields();
  full.set(kLp, "A");
  full.set(kBidSize, "1");
  full.set(kAskSize, "2");
  RawQuote quote;
  ASSERT_TRUE(check_quote_fields(full, true, quote).ok);
  QuoteFields bare;
  bare.set(kSymbol, "X");
  bare.set(kBid, "1");
  bare.set(kAsk, "1");
  ASSERT_TRUE(check_quote_fields(bare, false, quote).ok);
  EXPECT_FALSE(quote.lp.has_value());
  EXPECT_FALSE(quote.ts_event.has_value());
  EXPECT_EQ(quote.bid_size, kNoQuantity);
  EXPECT_EQ(quote.ask_size, kNoQuantity);
}

TEST(QuoteFieldsTest, SourceIsAnotherNameOfLp) {
  QuoteFields fields = good_fields();
  fields.set(kSource, "S1");
  RawQuote quote;
  ASSERT_TRUE(check_quote_fields(fields, true, quote).ok);
  EXPECT_EQ(quote.lp->view(), "S1");
}

TEST(QuoteFieldsTest, TheFirstFaultInTheOrderOfChecksDecides) {
  QuoteFields fields;
  fields.set(kLp, "not a name");
  fields.set(kSymbol, "..");
  fields.set(kBid, "2");
  fields.set(kAsk, "-1");
  fields.set(kTimestamp, "0");
  fields.set(kBidSize, "-1");
  EXPECT_EQ(verdict(fields), "malformed");
  fields.set(kBidSize, "1");
  EXPECT_EQ(verdict(fields), "bad_lp");
  fields.set(kLp, "A");
  EXPECT_EQ(verdict(fields), "bad_symbol");
  fields.set(kSymbol, "X");
  EXPECT_EQ(verdict(fields), "bad_price");
  fields.set(kAsk, "1");
  EXPECT_EQ(verdict(fields), "bad_timestamp");
  fields.set(kTimestamp, "1768514400");
  EXPECT_EQ(verdict(fields), "crossed");
  fields.set(kAsk, "2");
  EXPECT_EQ(verdict(fields), "ok");
}

TEST(QuoteFieldsTest, TwoFieldsOfOneMeaningAreMalformed) {
  QuoteFields both_names = good_fields();
  both_names.set(kLp, "A");
  both_names.set(kSource, "A");
  EXPECT_EQ(verdict(both_names), "malformed");
  EXPECT_EQ(verdict_with(kTimestamp, "1768514400"), "malformed");
  EXPECT_EQ(verdict_with(kTimestampMs, "1768514400000"), "malformed");
}

TEST(QuoteFieldsTest, AbsentSymbolAndPricesAreRefused) {
  QuoteFields fields;
  EXPECT_EQ(verdict(fields), "bad_symbol");
  fields.set(kSymbol, "X");
  EXPECT_EQ(verdict(fields), "bad_price");
  fields.set(kBid, "1");
  EXPECT_EQ(verdict(fields), "bad_price");
  fields.set(kAsk, "1");
  EXPECT_EQ(verdict(fields), "bad_timestamp");
}

TEST(QuoteFieldsTest, AbsentTimestampIsRefusedOnlyIfRequired) {
  QuoteFields fields;
  fields.set(kSymbol, "X");
  fields.set(kBid, "1");
  fields.set(kAsk, "1");
  EXPECT_EQ(verdict(fields, true), "bad_timestamp");
  EXPECT_EQ(verdict(fields, false), "ok");
  fields.set(kTimestamp, "yesterday");
  EXPECT_EQ(verdict(fields, false), "bad_timestamp");
}

TEST(QuoteFieldsTest, PricesMustBeExactPositiveJsonNumbers) {
  for (const std::string_view bid : {"0.000000001", "1e-9", "1.20", "12e-1", "1.1000000000000000000000"}) {
    EXPECT_EQ(verdict_with(kBid, bid), "ok") << bid;
  }
  for (const std::string_view bid : {"0", "-0", "-1.1", "", " 1", "1 ", "+1", "01", ".5", "1.", "NaN", "1,1",
                                     "0.0000000001", "1e999", "1e-10", "0x1", "1.1.1"}) {
    EXPECT_EQ(verdict_with(kBid, bid), "bad_price") << bid;
  }
  EXPECT_EQ(verdict_with(kAsk, "9223372036.854775807"), "ok");
  EXPECT_EQ(verdict_with(kAsk, "9223372036.854775808"), "bad_price");
}

TEST(QuoteFieldsTest, BadSizesAreMalformed) {
  for (const QuoteField field : {kBidSize, kAskSize}) {
    for (const std::string_view size : {"0", "-0", "0.5", "1e9", "9223372036.854775807"}) {
      EXPECT_EQ(verdict_with(field, size), "ok") << size;
    }
    for (const std::string_view size :
         {"-1", "", "1 ", "many", "9223372036.854775808", "-9223372036.854775808", "0.0000000001", "01"}) {
      EXPECT_EQ(verdict_with(field, size), "malformed") << size;
    }
  }
}

TEST(QuoteFieldsTest, TheNameOfATimestampFixesItsUnit) {
  const auto time_of = [](QuoteField field, std::string_view text) {
    QuoteFields fields;
    fields.set(kSymbol, "X");
    fields.set(kBid, "1");
    fields.set(kAsk, "1");
    fields.set(field, text);
    RawQuote quote;
    return check_quote_fields(fields, true, quote).ok ? quote.ts_event : std::nullopt;
  };
  const UnixNanos expected{1'768'514'400'500'000'000};
  EXPECT_EQ(time_of(kTimestamp, "1768514400.5"), expected);
  EXPECT_EQ(time_of(kTimestamp, "1768514400500"), expected);
  EXPECT_EQ(time_of(kTimestamp, "2026-01-15T22:00:00.5Z"), expected);
  EXPECT_EQ(time_of(kTimestampMs, "1768514400500"), expected);
  EXPECT_EQ(time_of(kTimestampUs, "1768514400500000"), expected);
  EXPECT_EQ(time_of(kTimestampNs, "1768514400500000000"), expected);
  // Seconds under a name that says milliseconds are January 1970.
  EXPECT_EQ(time_of(kTimestampMs, "1768514400"), std::nullopt);
  EXPECT_EQ(time_of(kTimestampMs, "2026-01-15T22:00:00.5Z"), std::nullopt);
  EXPECT_EQ(time_of(kTimestamp, " 1768514400"), std::nullopt);
  EXPECT_EQ(time_of(kTimestamp, ""), std::nullopt);
}

TEST(QuoteFieldsTest, BidEqualToAskIsNotCrossed) {
  EXPECT_EQ(verdict_with(kBid, "1.2"), "ok");
  EXPECT_EQ(verdict_with(kBid, "1.200000001"), "crossed");
}

}  // namespace
}  // namespace tickpipe::internal
