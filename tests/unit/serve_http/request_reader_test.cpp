#include "serve/request_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace tickpipe::internal {
namespace {

using Step = RequestReader::Step;

/// Reads the one request that `text` is, to its end.
void read_whole(RequestReader& reader, std::string_view text) {
  std::size_t consumed = 0;
  ASSERT_EQ(reader.read(text, consumed), Step::kHead);
  text.remove_prefix(consumed);
  ASSERT_EQ(reader.read(text, consumed), Step::kComplete);
  ASSERT_EQ(consumed, text.size());
}

TEST(RequestReaderTest, RepeatedListsAreOneList) {
  RequestReader reader({});
  read_whole(reader,
             "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nContent-Encoding: a\r\nAccept-Encoding: br;q=0\r\n"
             "Content-Encoding: b\r\n\r\n");
  EXPECT_EQ(reader.traits().accept_encoding, "gzip, br;q=0");
  EXPECT_EQ(reader.request().content_encoding, "a, b");
}

TEST(RequestReaderTest, AnEmptyListAddsNothingToAnother) {
  RequestReader reader({});
  read_whole(reader,
             "GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding:\r\nContent-Encoding: identity\r\nContent-Encoding: \r\n"
             "Accept-Encoding: gzip\r\nAccept-Encoding:\r\n\r\n");
  EXPECT_EQ(reader.request().content_encoding, "identity");
  EXPECT_EQ(reader.traits().accept_encoding, "gzip");
}

}  // namespace
}  // namespace tickpipe::internal
