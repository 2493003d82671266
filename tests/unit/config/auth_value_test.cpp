#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/config_testing.h"

namespace tickpipe::internal {
namespace {

using config_testing::load;
using config_testing::only_error;
using config_testing::texts;
using ::testing::HasSubstr;

const std::string kHash(64, 'a');

std::string with_keys(const std::string& keys) { return R"({"auth": {"mode": "api_key", "keys": [)" + keys + "]}}"; }
std::string with_jwt(const std::string& jwt) { return R"({"auth": {"mode": "jwt", "jwt": {)" + jwt + "}}}"; }

TEST(AuthValueTest, EveryModeIsTakenWithWhatItNeeds) {
  for (const std::string& text :
       {std::string(R"({"auth": {"mode": "none"}})"),
        with_keys(R"({"id": "a", "sha256": ")" + kHash + R"(", "roles": ["read", "ingest", "admin"]})"),
        with_jwt(R"("alg": "HS256", "secret_file": "s", "issuer": "i", "audience": "a", "roles_claim": "r")"),
        with_jwt(R"("alg": "RS256", "public_key_file": "p")")}) {
    const ConfigResult result = load(text);
    EXPECT_TRUE(result.ok()) << texts(result);
  }
}

TEST(AuthValueTest, ItIsKeptAsJson) {
  EXPECT_EQ(load(R"({"auth": { "mode" : "none" /* off */ }})").config.auth_json, R"({"mode":"none"})");
}

TEST(AuthValueTest, AModeWithoutItsPartsIsRefused) {
  EXPECT_THAT(only_error(R"({"auth": {}})"), HasSubstr("mode is missing"));
  EXPECT_THAT(only_error(R"({"auth": {"mode": "api-key"}})"), HasSubstr(R"(did you mean "api_key"?)"));
  EXPECT_THAT(only_error(R"({"auth": {"mode": "api_key"}})"), HasSubstr("needs at least one key"));
  EXPECT_THAT(only_error(with_keys("")), HasSubstr("at least one"));
  EXPECT_THAT(only_error(R"({"auth": {"mode": "jwt"}})"), HasSubstr("needs an object with alg"));
}

TEST(AuthValueTest, BadKeysAreNamedWithoutTheirHash) {
  const std::string bad = with_keys(R"({"id": "a", "sha256": "hunter2", "roles": ["read"]})");
  EXPECT_THAT(only_error(bad), HasSubstr("auth.keys.sha256: expected the SHA-256"));
  EXPECT_THAT(only_error(bad), ::testing::Not(HasSubstr("hunter2")));
  const std::string good_part = R"("sha256": ")" + kHash + R"(", "roles": )";
  EXPECT_THAT(only_error(with_keys("{\"id\": \"a\", " + good_part + R"(["raed"]})")),
              HasSubstr(R"(did you mean "read")"));
  EXPECT_THAT(only_error(with_keys("{\"id\": \"a\", " + good_part + "[]}")), HasSubstr("roles must be a list"));
  EXPECT_THAT(only_error(with_keys("{" + good_part + R"(["read"]})")), HasSubstr("id is missing"));
  EXPECT_THAT(only_error(with_keys("{\"id\": \"a\", \"role\": 1, " + good_part + R"(["read"]})")),
              HasSubstr(R"(auth.keys.role: unknown key; did you mean "roles"?)"));
  const std::string key = "{\"id\": \"a\", " + good_part + R"(["read"]})";
  EXPECT_THAT(only_error(with_keys(key + "," + key)), HasSubstr("the same id"));
}

TEST(AuthValueTest, AFileForTheOtherAlgorithmIsRefused) {
  EXPECT_THAT(only_error(with_jwt(R"("alg": "RS256", "public_key_file": "p", "secret_file": "s")")),
              HasSubstr("RS256 takes public_key_file, not this"));
  EXPECT_THAT(only_error(with_jwt(R"("alg": "HS256")")), HasSubstr("secret_file is missing"));
  EXPECT_THAT(only_error(with_jwt(R"("alg": "none", "secret_file": "s")")), HasSubstr("is not HS256 or RS256"));
  EXPECT_THAT(only_error(with_jwt(R"("secret_file": "s")")), HasSubstr("alg is missing"));
}

}  // namespace
}  // namespace tickpipe::internal
