#include "serve/http_text.h"

#include <gtest/gtest.h>

namespace tickpipe::internal {
namespace {

TEST(HttpTextTest, DateIsInTheFixedFormOfMails) {
  EXPECT_EQ(format_http_date({784'111'777 * kNanosPerSecond}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date({1'709'164'800 * kNanosPerSecond + 999'999'999}), "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(HttpTextTest, ContentTypeMatchesBareOrWithUtf8) {
  for (const char* header : {"application/json", "Application/JSON", " application/json ",
                             "application/json; charset=utf-8", "application/json;charset=\"UTF-8\""}) {
    EXPECT_TRUE(is_content_type(header, "application/json")) << header;
  }
  for (const char* header : {"", "text/plain", "application/jsonx", "application/json; charset=latin1",
                             "application/json; a=b", "application/json, text/plain", "application/json;"}) {
    EXPECT_FALSE(is_content_type(header, "application/json")) << header;
  }
}

TEST(HttpTextTest, ProblemsHaveAllFiveMembers) {
  const HttpResponse problem = transport_problem(413, "body_too_large", "The body is too large.");
  EXPECT_EQ(problem.content_type, "application/problem+json");
  EXPECT_EQ(problem.body, R"({"type":"about:blank","title":"Content Too Large","status":413,)"
                          R"("detail":"The body is too large.","code":"body_too_large"})");
}

TEST(HttpTextTest, ListElementsAreTrimmedAndMayBeEmpty) {
  std::string_view list = " a ,, b";
  EXPECT_EQ(next_list_element(list), "a");
  EXPECT_EQ(next_list_element(list), "");
  EXPECT_EQ(next_list_element(list), "b");
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace tickpipe::internal
