#include "core/utf8.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace tickpipe::internal {
namespace {

/// The encoding by the book: the bits of the number spread over as many bytes as `length` says.
std::string encode(std::uint32_t code_point, std::size_t length) {
  if (length == 1) return {static_cast<char>(code_point)};
  std::string out(length, '\0');
  for (std::size_t i = length - 1; i > 0; --i, code_point >>= 6) out[i] = static_cast<char>(0x80 | (code_point & 0x3F));
  out[0] = static_cast<char>(((0xF00u >> length) & 0xFF) | code_point);
  return out;
}

std::size_t shortest(std::uint32_t code_point) {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

bool is_valid_byte_by_byte(std::string_view text) {
  Utf8Checker checker;
  for (const char& c : text) {
    if (!checker.add({&c, 1})) return false;
  }
  return checker.is_complete();
}

TEST(Utf8Test, EveryCodePointIsValidInItsShortestFormOnly) {
  for (std::uint32_t code_point = 0; code_point < 0x200000; ++code_point) {
    const bool exists = code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
    for (std::size_t length = shortest(code_point); length <= 4; ++length) {
      const std::string text = encode(code_point, length);
      ASSERT_EQ(is_valid_utf8(text), exists && length == shortest(code_point)) << code_point << " in " << length;
    }
  }
}

TEST(Utf8Test, EveryStringOfTwoBytesIsJudgedAlikeWholeAndCut) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const bool both_ascii = first < 0x80 && second < 0x80;
      const bool pair = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
      ASSERT_EQ(is_valid_utf8(text), both_ascii || pair) << first << ' ' << second;
      ASSERT_EQ(is_valid_byte_by_byte(text), both_ascii || pair) << first << ' ' << second;
    }
  }
}

TEST(Utf8Test, LeadsOfFiveAndSixBytesDoNotExist) {
  EXPECT_FALSE(is_valid_utf8("\xf8\x88\x80\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xfc\x84\x80\x80\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xfe"));
  EXPECT_FALSE(is_valid_utf8("\xff"));
}

TEST(Utf8Test, ACutCharacterIsIncompleteButNotWrong) {
  const std::string text = "a\xc3\xa4\xe2\x82\xac\xf0\x9d\x84\x9e";
  const std::string_view boundaries = "1101001000";  // whether the text may end in front of this byte
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    Utf8Checker checker;
    EXPECT_TRUE(checker.add(std::string_view(text).substr(0, cut))) << cut;
    EXPECT_EQ(checker.is_complete(), cut == 0 || boundaries[cut] == '1') << cut;
    EXPECT_TRUE(checker.add(std::string_view(text).substr(cut))) << cut;
    EXPECT_TRUE(checker.is_complete()) << cut;
  }
}

TEST(Utf8Test, ABadByteIsFoundAtEveryPlaceOfALongText) {
  for (const std::string_view bad : {"\x80", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (std::size_t after = 0; after < 40; ++after) {
        EXPECT_FALSE(is_valid_utf8(std::string(before, 'x').append(bad).append(after, 'y'))) << before << ' ' << after;
      }
    }
  }
  EXPECT_TRUE(is_valid_utf8(std::string(1000, 'x')));
  EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Utf8Test, RandomTextCutAnywhereIsValid) {
  std::mt19937_64 random{7};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (std::size_t count = random() % 60; count != 0; --count) {
      std::uint32_t code_point = static_cast<std::uint32_t>(random() % 0x110000) >> (random() % 21);
      if (code_point >= 0xD800 && code_point <= 0xDFFF) code_point = 'x';
      text += encode(code_point, shortest(code_point));
    }
    Utf8Checker checker;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = random() % (rest.size() + 1);
      ASSERT_TRUE(checker.add(rest.substr(0, size)));
      rest.remove_prefix(size);
    }
    ASSERT_TRUE(checker.is_complete());
    ASSERT_TRUE(is_valid_utf8(text));
  }
}

TEST(Utf8Test, ResetForgetsTheCharacterUnderWay) {
  Utf8Checker checker;
  EXPECT_TRUE(checker.add("\xe0"));
  checker.reset();
  EXPECT_TRUE(checker.is_complete());
  EXPECT_TRUE(checker.add("abc"));
}

}  // namespace
}  // namespace tickpipe::internal
