#include "core/decimal.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace tickpipe::internal {
namespace {

std::int64_t parse_ok(std::string_view text) {
  const Decimal d = parse_decimal(text);
  EXPECT_EQ(d.status, DecimalStatus::kOk) << text;
  return d.units;
}

TEST(DecimalTest, PlainNumbersAreExact) {
  EXPECT_EQ(parse_ok("1.121720"), 1'121'720'000);
  EXPECT_EQ(parse_ok("0.000000001"), 1);
  EXPECT_EQ(parse_ok("0"), 0);
  EXPECT_EQ(parse_ok("-0"), 0);
  EXPECT_EQ(parse_ok("-1.5"), -1'500'000'000);
  EXPECT_EQ(parse_ok("67890"), 67'890'000'000'000);
  EXPECT_EQ(parse_ok("999999999.999999999"), 999'999'999'999'999'999);
}

TEST(DecimalTest, ExponentsAreEvaluatedExactly) {
  EXPECT_EQ(parse_ok("1e-9"), 1);
  EXPECT_EQ(parse_ok("1.5E+3"), 1'500'000'000'000);
  EXPECT_EQ(parse_ok("1000000000000e-12"), 1'000'000'000);
  EXPECT_EQ(parse_ok("0e999999999999999999999"), 0);
  EXPECT_EQ(parse_ok("0.0000000000000000000001e22"), 1'000'000'000);
}

TEST(DecimalTest, HundredsOfDigitsAreFineWhenTheValueFits) {
  EXPECT_EQ(parse_ok("1." + std::string(400, '0')), 1'000'000'000);
  EXPECT_EQ(parse_ok("1" + std::string(400, '0') + "e-400"), 1'000'000'000);
  EXPECT_EQ(parse_decimal("1." + std::string(400, '0') + "1").status, DecimalStatus::kRange);
  EXPECT_EQ(parse_decimal(std::string(400, '9')).status, DecimalStatus::kRange);
}

TEST(DecimalTest, WhatDoesNotFitIsRefusedAndNeverRounded) {
  EXPECT_EQ(parse_ok("9223372036.854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse_decimal("9223372036.854775808").status, DecimalStatus::kRange);
  EXPECT_EQ(parse_decimal("0.0000000001").status, DecimalStatus::kRange);
  EXPECT_EQ(parse_decimal("1e999").status, DecimalStatus::kRange);
  EXPECT_EQ(parse_decimal("1e-999999999999").status, DecimalStatus::kRange);
}

TEST(DecimalTest, OnlyTheJsonGrammarIsANumber) {
  for (const char* text : {"", "-", "+1", ".5", "1.", "01", "-01", "1e", "1e+", "0x1", "NaN", "Infinity", "1 ", " 1",
                           "1,5", "1.5.2", "--1", "1e1.5", "\xd9\xa1"}) {
    EXPECT_EQ(parse_decimal(text).status, DecimalStatus::kSyntax) << text;
  }
  EXPECT_EQ(parse_decimal(std::string_view("1\0", 2)).status, DecimalStatus::kSyntax);
}

TEST(DecimalTest, PrintingHasNoExponentAndNoTrailingZeros) {
  EXPECT_EQ(decimal_to_string(1'121'720'000), "1.12172");
  EXPECT_EQ(decimal_to_string(1'000'000'000), "1");
  EXPECT_EQ(decimal_to_string(1), "0.000000001");
  EXPECT_EQ(decimal_to_string(-1'500'000'000), "-1.5");
  EXPECT_EQ(decimal_to_string(0), "0");
  EXPECT_EQ(decimal_to_string(std::numeric_limits<std::int64_t>::min()), "-9223372036.854775808");
  EXPECT_EQ(decimal_to_string(static_cast<Int128>(std::numeric_limits<std::int64_t>::max()) * 1'000'000'000),
            "9223372036854775807");
}

TEST(DecimalTest, PrintedNumbersParseBackToTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const auto units = static_cast<std::int64_t>(random() >> (random() % 60)) * ((random() & 1) != 0 ? 1 : -1);
    ASSERT_EQ(parse_ok(decimal_to_string(units)), units);
  }
}

}  // namespace
}  // namespace tickpipe::internal
