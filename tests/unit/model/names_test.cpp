#include "model/names.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "model/name_registry.h"

namespace tickpipe::internal {
namespace {

TEST(SymbolTest, GoodOnesAreUpperCased) {
  EXPECT_EQ(parse_symbol("eurusd")->view(), "EURUSD");
  EXPECT_EQ(parse_symbol("BTC/USDT:perp")->view(), "BTC/USDT:PERP");
  EXPECT_EQ(parse_symbol("a")->view(), "A");
  EXPECT_EQ(parse_symbol(std::string(32, 'x'))->view(), std::string(32, 'X'));
}

TEST(SymbolTest, PathTricksAndForeignCharactersAreRefused) {
  for (const char* text : {"", "../etc", "A..B", "A//B", "/A", "A/", ".A", "A.", "-A", "A-", "A B", "A\\B", "A%2F",
                           "\xc3\x84X", "A\nB", "\xe2\x80\xae"}) {
    EXPECT_FALSE(parse_symbol(text)) << text;
  }
  EXPECT_FALSE(parse_symbol(std::string(33, 'X')));
  EXPECT_FALSE(parse_symbol(std::string_view("A\0B", 3)));
}

TEST(LpTest, CaseIsKept) {
  EXPECT_EQ(parse_lp("LMAX-london_1.x")->view(), "LMAX-london_1.x");
  for (const char* text : {"", "a b", "a/b", "a:b", "\xc3\x84"}) EXPECT_FALSE(parse_lp(text)) << text;
}

TEST(NameRegistryTest, NumbersAreDenseAndStopAtTheLimit) {
  SymbolRegistry registry(2);
  EXPECT_EQ(registry.intern(*parse_symbol("A"))->value, 0U);
  EXPECT_EQ(registry.intern(*parse_symbol("B"))->value, 1U);
  EXPECT_EQ(registry.intern(*parse_symbol("A"))->value, 0U);
  EXPECT_FALSE(registry.intern(*parse_symbol("C")));
  EXPECT_TRUE(registry.full());
  EXPECT_EQ(registry.name(SymbolId{1}).view(), "B");
}

}  // namespace
}  // namespace tickpipe::internal
