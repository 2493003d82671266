#include "core/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace tickpipe::internal {
namespace {

TEST(Crc32cTest, FitsThePublishedExamples) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  // RFC 3720, appendix B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(Crc32cTest, GoesOnFromWhatWasBefore) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += static_cast<char>(i * 7);
  for (std::size_t cut = 0; cut <= text.size(); cut += 13) {
    EXPECT_EQ(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(text));
  }
}

}  // namespace
}  // namespace tickpipe::internal
