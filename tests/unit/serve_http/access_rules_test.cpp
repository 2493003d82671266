#include "serve/access_rules.h"

#include <gtest/gtest.h>

#include "serve/gzip.h"

namespace tickpipe::internal {
namespace {

TEST(AccessRulesTest, LoopbackNamesWithAnyPort) {
  for (const char* host : {"localhost", "LOCALHOST:7999", "a.b.localhost", "127.0.0.1", "127.255.0.9:1", "[::1]",
                           "[::1]:65535", "localhost:"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", ".localhost", "127.0.0.1.evil.example", "127.0.0", "127.0.0.256",
        "127.0.0.01", "127.0.0.1:80a", "127.0.0.1:123456", "[::2]", "[::1", "[::1]x", "::1", "evil.example@localhost",
        "evil.example/.localhost", "10.0.0.1", "localhost:80:80", "0.0.0.0"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(AccessRulesTest, OwnOriginIsTheHostOrALoopbackNameWithItsPort) {
  EXPECT_TRUE(is_own_origin("http://localhost:7999", "localhost:7999"));
  EXPECT_TRUE(is_own_origin("http://127.0.0.1:7999", "localhost:7999"));
  EXPECT_TRUE(is_own_origin("http://[::1]:7999", "127.0.0.1:7999"));
  EXPECT_TRUE(is_own_origin("http://localhost", "localhost:80"));
  EXPECT_TRUE(is_own_origin("http://box.lan:7999", "box.lan:7999"));
  for (const char* origin : {"null", "", "http://", "http://localhost", "http://localhost:8000",
                             "https://localhost:7999", "http://evil.example:7999", "http://localhost:7999/",
                             "http://localhost:7999@evil.example", "http://localhost.evil.example:7999"}) {
    EXPECT_FALSE(is_own_origin(origin, "localhost:7999")) << origin;
  }
  EXPECT_FALSE(is_own_origin("http://", ""));
}

TEST(AccessRulesTest, AdminPathsAreFoundInEveryDisguise) {
  for (const char* path : {"/admin", "/admin/", "/admin/pipeline/cleanup", "/%61dmin/x", "//admin", "/x/../admin",
                           "/./admin", "/\\admin", "/%2fadmin", "/admin%2fx", "/x/%2e%2e/admin"}) {
    EXPECT_TRUE(may_be_admin_path(path)) << path;
  }
  for (const char* path : {"/", "/administrator", "/api/admin", "/api/quotes/latest/EUR%2FUSD", "*", "/%", "/%6"}) {
    EXPECT_FALSE(may_be_admin_path(path)) << path;
  }
}

TEST(GzipTest, AcceptEncodingFollowsTheWeights) {
  for (const char* header :
       {"gzip", "GZIP", "br, gzip", "gzip;q=0.001", "gzip; q=1.000", "*", "x-gzip", "br;q=0,*;q=1"}) {
    EXPECT_TRUE(accepts_gzip(header)) << header;
  }
  for (const char* header : {"", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "*, gzip;q=0", "gzip;q=x",
                             "identity", "gzip;q=2", "gzip;q=0.0001", ","}) {
    EXPECT_FALSE(accepts_gzip(header)) << header;
  }
}

}  // namespace
}  // namespace tickpipe::internal
