#include "ingest/json_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/ingest/padded_line.h"

namespace tickpipe::internal {
namespace {

using namespace std::string_literals;

constexpr const char* kGood = R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":1768514400})";

/// A good quote with more text inside its object.
std::string with(const std::string& more) {
  return R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":1768514400,)" + more + "}";
}
std::string with_value(const std::string& value) { return with("\"extra\":" + value); }

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

class JsonDecoderTest : public ::testing::Test {
 protected:
  /// "ok" or the name of the reason; the same whatever stands behind the line.
  std::string_view verdict(std::string_view text) {
    std::string_view first;
    for (const char tail : {'}', ']', '"', ',', '\0'}) {
      const PaddedLine line(text, tail);
      const DecodeResult result = decoder_.decode(line.view(), quote_);
      const std::string_view now = result.ok ? "ok" : to_string(result.reason);
      detail_ = result.detail;
      if (first.empty()) first = now;
      EXPECT_EQ(first, now) << "with " << tail << " behind " << text.substr(0, 200);
    }
    return first;
  }
  void expect_each(std::string_view expected, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) EXPECT_EQ(verdict(text), expected) << text.substr(0, 200);
  }
  void expect_each_value(std::string_view expected, const std::vector<std::string>& values) {
    for (const std::string& value : values) EXPECT_EQ(verdict(with_value(value)), expected) << value.substr(0, 200);
  }

