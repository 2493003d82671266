#include <gtest/gtest.h>
#include <tickpipe/decimal.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace tickpipe {
namespace {

std::int64_t units(double value) { return Decimal(value).units(); }

TEST(DecimalTest, ADoubleIsRoundedToTheNearestUnit) {
  EXPECT_EQ(units(1.16452), 1'164'520'000);
  EXPECT_EQ(units(0.1), 100'000'000);
  EXPECT_EQ(units(67012.34), 67'012'340'000'000);
  EXPECT_EQ(units(1e-9), 1);
  EXPECT_EQ(units(0.4999e-9), 0);
  EXPECT_EQ(units(0.5001e-9), 1);
  EXPECT_EQ(units(1.5e-9), 1);  // the double is below 1.5e-9
  EXPECT_EQ(units(1.5001e-9), 2);
  EXPECT_EQ(units(0.001953125), 1'953'125);
  EXPECT_EQ(units(std::ldexp(1.0, -10)), 976'563);  // 976562.5: a tie goes away from zero
  EXPECT_EQ(units(-std::ldexp(1.0, -10)), -976'563);
  EXPECT_EQ(units(-1.16452), -1'164'520'000);
  EXPECT_EQ(units(0.0), 0);
  EXPECT_EQ(units(5e-324), 0);
  EXPECT_EQ(units(4294967296.0), 4'294'967'296'000'000'000);
}

TEST(DecimalTest, WhatIsNoNumberOrDoesNotFitIsInvalid) {
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), 1e10, -1e10, 1e300, 9223372036.854776}) {
    EXPECT_FALSE(Decimal(value).is_valid()) << value;
    EXPECT_EQ(Decimal(value).to_string(), "invalid");
    EXPECT_TRUE(std::isnan(Decimal(value).to_double()));
  }
  EXPECT_TRUE(Decimal(9223372036.0).is_valid());
}

TEST(DecimalTest, TheNearestUnitIsThatOfALongerComputation) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const int scale = static_cast<int>(random() % 40) - 30;
    const double value = std::ldexp(static_cast<double>(random() >> 11), scale - 22);
    if (value > 9.2e9) continue;
    // 64 bits of mantissa hold value * 1e9 well enough to tell the nearest, but for near ties.
    const long double product = static_cast<long double>(value) * 1e9L;
    const long double nearest = std::floor(product + 0.5L);
    if (std::fabs(product - std::floor(product) - 0.5L) < 1e-3L) continue;
    ASSERT_EQ(units(value), static_cast<std::int64_t>(nearest)) << std::hexfloat << value;
  }
}

TEST(DecimalTest, TextIsExactOrNothing) {
  EXPECT_EQ(Decimal::parse("1.16452")->units(), 1'164'520'000);
  EXPECT_EQ(Decimal::parse("9223372036.854775807")->units(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Decimal::parse("2e-4")->units(), 200'000);
  for (const char* const text :
       {"", "1.", ".5", "+1", "1,5", "0.0000000001", "9223372036.854775808", "x", "-9223372036.854775808"}) {
    EXPECT_FALSE(Decimal::parse(text)) << text;
  }
}

TEST(DecimalTest, ComesBackFromTextAndDouble) {
  for (const char* const text : {"1.16452", "0", "67012.34", "0.000000001", "-3.5", "9223372036.854775807"}) {
    EXPECT_EQ(Decimal::parse(text)->to_string(), text);
  }
  EXPECT_DOUBLE_EQ(Decimal::parse("1.16452")->to_double(), 1.16452);
  std::mt19937_64 random(11);
  for (int i = 0; i < 100'000; ++i) {
    // Below 2^52 units a double holds every decimal apart from its neighbours.
    const auto expected = static_cast<std::int64_t>(random() >> 12);
    ASSERT_EQ(units(Decimal::from_units(expected).to_double()), expected);
  }
}

TEST(DecimalTest, Compares) {
  EXPECT_LT(Decimal(1.1), Decimal(1.2));
  EXPECT_EQ(Decimal(1.10), *Decimal::parse("1.1"));
}

}  // namespace
}  // namespace tickpipe
