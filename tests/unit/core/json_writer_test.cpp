#include "core/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/decimal.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

template <typename Write>
std::string written(const Write& write) {
  JsonWriter json(0);
  write(json);
  return json.take();
}

TEST(JsonWriterTest, DecimalsAreThoseOfFormatDecimal) {
  std::mt19937_64 random(1);
  const auto check = [](Int128 units) {
    EXPECT_EQ(written([&](JsonWriter& json) { json.decimal(units); }), decimal_to_string(units));
  };
  for (const std::int64_t units :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{999'999'999}, std::int64_t{1'000'000'000},
        std::int64_t{10'000'000'001}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    check(units);
  }
  check((static_cast<Int128>(1) << 126) + 7);
  check(-(static_cast<Int128>(1) << 100));
  for (int i = 0; i < 200'000; ++i) {
    const auto units = static_cast<std::int64_t>(random() >> (random() % 64));
    check(units);
    check(static_cast<Int128>(units) * 100'000);  // trailing zeros
  }
}

TEST(JsonWriterTest, TimesAreThoseOfFormatRfc3339) {
  std::mt19937_64 random(2);
  JsonWriter json(0);
  for (int i = 0; i < 100'000; ++i) {
    // Neighbours mostly, so that the remembered date is used; then far jumps, before 1970 too.
    const UnixNanos time{i % 3 == 0 ? static_cast<std::int64_t>(random() - random() % 2 * (random() / 2)) / 2
                                    : 1'768'514'400'000'000'000 + static_cast<std::int64_t>(random() >> 16)};
    std::size_t start = json.view().size();
    json.time_ns(time);
    ASSERT_EQ(json.view().substr(start), '"' + format_rfc3339(time, 9) + '"');
    start = json.view().size();
    json.time_ms(time);
    ASSERT_EQ(json.view().substr(start), '"' + format_rfc3339(time, 3) + '"');
  }
}

TEST(JsonWriterTest, NumbersOfEveryLength) {
  std::uint64_t value = 0;
  for (int digit = 1; digit <= 20; ++digit) {
    EXPECT_EQ(written([&](JsonWriter& json) { json.number(value); }), std::to_string(value));
    value = value * 10 + static_cast<std::uint64_t>(digit % 10);
  }
  EXPECT_EQ(written([](JsonWriter& json) { json.number(UINT64_MAX); }), "18446744073709551615");
}

TEST(JsonWriterTest, TextIsEscapedAndAlwaysUtf8) {
  const auto text = [](std::string_view value) { return written([&](JsonWriter& json) { json.text(value); }); };
  EXPECT_EQ(text("a\"b\\c\n\x01\x7f"), R"("a\"b\\c\u000a\u0001\u007f")");
  EXPECT_EQ(text("grün €😀"), "\"grün €😀\"");
  EXPECT_EQ(text(std::string_view("\xff\xc0\x80\xed\xa0\x80", 6)), "\"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\"");
  EXPECT_EQ(text("\xe2\x82"), "\"\uFFFD\uFFFD\"");
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_TRUE(nlohmann::json::accept(text(bytes)));
  }
}

TEST(JsonWriterTest, CloseTakesThePlaceOfAComma) {
  EXPECT_EQ(written([](JsonWriter& json) {
              json.literal("[");
              json.close(']');
            }),
            "[]");
  EXPECT_EQ(written([](JsonWriter& json) {
              json.literal("[1,2,");
              json.close(']');
            }),
            "[1,2]");
}

TEST(JsonWriterTest, GrowsBeyondWhatWasExpected) {
  JsonWriter json(1);
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    json.raw("0123456789");
    expected += "0123456789";
  }
  EXPECT_EQ(json.take(), expected);
}

}  // namespace
}  // namespace tickpipe::internal