  JsonDecoder decoder_{true};
  RawQuote quote_;
  std::string_view detail_;
};

TEST_F(JsonDecoderTest, EveryFieldOfAQuoteIsRead) {
  ASSERT_EQ(verdict(R"({"lp":"LMAX","symbol":"btc-usd","bid":"67890.5","ask":67891,"timestamp_ms":1768514400123,)"
                    R"("bid_size":1.5,"ask_size":"2"})"),
            "ok");
  EXPECT_EQ(quote_.lp->view(), "LMAX");
  EXPECT_EQ(quote_.symbol.view(), "BTC-USD");
  EXPECT_EQ(quote_.bid, Price{67'890'500'000'000});
  EXPECT_EQ(quote_.ask, Price{67'891'000'000'000});
  EXPECT_EQ(quote_.bid_size, Quantity{1'500'000'000});
  EXPECT_EQ(quote_.ask_size, Quantity{2'000'000'000});
  EXPECT_EQ(quote_.ts_event, UnixNanos{1'768'514'400'123'000'000});
}

TEST_F(JsonDecoderTest, NullIsAbsent) {
  ASSERT_EQ(verdict(with(R"("lp":null,"source":"S","timestamp_ms":null,"bid_size":null)")), "ok");
  EXPECT_EQ(quote_.lp->view(), "S");
  EXPECT_EQ(quote_.bid_size, kNoQuantity);
  expect_each("bad_symbol", {R"({"symbol":null,"bid":1,"ask":1,"timestamp":1768514400})", "{}"});
  expect_each("bad_price", {R"({"symbol":"X","bid":null,"ask":1,"timestamp":1768514400})"});
  expect_each("bad_timestamp", {R"({"symbol":"X","bid":1,"ask":1,"timestamp":null})"});
}

TEST_F(JsonDecoderTest, AbsentTimestampIsLeftEmptyWhereItIsNotRequired) {
  JsonDecoder live(false);
  const PaddedLine line(R"({"symbol":"X","bid":1,"ask":1})");
  ASSERT_TRUE(live.decode(line.view(), quote_).ok);
  EXPECT_FALSE(quote_.ts_event.has_value());
  EXPECT_FALSE(quote_.lp.has_value());
}

TEST_F(JsonDecoderTest, EscapesInKnownFieldsAreResolved) {
  ASSERT_EQ(verdict(R"({"s\u0079mbol":"\u0045UR\/usd","\u0062id":"1\u002e5","ask":2,"lp":"\u004cP",)"
                    R"("timestamp":"2026-01-15T22:00:00\u005A"})"),
            "ok");
  EXPECT_EQ(quote_.symbol.view(), "EUR/USD");
  EXPECT_EQ(quote_.bid, Price{1'500'000'000});
  EXPECT_EQ(quote_.lp->view(), "LP");
}

TEST_F(JsonDecoderTest, OnlyWhitespaceMaySurroundTheObject) {
  expect_each(
      "ok", {" \t\r\n"s + kGood + " \t\r\n", R"({ "symbol" : "X" , "bid" : 1 , "ask" : 1 , "timestamp":1768514400 })"});
  expect_each("malformed", {"", " ", "null", "1", "[]", "\"a\"", "["s + kGood + "]", kGood + "}"s, kGood + ","s,
                            kGood + "1"s, kGood + " {}"s, kGood + "\0"s, "\0"s + kGood, kGood + "\f"s, "\v"s + kGood,
                            kGood + "\xC2\xA0"s, "\x1a"s + kGood, kGood + "//"s, "x"s + kGood});
}

TEST_F(JsonDecoderTest, AByteOrderMarkIsTheReadersBusiness) {
  EXPECT_EQ(verdict("\xEF\xBB\xBF"s + kGood), "malformed");
}

TEST_F(JsonDecoderTest, EveryPrefixIsMalformed) {
  const std::string line = with(R"("lp":"A","x":[{"a":1},"b\u0041",null])");
  ASSERT_EQ(verdict(line), "ok");
  for (std::size_t size = 0; size < line.size(); ++size) {
    EXPECT_EQ(verdict(std::string_view(line).substr(0, size)), "malformed") << line.substr(0, size);
  }
}

TEST_F(JsonDecoderTest, BrokenStructureIsMalformed) {
  expect_each("malformed", {"{",
                            "}",
                            "{]",
                            "{,}",
                            R"({"symbol"})",
                            R"({"symbol":})",
                            R"({"symbol":"X",})",
                            R"({"symbol":"X"]})",
                            R"({symbol:"X"})",
                            R"({'symbol':'X'})",
                            R"({"symbol":"X" "bid":1})",
                            R"({"symbol":"X",,"bid":1})",
                            R"({"symbol"="X"})",
                            R"({1:2})",
                            R"({"a":"b":1})",
                            R"({"a":1:2})",
                            R"({"a" "b":1})",
                            R"({"a"x:1})",
                            R"({"a":"b"c})",
                            R"({"a":1"b":2})",
                            R"({:1})",
                            R"({"a":{"b":1})",
                            R"({"a":[1})",
                            R"({"a":{1]})"});
  expect_each_value("malformed",
                    {"[1,]", "[,1]", "[1 2]", "[", "]", "{\"a\":1,}", "[1,,2]", "{\"a\"}", "[1:2]", "{]", "[}"});
}

TEST_F(JsonDecoderTest, IgnoredFieldsMayHoldAnythingWellFormed) {
  expect_each_value("ok", {"{}",
                           "[]",
                           "[[],{},[{}]]",
                           "true",
                           "false",
                           "null",
                           "\"\"",
                           "-0",
                           "1e999",
                           "-1E-999",
                           std::string(400, '9'),
                           "0." + std::string(400, '1'),
                           R"("\u0000")",
                           R"("\ud83d\ude00")",
                           R"("\"\\\/\b\f\n\r\t")",
                           "\"\x7f\"",
                           "\"\xE2\x80\xAE\"",
                           "\"\xF0\x9F\x98\x80\"",
                           R"({"bid":null,"ask":{"bid":0},"lp":"?"})",
                           R"([ 1 , "a" , { "b" : [ ] } ])"});
}

TEST_F(JsonDecoderTest, NumbersMustFollowTheGrammarEvenInIgnoredFields) {
  expect_each_value("malformed",
                    {"01",  "1.",  ".5",       "+1",        "-",  "--1", "1e",     "1e+",  "01.2.3e",  "0x10", "1_0",
                     "NaN", "nan", "Infinity", "-Infinity", "1f", "1\"", "1\"a\"", "1\0"s, "\xD9\xA1", "1 1"});
}

TEST_F(JsonDecoderTest, LiteralsAreExact) {
  expect_each_value("malformed", {"True", "tru", "truee", "nul", "nulll", "NULL", "fals", "falsefalse", "t",
                                  "undefined", "null\0"s, "[true1]", "true\x0c"});
  expect_each("malformed", {R"({"symbol":nul})", R"({"bid":nulll})"});
}

TEST_F(JsonDecoderTest, BadEscapesAreMalformed) {
  expect_each_value("malformed", {R"("\x41")", R"("\u12")", R"("\u12G4")", R"("\U0041")", R"("\'")", R"("\)", R"("\u")",
                                  R"("\a")", "\"\\\0\""s, R"("\ ")"});
  EXPECT_EQ(verdict(with(R"("\q":1)")), "malformed");
}

TEST_F(JsonDecoderTest, LoneSurrogateIsMalformed) {
  expect_each_value("malformed",
                    {R"("\ud800")", R"("\udc00")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ud83d\ud83d")",
                     R"("\ude00\ud83d")", R"("\ud83d\ude0")", R"("\ud83d\n")", R"(["\uDFFF"])"});
  EXPECT_EQ(verdict(with(R"("\ud800":1)")), "malformed");
  EXPECT_EQ(verdict(with(R"("x":{"\udc00":1})")), "malformed");
}

TEST_F(JsonDecoderTest, RawControlCharactersInStringsAreMalformed) {
  for (int c = 0; c < 0x20; ++c) {
    EXPECT_EQ(verdict(with_value("\"a"s + static_cast<char>(c) + "b\"")), "malformed") << c;
  }
  EXPECT_EQ(verdict(with("\"a\tb\":1")), "malformed");
}

TEST_F(JsonDecoderTest, InvalidUtf8IsMalformed) {
  expect_each_value("malformed", {"\"\xFF\"", "\"\xC0\x80\"", "\"\xC3\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
                                  "\"\xE2\x82\"", "\"\x80\"", "\"\xF8\x88\x80\x80\x80\""});
  EXPECT_EQ(detail_, "not valid UTF-8");
}

TEST_F(JsonDecoderTest, ContainersNestAtMostSixtyFourDeep) {
  // The object of the quote itself is the first level.
  EXPECT_EQ(verdict(with_value(repeated("[", 63) + repeated("]", 63))), "ok");
  EXPECT_EQ(verdict(with_value(repeated("[", 63) + "1" + repeated("]", 63))), "ok");
  EXPECT_EQ(verdict(with_value(repeated("[", 64) + repeated("]", 64))), "malformed");
  EXPECT_EQ(verdict(with_value(repeated("{\"a\":", 63) + "1" + repeated("}", 63))), "ok");
  EXPECT_EQ(verdict(with_value(repeated("{\"a\":", 64) + "1" + repeated("}", 64))), "malformed");
  EXPECT_EQ(verdict(with_value(repeated("{\"a\":[", 32) + repeated("]}", 32))), "malformed");
  EXPECT_EQ(verdict(with_value(repeated("[", 100'000))), "malformed");
  EXPECT_EQ(verdict(with_value(repeated("[", 100'000) + repeated("]", 100'000))), "malformed");
  EXPECT_EQ(verdict(with_value(repeated("[{},", 60) + "[]" + repeated("]", 60))), "ok");
}

TEST_F(JsonDecoderTest, DuplicateKeysAreMalformedAtEveryLevel) {
  expect_each("malformed",
              {with(R"("bid":1.1)"), with(R"("b\u0069d":1.1)"), with(R"("bid":null)"), with(R"("x":1,"x":2)"),
               with(R"("x":1,"lp":"A","\u0078":2)"), with(R"("":1,"":2)"), with(R"("x":{"a":1,"a":1})"),
               with(R"("x":[[{"a":1,"b":2,"\u0061":3}]])"), with("\"\xC3\xA9\":1,\"\\u00e9\":2"),
               with(R"("\ud83d\ude00":1,"\uD83D\uDE00":2)"), with(R"("x":{"y":1},"x":1)")});
  EXPECT_EQ(detail_, "duplicate key");
  expect_each("ok",
              {with(R"("x":1,"X":2)"), with(R"("x":{"x":{"x":1}})"), with(R"("x":[{"a":1},{"a":1}],"a":1)"),
               with(R"("x":{"bid":1},"y":{"bid":1})"), with(R"("x":1,"x\u0000":2)"), with(R"("\\u0078":1,"x":2)")});
}

TEST_F(JsonDecoderTest, TwoNamesOfOneFieldAreMalformedUnlessOneIsNull) {
  expect_each("malformed", {with(R"("lp":"A","source":"A")"), with(R"("timestamp_ms":1768514400000)")});
  expect_each("ok", {with(R"("lp":"A","source":null)"), with(R"("timestamp_ms":null)")});
}

TEST_F(JsonDecoderTest, WrongTypesOfKnownFieldsAreMalformed) {
  for (const std::string value : {"true", "false", "{}", "[]", "[1]", "{\"a\":1}"}) {
    for (const std::string name : {"lp", "source", "symbol", "bid", "ask", "bid_size", "ask_size", "timestamp"}) {
      std::string line = "{\"";
      line.append(name).append("\":").append(value).append("}");
      EXPECT_EQ(verdict(line), "malformed") << line;
    }
  }
  expect_each("malformed",
              {R"({"symbol":1,"bid":1,"ask":1,"timestamp":1768514400})", with(R"("lp":5)"), with(R"("source":5)")});
}

TEST_F(JsonDecoderTest, FaultsOfFormComeFirstWhereverTheyStand) {
  expect_each("malformed", {R"({"symbol":"..","bid":-1,"ask":x})", R"({"lp":"?","bid":01})", R"({"lp":"?"}})",
                            R"({"lp":"?","x":{"a":1,"a":2}})", R"({"lp":"?","bid_size":-1})"});
  EXPECT_EQ(verdict(R"({"lp":"?","symbol":"..","bid":-1})"), "bad_lp");
}

TEST_F(JsonDecoderTest, NumbersInStringsFollowTheJsonGrammar) {
  for (const std::string bid :
       {"\"\"", "\" 1\"", "\"1 \"", "\"+1\"", "\"NaN\"", "\"1,0\"", "\"0x1\"", R"("1\u0000")"}) {
    EXPECT_EQ(verdict(R"({"symbol":"X","bid":)" + bid + R"(,"ask":1,"timestamp":1768514400})"), "bad_price") << bid;
  }
  EXPECT_EQ(verdict(with(R"("bid_size":"1 ")")), "malformed");
}

TEST_F(JsonDecoderTest, TensOfThousandsOfKeysAreSortedNotComparedPairwise) {
  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(verdict(with(keys + "\"last\":1")), "ok");
  EXPECT_EQ(verdict(with(keys + "\"k77\":1")), "malformed");
  EXPECT_EQ(verdict(with("\"x\":{" + keys + "\"last\":1}")), "ok");
  EXPECT_EQ(verdict(with("\"x\":{" + keys + "\"k\\u0037\":1}")), "malformed");
}

TEST_F(JsonDecoderTest, ShortLinesDecodeAfterALongOneAndAfterAFault) {
  EXPECT_EQ(verdict(with_value("\"" + repeated("\\u0041", 100'000) + "\"")), "ok");
  EXPECT_EQ(verdict(kGood), "ok");
  EXPECT_EQ(verdict(with_value("[{\"a\":1,\"a\"")), "malformed");
  EXPECT_EQ(verdict(with(R"("a":1)")), "ok");
}

TEST_F(JsonDecoderTest, TheQuoteOutlivesTheLine) {
  {
    const PaddedLine line(with(R"("lp":"\u0041")"));
    ASSERT_TRUE(decoder_.decode(line.view(), quote_).ok);
  }
  JsonDecoder moved = std::move(decoder_);
  RawQuote other;
  const PaddedLine line(R"({"symbol":"OTHER","bid":1,"ask":1,"timestamp":1768514400,"lp":"\u0042"})");
  ASSERT_TRUE(moved.decode(line.view(), other).ok);
  EXPECT_EQ(quote_.symbol.view(), "EURUSD");
  EXPECT_EQ(quote_.lp->view(), "A");
  EXPECT_EQ(other.lp->view(), "B");
}

}  // namespace
}  // namespace tickpipe::internal
