#include "ingest/json_body.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/json_decoder.h"

namespace tickpipe::internal {
namespace {

using Form = JsonBody::Form;
using Items = std::vector<std::pair<std::uint64_t, std::string>>;

constexpr std::size_t kLimit = 65536;
constexpr const char* kTooLong = "(too long)";

/// What a body gives; checks on the way that remaining() counts down to zero.
Items items_of(std::string body, std::size_t limit = kLimit) {
  JsonBody json(std::move(body), limit);
  Items items;
  std::vector<std::uint64_t> remaining{json.remaining()};
  Line line;
  while (json.next(line)) {
    items.emplace_back(line.number, line.too_long ? kTooLong : std::string(line.text));
    remaining.push_back(json.remaining());
  }
  EXPECT_FALSE(json.next(line));
  for (std::size_t i = 0; i < remaining.size(); ++i) EXPECT_EQ(remaining[i], items.size() - i);
  return items;
}

Form form_of(std::string body) { return JsonBody(std::move(body), kLimit).form(); }
bool well_formed(std::string body) { return JsonBody(std::move(body), kLimit).well_formed(); }

// --- lines ----------------------------------------------------------------------------------------------------------

TEST(JsonBodyLinesTest, BlankLinesHaveNumbersAndAreSkipped) {
  EXPECT_EQ(items_of("\n{\"a\":1}\n \t\n\r\n{\"b\":2}\nx"), (Items{{2, "{\"a\":1}"}, {5, "{\"b\":2}"}, {6, "x"}}));
}

TEST(JsonBodyLinesTest, OneCarriageReturnIsDroppedAtALineEnd) {
  EXPECT_EQ(items_of("a\r\nb\r\r\nc\rd\n\r \r\ne\r"), (Items{{1, "a"}, {2, "b\r"}, {3, "c\rd"}, {4, "\r "}, {5, "e"}}));
}

TEST(JsonBodyLinesTest, AByteOrderMarkIsDroppedOnlyAtTheStart) {
  EXPECT_EQ(items_of("\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}"), (Items{{1, "{}"}, {2, "\xEF\xBB\xBF{}"}}));
  EXPECT_EQ(items_of("\xEF\xBB\xBF[1]"), (Items{{1, "1"}}));
  EXPECT_EQ(items_of("\xEF\xBB\xBF{\n}"), (Items{{1, "{\n}"}}));
}

TEST(JsonBodyLinesTest, NothingButWhiteSpaceHasNoItems) {
  for (const char* body : {"", " ", "\n", "\r\n \t\r\n", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(items_of(body), Items{}) << body;
    EXPECT_TRUE(well_formed(body));
  }
}

TEST(JsonBodyLinesTest, ALineBeyondTheLimitIsTooLongAndLosesNoOther) {
  EXPECT_EQ(items_of("1234\r\n12345\n1\n12345", 4), (Items{{1, "1234"}, {2, kTooLong}, {3, "1"}, {4, kTooLong}}));
}

TEST(JsonBodyLinesTest, AZeroByteEndsNothing) {
  const std::string body("a\0b\n\0\nc", 7);
  EXPECT_EQ(items_of(body), (Items{{1, std::string("a\0b", 3)}, {2, std::string("\0", 1)}, {3, "c"}}));
}

// --- one object -----------------------------------------------------------------------------------------------------

TEST(JsonBodyObjectTest, AnObjectOverSeveralLinesIsOneItem) {
  const std::string object = "{\r\n  \"a}\\\"{\": {\"b\": 1},\n  \"c\": \"\\\\\"\n}";
  EXPECT_EQ(form_of(object), Form::kObject);
  EXPECT_EQ(items_of("\n \t" + object + "\n\r\n "), (Items{{1, object}}));
  EXPECT_EQ(items_of(object, object.size()), (Items{{1, object}}));
  EXPECT_EQ(items_of(object, object.size() - 1), (Items{{1, kTooLong}}));
}

TEST(JsonBodyObjectTest, WhatIsNotOneObjectIsLines) {
  for (const std::string body : {"{\"a\":1}", "{\"a\":1}\n", "{\"a\":1}\n{\"a\":2}", "{\n}x", "{\n}\n{\n}", "{\n",
                                 "{\n\"}", "{\n\"\\", "{\n\"\\\"}", "{\"a\":\"x\n{\"b\":\"}", "x{\n}", "}\n"}) {
    EXPECT_EQ(form_of(body), Form::kLines) << body;
  }
  EXPECT_EQ(items_of("{\"a\":\"x\n{\"b\":\"}"), (Items{{1, "{\"a\":\"x"}, {2, "{\"b\":\"}"}}));
}

// --- arrays ---------------------------------------------------------------------------------------------------------

TEST(JsonBodyArrayTest, ElementsComeOneByOneWithoutTheSpaceAroundThem) {
  EXPECT_EQ(items_of(" \n[ {\"a\":[1,{}]} ,\n\"],\\\"\", 1.5e3\t,[] , null,{ }\r\n] \n"),
            (Items{{1, "{\"a\":[1,{}]}"}, {2, "\"],\\\"\""}, {3, "1.5e3"}, {4, "[]"}, {5, "null"}, {6, "{ }"}}));
}

TEST(JsonBodyArrayTest, AnEmptyArrayHasNoItems) {
  for (const char* body : {"[]", " [ \n] "}) {
    EXPECT_EQ(form_of(body), Form::kArray);
    EXPECT_TRUE(well_formed(body));
    EXPECT_EQ(items_of(body), Items{});
  }
}

TEST(JsonBodyArrayTest, AnElementBeyondTheLimitIsTooLongAndLosesNoOther) {
  EXPECT_EQ(items_of("[ 1234 ,12345,{ },[  1]]", 4), (Items{{1, "1234"}, {2, kTooLong}, {3, "{ }"}, {4, kTooLong}}));
}

TEST(JsonBodyArrayTest, AnElementMayBeWhatTheDecoderRefuses) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(items_of("[1e999,\"\\ud800\",{\"a\":1,\"a\":2}," + deep + "]"),
            (Items{{1, "1e999"}, {2, "\"\\ud800\""}, {3, "{\"a\":1,\"a\":2}"}, {4, deep}}));
}

TEST(JsonBodyArrayTest, TheDecoderTakesElementsInPlace) {
  const std::string quote = R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":1768514400})";
  JsonBody body("[" + quote + ", {\"a\":1,\"a\":2} ," + quote + ",7," + quote + "]", kLimit);
  JsonDecoder decoder(true);
  std::vector<bool> accepted;
  Line line;
  while (body.next(line)) {
    RawQuote raw;
    accepted.push_back(decoder.decode(line.text, raw).ok);
  }
  EXPECT_EQ(accepted, (std::vector<bool>{true, false, true, false, true}));
}

TEST(JsonBodyArrayTest, AFaultAnywhereRefusesTheWhole) {
  struct Fault {
    std::string body;
    std::size_t offset;
    std::string text;
  };
  const std::vector<Fault> faults = {
      {"[1,2", 4, "the array does not end"},
      {"[", 1, "the array does not end"},
      {"[\"ab", 4, "the array does not end"},
      {"\xEF\xBB\xBF [1,]", 7, "not a JSON value"},
      {"[1 2]", 3, "a comma or the end of an array is missing"},
      {"[{\"a\":1]", 7, "a comma or the end of an object is missing"},
      {"[{\"a\" 1}]", 6, "a colon is missing"},
      {"[{\"a\":1,}]", 8, "not a key"},
      {"[{a:1}]", 2, "not a key"},
      {"[01]", 2, "not a JSON number"},
      {"[\"\\x\"]", 3, "bad escape in a string"},
      {"[\"\\u12g4\"]", 6, "bad escape in a string"},
      {"[\"a\nb\"]", 3, "a string does not end, or holds a control character"},
      {"[1]\n{\"a\":1}", 4, "text after the array"},
      {"[1]]", 3, "text after the array"},
      {"[\"\xC3\xA9\xC3\"]", 4, "not valid UTF-8"},
      {std::string("[1]\0", 4), 3, "text after the array"},
      {std::string("[1\0]", 4), 2, "a comma or the end of an array is missing"},
  };
  for (const Fault& fault : faults) {
    JsonBody body(fault.body, kLimit);
    EXPECT_EQ(body.form(), Form::kArray);
    EXPECT_FALSE(body.well_formed()) << fault.body;
    EXPECT_EQ(body.error_text(), fault.text) << fault.body;
    EXPECT_EQ(body.error_offset(), fault.offset) << fault.body;
    EXPECT_EQ(items_of(fault.body), Items{});
  }
}

TEST(JsonBodyArrayTest, NumbersKeepToTheGrammar) {
  for (const char* good : {"0", "-0", "10", "-1.50", "0.0", "1e5", "1E+05", "2.5e-3", "1e999"}) {
    EXPECT_TRUE(well_formed("[" + std::string(good) + "]")) << good;
  }
  for (const char* bad :
       {"01",    "-01",  "1.",  "1.e1", ".5", "+1", "NaN", "Infinity", "-Infinity", "-",   "--1", "1e",  "1e+",
        "1e1.5", "0x10", "1_0", "1 0",  "1,", ",1", "tru", "truex",    "True",      "nul", "'a'", "1\v", "/**/1"}) {
    EXPECT_FALSE(well_formed("[" + std::string(bad) + "]")) << bad;
  }
}

TEST(JsonBodyArrayTest, Utf8IsCheckedEverywhere) {
  for (const char* good :
       {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBB\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(well_formed("[\"" + std::string(good) + "\"]"));
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                          "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    JsonBody body("[\"ok\xC3\xA9" + std::string(bad) + "\"]", kLimit);
    EXPECT_EQ(body.error_text(), "not valid UTF-8");
    EXPECT_EQ(body.error_offset(), 6U);
  }
}

TEST(JsonBodyArrayTest, NestingIsBoundedByMemoryOnly) {
  constexpr std::size_t kDepth = 2'000'000;
  std::string mixed;
  for (std::size_t i = 0; i < kDepth; ++i) mixed += i % 3 == 0 ? "[" : "{\"a\":";
  std::string closing;
  for (std::size_t i = kDepth; i-- > 0;) closing += i % 3 == 0 ? "]" : "}";
  EXPECT_EQ(items_of(mixed + "1" + closing), (Items{{1, kTooLong}}));
  EXPECT_FALSE(well_formed(mixed + "1" + closing.substr(1)));
  std::string swapped = closing;
  std::swap(swapped[kDepth / 2], swapped[kDepth / 2 + 1]);
  std::swap(swapped[kDepth / 2 + 1], swapped[kDepth / 2 + 2]);
  EXPECT_NE(swapped, closing);
  EXPECT_FALSE(well_formed(mixed + "1" + swapped));
  EXPECT_FALSE(well_formed(std::string(kDepth, '[')));
}

/// nlohmann's verdict, with what it sees otherwise than the grammar evened out: it refuses numbers beyond a double and
/// lone surrogates, and takes a zero for the end.
bool reference_accepts(const std::string& text) {
  std::string even;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (i >= 2 && is_digit(i) && is_digit(i - 1) && is_digit(i - 2)) continue;
    const bool surrogate = i >= 2 && (text[i] == 'd' || text[i] == 'D') && text[i - 1] == 'u' && text[i - 2] == '\\';
    even += surrogate ? '0' : text[i] == '\0' ? '\x01' : text[i];
  }
  return nlohmann::json::accept(even);
}

TEST(JsonBodyArrayTest, MutatedArraysAreJudgedAndCutAsByAnotherParser) {
  const std::vector<std::string> seeds = {
      "[1,2,3]",
      R"([{"symbol":"EURUSD","bid":1.5,"ask":"2"}, {"a":[true,false,null],"b":{}} ])",
      R"([ "a\"b\\", "\n", "", [[],{},[{"x":[-1.5e+10,0]}]] , -0 ])",
      "[\"\xC3\xA9\xF0\x9F\x98\x80\",\r\n\t{\"\xE2\x82\xAC\" : 1e5} ]",
  };
  constexpr std::string_view kMarks = "{}[]\",:\\/ntfbru01e+-.E \t\n\r\x01\x7f\xC3\xA9";
  std::mt19937_64 random(20260115);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::size_t good = 0;
  std::size_t bad = 0;
  for (int round = 0; round < 200000; ++round) {
    std::string text = seeds[below(seeds.size())];
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      const std::size_t at = 1 + below(text.size() - 1);
      switch (below(5)) {
        case 0:
          text[at] = kMarks[below(kMarks.size())];
          break;
        case 1:
          text.insert(at, 1, kMarks[below(kMarks.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(2));
          break;
        case 3:
          text.insert(at, text.substr(at, 1 + below(8)));
          break;
        default:
          text[at] = static_cast<char>(random());
          break;
      }
      if (text.size() < 2) text += "]]";
    }
    const bool expected = reference_accepts(text);
    ASSERT_EQ(well_formed(text), expected) << text;
    ++(expected ? good : bad);
    if (!expected) continue;
    Items items = items_of(text);
    std::string joined;
    for (const auto& [number, item] : items) {
      ASSERT_TRUE(reference_accepts(item)) << text << " -> " << item;
      joined += (joined.empty() ? "" : ",") + item;
    }
    const auto whole = nlohmann::json::parse(text, nullptr, false);  // discarded for what it refuses and we do not
    if (whole.is_discarded()) continue;
    ASSERT_EQ(nlohmann::json::parse("[" + joined + "]", nullptr, false), whole) << text;
    ASSERT_EQ(items.size(), whole.size()) << text;
  }
  EXPECT_GT(good, 5000U);
  EXPECT_GT(bad, 5000U);
}

}  // namespace
}  // namespace tickpipe::internal
