#include "core/safe_text.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

TEST(SafeTextTest, NothingButPrintableAsciiGetsThrough) {
  EXPECT_EQ(safe_text("EUR/USD 1.5"), "EUR/USD 1.5");
  EXPECT_EQ(safe_text("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(safe_text("\xe2\x80\xaeliated"), "\\xe2\\x80\\xaeliated");
  EXPECT_EQ(safe_text("\xff\\"), "\\xff\\x5c");
}

TEST(SafeTextTest, LongTextIsCut) { EXPECT_EQ(safe_text(std::string(100, 'x'), 5), "xxxxx..."); }

}  // namespace
}  // namespace tickpipe::internal
