#include "app/config/config_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

using ::testing::HasSubstr;

struct Parsed {
  std::optional<ConfigNode> root;
  std::vector<ConfigProblem> problems;
};

Parsed parse(std::string_view text) {
  ProblemLog log;
  std::optional<ConfigNode> root = parse_config_document(text, ConfigSite(log, "c.json", true));
  return {std::move(root), log.take()};
}

/// The one problem of a text that cannot be parsed.
std::string failure(std::string_view text) {
  const Parsed parsed = parse(text);
  EXPECT_FALSE(parsed.root.has_value());
  EXPECT_EQ(parsed.problems.size(), 1U);
  return parsed.problems.empty() ? "" : format_problem(parsed.problems.front());
}

TEST(ConfigDocumentTest, EveryKeyKnowsItsLine) {
  const Parsed parsed = parse(
      "// one\n"
      "{ /* two\n"
      "   three */ \"a\": 1, // four? no, three\n"
      "\n"
      "  \"b\":\n"
      "    12,\n"
      "  \"c\": { \"d\": 1.5\n"
      "  }, \"e\": [1,\n"
      "2\n"
      ", \"x\"]\n"
      "}\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_TRUE(parsed.problems.empty());
  EXPECT_EQ(parsed.root->line, 2);
  EXPECT_EQ(parsed.root->find("a")->line, 3);
  EXPECT_EQ(parsed.root->find("b")->line, 5);
  EXPECT_EQ(parsed.root->find("c")->line, 7);
  EXPECT_EQ(parsed.root->find("c")->find("d")->line, 7);
  const ConfigNode& list = *parsed.root->find("e");
  EXPECT_EQ(list.line, 8);
  EXPECT_EQ(list.children[0].line, 8);
  EXPECT_EQ(list.children[1].line, 9);
  EXPECT_EQ(list.children[2].line, 10);
}

TEST(ConfigDocumentTest, WindowsLineEndsCountOnce) {
  const Parsed parsed = parse("{ // c\r\n\"a\": 1,\r\n/* x\r\n */\"b\": 2\r\n}\r\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(parsed.root->find("a")->line, 2);
  EXPECT_EQ(parsed.root->find("b")->line, 4);
}

TEST(ConfigDocumentTest, NumbersKeepTheirDigits) {
  const Parsed parsed = parse(R"([0.10, 1e2, 123456789012345678901234567890, -7, 18446744073709551615])");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(to_json(*parsed.root), "[0.10,1e2,123456789012345678901234567890,-7,18446744073709551615]");
}

TEST(ConfigDocumentTest, JsonIsWrittenBackWithoutComments) {
  const Parsed parsed = parse("{\"a\" /*x*/: [true, null, {\"b\\n\\\"\": \"\xc3\xa9\"}], // y\n \"c\": {}}");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(to_json(*parsed.root), "{\"a\":[true,null,{\"b\\n\\\"\":\"\xc3\xa9\"}],\"c\":{}}");
}

TEST(ConfigDocumentTest, AByteOrderMarkIsSkipped) { EXPECT_TRUE(parse("\xef\xbb\xbf{}").root); }

TEST(ConfigDocumentTest, ADuplicateKeyNamesBothLines) {
  const Parsed parsed = parse("{\"a\": {\n\"x\": 1,\n\"y\": 2,\n\"x\": 3}}");
  EXPECT_TRUE(parsed.root);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_EQ(format_problem(parsed.problems[0]), "c.json:4: a.x: given twice; the first one is in line 2");
}

TEST(ConfigDocumentTest, TheSameKeyInTwoObjectsIsNoDuplicate) {
  EXPECT_TRUE(parse(R"([{"a":1},{"a":2,"b":{"a":3}}])").problems.empty());
}

TEST(ConfigDocumentTest, SyntaxErrorsHaveTheirLine) {
  EXPECT_THAT(failure("{\n\"a\": 1\n\"b\": 2}"), HasSubstr("c.json:3: not valid JSON: unexpected string literal"));
  EXPECT_THAT(failure("{\n\"a\": \n}"), HasSubstr("c.json:3: not valid JSON: unexpected '}'"));
  EXPECT_THAT(failure("{\n\"a\": nul\n}"), HasSubstr("c.json:2: not valid JSON: invalid literal"));
  EXPECT_THAT(failure("{\n\"a\": 1"), HasSubstr("c.json:2: not valid JSON: unexpected end of input"));
  EXPECT_THAT(failure("{}\n\n{}"), HasSubstr("c.json:3: not valid JSON: "));
  EXPECT_THAT(failure("{}\n/* never closed\n\n"), HasSubstr("c.json:3: not valid JSON: "));
}

TEST(ConfigDocumentTest, TrailingCommasAreNamed) {
  EXPECT_EQ(failure("{\"a\": 1,\n}"), "c.json:2: not valid JSON: a comma before the closing }");
  EXPECT_EQ(failure("{\"a\": [1,\n\n]}"), "c.json:3: not valid JSON: a comma before the closing ]");
}

TEST(ConfigDocumentTest, AnEmptyTextSaysSo) {
  for (const char* text : {"", " \n", "// only this\n"}) {
    EXPECT_THAT(failure(text), HasSubstr("nothing in it; write {}")) << text;
  }
}

TEST(ConfigDocumentTest, NumbersBeyondDoubleAreRefused) {
  EXPECT_EQ(failure("{\n\"a\": 1e999}"), "c.json:2: a number that is too large: 1e999");
  EXPECT_THAT(failure("{\"a\": NaN}"), HasSubstr("invalid literal"));
  EXPECT_THAT(failure("{\"a\": Infinity}"), HasSubstr("invalid literal"));
  EXPECT_THAT(failure("{\"a\": 01}"), HasSubstr("not valid JSON"));
}

TEST(ConfigDocumentTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::string fits = std::string(64, '[') + std::string(64, ']');
  EXPECT_TRUE(parse(fits).root);
  EXPECT_EQ(failure("\n[" + fits + "]"), "c.json:2: nested more than 64 deep");
  EXPECT_THAT(failure(std::string(3'000'000, '[')), HasSubstr("nested more than 64 deep"));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(failure(objects), HasSubstr("nested more than 64 deep"));
}

TEST(ConfigDocumentTest, InvalidUtf8AndZeroBytesAreRefused) {
  EXPECT_THAT(failure("{\n\"a\": \"\xff\"}"), HasSubstr("c.json:2: not valid JSON: invalid string: ill-formed UTF-8"));
  EXPECT_THAT(failure("\xff\xfe{\0}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(failure(std::string("{}\n\0{", 5)), HasSubstr("c.json:2: not valid JSON: a zero byte"));
  EXPECT_THAT(failure(R"({"a": "\ud800"})"), HasSubstr("not valid JSON"));
}

TEST(ConfigDocumentTest, TextsOfMegabytesAreRefused) {
  EXPECT_EQ(failure(std::string(kMaxConfigBytes + 1, ' ')), "c.json: larger than 4 MiB, so not a configuration");
  std::string many = "[0";
  while (many.size() < 2 * kMaxConfigValues) many += ",0";
  EXPECT_THAT(failure(many + "]"), HasSubstr("more than 500000 values"));
}

TEST(ConfigDocumentTest, StringContentsNeverAppearInMessages) {
  for (const char* text : {"{\"p\": \"secret", "{\"p\": \"secret\n\"}", "{\"p\": \"secret\\q\"}",
                           "{\"p\": \"secret\" 1}", "{\"p\": \"secret\xff\"}"}) {
    EXPECT_THAT(failure(text), ::testing::Not(HasSubstr("secret"))) << text;
  }
}

TEST(ConfigDocumentTest, PlainTextIsUtf8WithoutControlCharacters) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("a\"b\\c \xc3\xa9"));
  EXPECT_FALSE(is_plain_text("a\nb"));
  EXPECT_FALSE(is_plain_text(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_plain_text("\xff"));
  EXPECT_FALSE(is_plain_text("\xc3"));
}

}  // namespace
}  // namespace tickpipe::internal
