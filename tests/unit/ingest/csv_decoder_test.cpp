#include "ingest/csv_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr const char* kHeader = "symbol,bid,ask,timestamp,lp,note";

/// "ok" or the name of the reason.
std::string_view verdict(std::string_view row, std::string_view header = kHeader, bool timestamp_required = true) {
  RawQuote quote;
  const DecodeResult result = CsvDecoder::from_header(header, timestamp_required).decode(row, quote);
  return result.ok ? "ok" : to_string(result.reason);
}

std::string header_error(std::string_view header, bool timestamp_required = true) {
  try {
    CsvDecoder::from_header(header, timestamp_required);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

TEST(CsvDecoderTest, ColumnsComeInAnyOrder) {
  CsvDecoder decoder = CsvDecoder::from_header("ask_size,x,ask,source,timestamp_us,bid,,symbol,bid_size", true);
  RawQuote quote;
  ASSERT_TRUE(decoder.decode("2,?,1.2,LMAX,1768514400000001,1.1,,eurusd,1", quote).ok);
  EXPECT_EQ(quote.lp->view(), "LMAX");
  EXPECT_EQ(quote.symbol.view(), "EURUSD");
  EXPECT_EQ(quote.bid, Price{1'100'000'000});
  EXPECT_EQ(quote.ask, Price{1'200'000'000});
  EXPECT_EQ(quote.bid_size, Quantity{1'000'000'000});
  EXPECT_EQ(quote.ask_size, Quantity{2'000'000'000});
  EXPECT_EQ(quote.ts_event, UnixNanos{1'768'514'400'000'001'000});
}

TEST(CsvDecoderTest, MissingRequiredColumnIsNamed) {
  EXPECT_THAT(header_error("bid,ask,timestamp"), HasSubstr("column symbol is missing"));
  EXPECT_THAT(header_error("symbol,ask,timestamp"), HasSubstr("column bid is missing"));
  EXPECT_THAT(header_error("symbol,bid,timestamp"), HasSubstr("column ask is missing"));
  EXPECT_THAT(header_error("symbol,bid,ask"), HasSubstr("column timestamp is missing"));
  EXPECT_EQ(header_error("symbol,bid,ask", false), "none");
  EXPECT_THAT(header_error("symbol, bid,ask,timestamp"), HasSubstr("column bid is missing"));
  EXPECT_THAT(header_error(""), HasSubstr("column symbol is missing"));
}

TEST(CsvDecoderTest, TwoColumnsOfOneMeaningAreRefused) {
  EXPECT_THAT(header_error("symbol,bid,ask,timestamp,bid"), HasSubstr("column bid twice"));
  EXPECT_THAT(header_error("symbol,bid,ask,timestamp,lp,source"), HasSubstr("both lp and source"));
  EXPECT_THAT(header_error("symbol,bid,ask,timestamp,timestamp_ms"), HasSubstr("more than one timestamp"));
  EXPECT_EQ(header_error("symbol,bid,ask,timestamp,x,x"), "none");
}

TEST(CsvDecoderTest, HeaderThatIsNotCsvIsRefused) {
  EXPECT_THAT(header_error("\"symbol,bid,ask,timestamp"), HasSubstr("quoted field does not end"));
  EXPECT_THAT(header_error("sym\"bol,bid,ask,timestamp"), HasSubstr("quote inside an unquoted field"));
  EXPECT_EQ(header_error("\"symbol\",\"bid\",ask,timestamp,\"a \"\"b\"\"\""), "none");
}

TEST(CsvDecoderTest, QuotedFieldsAreUnquoted) {
  EXPECT_EQ(verdict(R"("EURUSD","1.1",1.2,"2026-01-15 22:00:00","A","a, ""b"" ")"), "ok");
  EXPECT_EQ(verdict("X,1,1,1768514400,A,\"\"\"\""), "ok");
  EXPECT_EQ(verdict("\"\"\"X\",1,1,1768514400,\"A\"\"\",\"\""), "bad_lp");
  EXPECT_EQ(verdict("\"\"\"X\",1,1,1768514400,,\"\""), "bad_symbol");
}

TEST(CsvDecoderTest, MisplacedQuotesAreMalformed) {
  for (const char* note : {"a\"", "a\"b", " \"a\"", "\"a\" ", "\"a\"b", "\"a", "\"", R"(""")", R"("a"")", R"(""a)"}) {
    EXPECT_EQ(verdict("X,1,1,1768514400,A,"s + note), "malformed") << note;
  }
}

TEST(CsvDecoderTest, WrongFieldCountIsMalformed) {
  EXPECT_EQ(verdict("X,1,1,1768514400,A,"), "ok");
  EXPECT_EQ(verdict("X,1,1,1768514400,A"), "malformed");
  EXPECT_EQ(verdict("X,1,1,1768514400,A,,"), "malformed");
  EXPECT_EQ(verdict(""), "malformed");
  EXPECT_EQ(verdict(",,,,,,,,,"), "malformed");
}

TEST(CsvDecoderTest, EmptyFieldIsAbsent) {
  EXPECT_EQ(verdict("X,1,1,1768514400,,"), "ok");
  EXPECT_EQ(verdict("X,1,1,1768514400,\"\","), "ok");
  EXPECT_EQ(verdict(",1,1,1768514400,A,"), "bad_symbol");
  EXPECT_EQ(verdict("X,1,,1768514400,A,"), "bad_price");
  EXPECT_EQ(verdict("X,1,1,,A,"), "bad_timestamp");
  EXPECT_EQ(verdict("X,1,1,,A,", kHeader, false), "ok");
  EXPECT_EQ(verdict("X,1,1,1768514400,", "symbol,bid,ask,timestamp,bid_size"), "ok");
}

TEST(CsvDecoderTest, SpacesBelongToTheField) {
  EXPECT_EQ(verdict("X ,1,1,1768514400,A,"), "bad_symbol");
  EXPECT_EQ(verdict("X, 1,1,1768514400,A,"), "bad_price");
  EXPECT_EQ(verdict("X,1,1, 1768514400,A,"), "bad_timestamp");
  EXPECT_EQ(verdict("X,1,1,1768514400, ,"), "bad_lp");
}

TEST(CsvDecoderTest, FaultsOfFormComeFirst) {
  EXPECT_EQ(verdict("..,-1,1,0,?,\""), "malformed");
  EXPECT_EQ(verdict("..,-1,1,0,?"), "malformed");
  EXPECT_EQ(verdict("..,-1,1,0,-1", "symbol,bid,ask,timestamp,ask_size"), "malformed");
  EXPECT_EQ(verdict("..,-1,1,0,?,"), "bad_lp");
}

TEST(CsvDecoderTest, IgnoredColumnsMayHoldAnyBytes) {
  EXPECT_EQ(verdict("X,1,1,1768514400,A,\0\xFF\xC3\r\x01"s), "ok");
  EXPECT_EQ(verdict("X\0,1,1,1768514400,A,"s), "bad_symbol");
  EXPECT_EQ(verdict("X,1,1\r,1768514400,A,"s), "bad_price");
}

TEST(CsvDecoderTest, NothingOfThePreviousRowRemains) {
  CsvDecoder decoder = CsvDecoder::from_header(kHeader, true);
  RawQuote quote;
  ASSERT_TRUE(decoder.decode("X,1,2,1768514400,A,", quote).ok);
  EXPECT_EQ(decoder.decode("X,1,,1768514400,,", quote).reason, Reason::kBadPrice);
  ASSERT_TRUE(decoder.decode("Y,1,2,1768514400,,", quote).ok);
  EXPECT_FALSE(quote.lp.has_value());
}

TEST(CsvDecoderTest, WhatAWriterQuotesIsReadBack) {
  std::mt19937_64 random(20260115);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  CsvDecoder decoder = CsvDecoder::from_header("n1,symbol,n2,bid,ask,timestamp,n3,lp", true);
  const auto field = [&](std::string text) {
    if (text.find_first_of("\",") == std::string::npos && below(2) == 0) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
  };
  const auto noise = [&] {
    std::string text;
    for (std::size_t n = below(12); n > 0; --n) text += "\",a \t\xFF"[below(6)];
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string symbol = "S" + std::to_string(below(1000));
    const std::string lp = below(4) == 0 ? "" : "LP" + std::to_string(below(9));
    const std::string row = field(noise()) + "," + field(symbol) + "," + field(noise()) + "," + field("1.5") + "," +
                            field("1.6") + "," + field("1768514400") + "," + field(noise()) + "," + field(lp);
    RawQuote quote;
    ASSERT_TRUE(decoder.decode(row, quote).ok) << row;
    EXPECT_EQ(quote.symbol.view(), symbol);
    EXPECT_EQ(quote.lp ? quote.lp->view() : "", lp);
    EXPECT_EQ(quote.bid, Price{1'500'000'000});
  }
}

TEST(CsvDecoderTest, HeaderIsRecognisedByAnyKnownName) {
  EXPECT_TRUE(looks_like_csv_header("time,symbol"));
  EXPECT_TRUE(looks_like_csv_header("\"a,b\",\"bid\""));
  EXPECT_TRUE(looks_like_csv_header("lp"));
  EXPECT_FALSE(looks_like_csv_header(""));
  EXPECT_FALSE(looks_like_csv_header("time,price"));
  EXPECT_FALSE(looks_like_csv_header("symbol,\"bid"));
}

}  // namespace
}  // namespace tickpipe::internal
