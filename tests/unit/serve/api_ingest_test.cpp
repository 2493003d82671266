#include <gmock/gmock.h>

#include "support/api_fakes.h"

namespace tickpipe::internal {
namespace {

using testing::ApiTest;
using ::testing::HasSubstr;

class ApiIngestTest : public ApiTest {
 protected:
  static constexpr const char* kJson = "application/json";
  ApiIngestTest() {
    door_.answer.received = 3;
    door_.answer.accepted = 1;
    door_.answer.rejected = 2;
    door_.answer.errors = {{1, Reason::kCrossed, ""}, {3, Reason::kMalformed, "no \"object\""}};
  }
};

TEST_F(ApiIngestTest, TellsWhatBecameOfEachLine) {
  const HttpResponse response = post("/api/ingest", "{}\n{}\n[", "application/x-ndjson");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"received":3,"accepted":1,"rejected":2,"errors":[{"line":1,"reason":"crossed","detail":""},)"
            R"({"line":3,"reason":"malformed","detail":"no \"object\""}]})");
  EXPECT_EQ(door_.body, "{}\n{}\n[");
  EXPECT_EQ(door_.origin, QuoteOrigin::kLive);
  door_.answer.errors.clear();
  EXPECT_THAT(post("/api/ingest", "{}", kJson).body, HasSubstr(R"("errors":[]})"));
}

TEST_F(ApiIngestTest, HistoricalIsSaidOrNot) {
  EXPECT_EQ(post("/api/ingest?historical=true", "{}", kJson).status, 200);
  EXPECT_EQ(door_.origin, QuoteOrigin::kHistorical);
  EXPECT_EQ(post("/api/ingest?historical=false", "{}", kJson).status, 200);
  EXPECT_EQ(door_.origin, QuoteOrigin::kLive);
  for (const char* value : {"", "1", "yes", "TRUE"}) {
    door_.origin.reset();
    EXPECT_EQ(problem_of(post(std::string("/api/ingest?historical=") + value, "{}", kJson)), "400 bad_parameter");
    EXPECT_FALSE(door_.origin);
  }
}

TEST_F(ApiIngestTest, ContentTypes) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\"",
                           "application/x-ndjson ; Charset=UTF-8"}) {
    EXPECT_EQ(post("/api/ingest", "{}", type).status, 200) << type;
  }
  door_.origin.reset();
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "application/jsonx", "application/json; charset=latin1",
                           "application/json; charset=utf-8; a=b", "text/csv", ";", "application/json;"}) {
    EXPECT_EQ(problem_of(post("/api/ingest", "{}", type)), "415 unsupported_media_type") << type;
  }
  HttpRequest packed;
  packed.method = HttpMethod::kPost;
  packed.target = "/api/ingest";
  packed.body = "x";
  packed.content_type = kJson;
  packed.content_encoding = "gzip";
  EXPECT_EQ(problem_of(send(std::move(packed))), "415 unsupported_media_type");
  EXPECT_FALSE(door_.origin);
  EXPECT_EQ(problem_of(post("/api/ingest", "", kJson)), "400 empty_body");
}

TEST_F(ApiIngestTest, EveryOutcomeHasItsAnswerAndItsCounts) {
  using Outcome = IngestAnswer::Outcome;
  door_.answer.pending = 4;
  const struct {
    Outcome outcome;
    const char* problem;
  } cases[] = {{Outcome::kNotWellFormed, "400 not_well_formed"},
               {Outcome::kBusy, "429 busy"},
               {Outcome::kStoreUnavailable, "503 store_unavailable"},
               {Outcome::kStopping, "503 draining"}};
  for (const auto& [outcome, problem] : cases) {
    door_.answer.outcome = outcome;
    for (const char* detail : {"", "no space left"}) {
      door_.answer.detail = detail;
      const HttpResponse response = post("/api/ingest", "[", kJson);
      EXPECT_EQ(problem_of(response), problem);
      const auto json = nlohmann::json::parse(response.body);
      EXPECT_EQ(json.at("received"), 3);
      EXPECT_EQ(json.at("accepted"), 1);
      EXPECT_EQ(json.at("rejected"), 2);
      EXPECT_EQ(json.at("pending"), 4);
      EXPECT_EQ(json.at("errors").size(), 2u);
      EXPECT_EQ(json.at("detail") == detail, *detail != '\0');
      EXPECT_EQ(header(response, "Retry-After"), outcome == Outcome::kBusy ? "1" : "");
    }
  }
}

TEST_F(ApiIngestTest, NothingIsTakenUnlessReady) {
  for (const auto readiness : {Readiness::kStarting, Readiness::kDraining}) {
    status_.ready = readiness;
    const HttpResponse response = post("/api/ingest", "{}", kJson);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(nlohmann::json::parse(response.body).at("pending"), 0);
    EXPECT_EQ(nlohmann::json::parse(response.body).at("received"), 0);
  }
  EXPECT_FALSE(door_.origin);
}

TEST_F(ApiIngestTest, AFaultBehindTheDoorIsAnAnswer) {
  door_.throws = true;
  EXPECT_EQ(problem_of(post("/api/ingest", "{}", kJson)), "500 internal_error");
}

TEST_F(ApiIngestTest, CleanupNeedsNoBody) {
  for (const char* body : {"", "{}", " { }\n"}) {
    const HttpResponse response = post("/admin/pipeline/cleanup", body, *body == '\0' ? "" : kJson);
    EXPECT_EQ(response.status, 200) << body;
    EXPECT_EQ(response.body, R"({"success":true,"removed_ticks":12,"removed_bars":3})");
  }
  EXPECT_EQ(background_, 3u);
  EXPECT_EQ(problem_of(post("/admin/pipeline/cleanup", R"({"days":1})", kJson)), "400 unexpected_body");
  EXPECT_EQ(problem_of(post("/admin/pipeline/cleanup", "}", kJson)), "400 unexpected_body");
  EXPECT_EQ(problem_of(post("/admin/pipeline/cleanup", "{", kJson)), "400 unexpected_body");
  EXPECT_EQ(problem_of(post("/admin/pipeline/cleanup", "{}", "text/plain")), "415 unsupported_media_type");
  EXPECT_EQ(problem_of(get("/admin/pipeline/cleanup")), "405 method_not_allowed");
  maintenance_.fails = true;
  EXPECT_EQ(problem_of(post("/admin/pipeline/cleanup", "", "")), "503 store_unavailable");
}

}  // namespace
}  // namespace tickpipe::internal
