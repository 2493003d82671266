// The REST API as requests and answers, without a socket of ours.

#include <tickpipe/api_handler.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "support/embedding.h"
#include "support/http_client.h"

namespace tickpipe::testing {
namespace {

using Json = nlohmann::json;
using internal::testing::HttpClient;
using internal::testing::HttpReply;
using internal::testing::kPatience;
using std::chrono::milliseconds;

class LibraryApiTest : public EmbeddingTest {
 protected:
  void SetUp() override {
    config_.http.enabled = true;  // what the same system says over a socket
    config_.http.port = 0;
    pipeline_ = std::make_unique<Pipeline>(config_);
    pipeline_->start();
    adapter_ = std::make_unique<IntegrationAdapter>(*pipeline_);
    api_ = std::make_unique<ApiHandler>(*pipeline_);
  }
  void send(const std::string& symbol, double bid) {
    ASSERT_TRUE(adapter_->process_lp_quote_wait("LP1", symbol, bid, bid + 0.01, now(), kPatience).is_accepted());
  }
  ApiResponse get(const std::string& target) { return api_->handle({.target = target}); }
  ApiResponse post(const std::string& target, const std::string& body, const std::string& type = "application/json") {
    return api_->handle({.method = "POST", .target = target, .body = body, .content_type = type});
  }
  HttpReply over_socket(const std::string& target) {
    HttpClient client(pipeline_->http_port());
    return client.get(target).value();
  }
  /// Reads until `text` has come.
  static std::string read_until(ApiStream& stream, const std::string& text) {
    std::string all;
    EXPECT_TRUE(eventually([&] {
      const auto bytes = stream.read(milliseconds{50});
      if (!bytes) return true;
      all += *bytes;
      return all.find(text) != std::string::npos;
    }));
    EXPECT_NE(all.find(text), std::string::npos) << all;
    return all;
  }

  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<IntegrationAdapter> adapter_;
  std::unique_ptr<ApiHandler> api_;
};

TEST_F(LibraryApiTest, EveryPathAnswersAsOverTheSocket) {
  for (int i = 0; i < 300; ++i) send("BTCUSD", 100.0 + i * 0.01);
  const char* const same[] = {"/api/quotes/latest/BTCUSD",
                              "/api/quotes/latest",
                              "/api/quotes/history/BTCUSD?limit=10&order=asc",
                              "/api/quotes/history/BTCUSD?limit=1000",  // answered in the background
                              "/api/ticks/?symbol=BTCUSD&limit=5",
                              "/api/ticks/BTCUSD",
                              "/api/ohlc/BTCUSD?timeframe=1d&limit=10",
                              "/api/ohlc/latest/BTCUSD?timeframe=1d",
                              "/api/symbols",
                              "/healthz",
                              "/readyz",
                              "/openapi.yaml",
                              "/docs",
                              "/",
                              "/api/quotes/latest/NONE",
                              "/api/ohlc/BTCUSD?timeframe=7m",
                              "/api/quotes/latest/BTC%zz",
                              "/api/quotes/stream",
                              "/api/nothing",
                              "/admin/pipeline/cleanup",
                              "/ws"};
  for (const char* const target : same) {
    const ApiResponse here = get(target);
    const HttpReply there = over_socket(target);
    EXPECT_EQ(here.status, there.status) << target;
    // A quote goes stale between two looks.
    if (std::string_view(target).starts_with("/api/quotes/latest") && here.status == 200) {
      Json a = Json::parse(here.body);
      Json b = Json::parse(there.body);
      for (Json* each : {&a, &b}) {
        if (each->is_object()) each->erase("stale");
      }
      if (a.is_object()) {
        EXPECT_EQ(a, b) << target;
      }
    } else {
      EXPECT_EQ(here.body, there.body) << target;
    }
    EXPECT_EQ(here.content_type, there.header("content-type")) << target;
    for (const auto& [name, value] : here.headers) EXPECT_NE(there.head.find(name + ": " + value), std::string::npos);
  }
  const auto live = {"/api/pipeline/health", "/api/pipeline/stats", "/api/pipeline/feed-health"};
  for (const char* const target : live) {
    const Json here = Json::parse(get(target).body);
    const Json there = Json::parse(over_socket(target).body);
    for (const auto& [name, value] : there.items()) EXPECT_TRUE(here.contains(name)) << target << " " << name;
  }
  EXPECT_EQ(Json::parse(get("/api/pipeline/stats").body).at("ticks_processed"), 300);
  EXPECT_NE(get("/metrics").body.find("tickpipe_"), std::string::npos);
}

TEST_F(LibraryApiTest, PostsAreTakenAndRefused) {
  const std::string quote = R"({"symbol":"DEMO","bid":1.1,"ask":1.2,"lp":"LP1","timestamp":"2026-01-14T10:00:00Z"})";
  const ApiResponse taken = post("/api/ingest?historical=true", quote);
  EXPECT_EQ(taken.status, 200) << taken.body;
  EXPECT_EQ(Json::parse(taken.body).at("accepted"), 1);
  EXPECT_EQ(Json::parse(post("/api/ingest?historical=true", quote).body).at("errors").at(0).at("reason"), "duplicate");
  EXPECT_EQ(get("/api/quotes/latest/DEMO").status, 200);
  EXPECT_EQ(post("/api/ingest", quote, "text/plain").status, 415);
  EXPECT_EQ(post("/api/ingest", std::string(config_.http.max_body_bytes + 1, ' ')).status, 413);
  EXPECT_EQ(post("/api/symbols", "").status, 405);
  EXPECT_EQ(post("/admin/pipeline/cleanup", "{}").status, 200);
}

TEST_F(LibraryApiTest, OtherMethods) {
  send("BTCUSD", 100);
  const ApiResponse head = api_->handle({.method = "HEAD", .target = "/api/symbols"});
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
  EXPECT_FALSE(api_->handle({.method = "HEAD", .target = "/api/quotes/stream?symbol=BTCUSD"}).stream);
  EXPECT_EQ(api_->handle({.method = "OPTIONS", .target = "/api/symbols"}).status, 204);
  EXPECT_EQ(api_->handle({.method = "BREW", .target = "/api/symbols"}).status, 405);
  EXPECT_EQ(api_->handle({.method = "GET", .target = ""}).status, 404);
  EXPECT_EQ(api_->handle({.method = "GET", .target = "http://else/"}).status, 404);
}

TEST_F(LibraryApiTest, AnEventStreamIsPulled) {
  send("BTCUSD", 100);
  const ApiResponse response = get("/api/quotes/stream?symbol=BTCUSD");
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream; charset=utf-8");
  ASSERT_TRUE(response.stream);
  std::string all = read_until(*response.stream, "\"seq\":1");
  EXPECT_NE(all.find("event: tick"), std::string::npos);
  EXPECT_EQ(pipeline_->stats().clients_connected, 0U);  // connections of its own server
  for (int i = 1; i < 20; ++i) send("BTCUSD", 100 + i);
  all += read_until(*response.stream, "\"seq\":20");
  for (int i = 1; i <= 20; ++i) EXPECT_NE(all.find("\"seq\":" + std::to_string(i)), std::string::npos);
  // Who comes back gets what it missed, and nothing twice.
  const std::size_t id = all.rfind("id: ");
  const std::string last = all.substr(id + 4, all.find('\n', id) - id - 4);
  response.stream->close();
  EXPECT_FALSE(response.stream->read(milliseconds{0}));
  send("BTCUSD", 121);
  send("BTCUSD", 122);
  const ApiResponse again = api_->handle({.target = "/api/quotes/stream?symbol=BTCUSD", .last_event_id = last});
  ASSERT_TRUE(again.stream);
  const std::string rest = read_until(*again.stream, "\"seq\":22");
  EXPECT_NE(rest.find("\"seq\":21"), std::string::npos);
  EXPECT_EQ(rest.find("\"seq\":20"), std::string::npos);
}

TEST_F(LibraryApiTest, AnEventStreamIsPushedUntilStopEndsIt) {
  send("BTCUSD", 100);
  const ApiResponse response = get("/api/quotes/stream?symbol=BTCUSD");
  ASSERT_TRUE(response.stream);
  std::atomic<bool> has_begun{false};
  std::string all;
  std::jthread reader([&] {
    response.stream->pump(
        [&](std::string_view bytes) {
          all += bytes;
          if (all.find("\"seq\":1") != std::string::npos) has_begun = true;
          return true;
        },
        milliseconds{20});
  });
  ASSERT_TRUE(eventually([&] { return has_begun.load(); }));
  for (int i = 1; i < 10; ++i) send("BTCUSD", 100 + i);
  pipeline_->stop();
  reader.join();
  EXPECT_NE(all.find("\"seq\":10"), std::string::npos);
  EXPECT_EQ(get("/api/quotes/stream?symbol=BTCUSD").status, 503);
}

TEST_F(LibraryApiTest, AStreamThatNobodyReadsHoldsUpNothing) {
  send("BTCUSD", 100);
  std::vector<ApiResponse> responses;
  for (int i = 0; i < 10; ++i) responses.push_back(get("/api/quotes/stream?symbol=BTCUSD"));
  for (int i = 0; i < 5000; ++i) adapter_->process_lp_quote("LP1", "BTCUSD", 100 + i * 0.001, 200, now());
  expect_settled(*pipeline_, 5001);
  pipeline_->stop();
  for (const ApiResponse& response : responses) {
    while (const auto bytes = response.stream->read(milliseconds{1000})) {
      ASSERT_FALSE(bytes->empty()) << "neither bytes nor an end";
    }
  }
}

TEST_F(LibraryApiTest, AStreamWhoseClientHasGoneEnds) {
  send("BTCUSD", 100);
  {
    const ApiResponse response = get("/api/quotes/stream?symbol=BTCUSD");
    read_until(*response.stream, "\"seq\":1");
    response.stream->pump([](std::string_view) { return false; }, milliseconds{1});
  }
  ASSERT_TRUE(eventually([&] { return Json::parse(get("/api/pipeline/stats").body).at("stream_clients") == 0; }));
}

TEST_F(LibraryApiTest, AnswersWithoutWaiting) {
  send("BTCUSD", 100);
  std::promise<ApiResponse> promise;
  api_->handle({.target = "/api/quotes/history/BTCUSD?limit=5000"},
               [&](ApiResponse response) { promise.set_value(std::move(response)); });
  EXPECT_EQ(promise.get_future().get().status, 200);
}

TEST_F(LibraryApiTest, ManyThreadsAtOnce) {
  for (int i = 0; i < 300; ++i) send("BTCUSD", 100.0 + i * 0.01);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(get("/api/quotes/latest/BTCUSD").status, 200);
        EXPECT_EQ(Json::parse(get("/api/quotes/history/BTCUSD?limit=300").body).size(), 300U);
      }
    });
  }
}

TEST_F(LibraryApiTest, AfterStopWhatIsInMemoryIsStillAnswered) {
  send("BTCUSD", 100);
  pipeline_->stop();
  EXPECT_EQ(get("/api/quotes/latest/BTCUSD").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/api/quotes/history/BTCUSD?limit=5000").status, 503);  // its threads are gone
  EXPECT_EQ(post("/api/ingest", "{}").status, 503);
}

TEST_F(LibraryApiTest, BeforeStartReadsAreAnsweredAndPostsAreNot) {
  PipelineConfig config = config_;
  config.data_dir = folder_ / "another";
  config.http.enabled = false;
  Pipeline pipeline(config);
  ApiHandler api(pipeline);
  EXPECT_EQ(api.handle({.target = "/api/symbols"}).status, 200);
  EXPECT_EQ(api.handle({.target = "/readyz"}).status, 503);
  EXPECT_EQ(api.handle({.method = "POST", .target = "/api/ingest", .body = "{}"}).status, 503);
  EXPECT_EQ(api.handle({.target = "/api/quotes/stream?symbol=A"}).status, 503);
}

TEST(LibraryApiPathsTest, AreThoseOfTheApi) {
  for (const char* const path : {"/api/symbols", "/api/symbols?a=b", "/api/quotes/latest/BTCUSD", "/api/quotes/stream",
                                 "/api/ohlc/BTCUSD?timeframe=1m", "/healthz", "/metrics", "/admin/pipeline/cleanup"}) {
    EXPECT_TRUE(ApiHandler::is_api_path(path)) << path;
  }
  for (const char* const path : {"/", "/ws", "/ws/ingest", "/api", "/api/orders", "/index.html", "", "/healthzz"}) {
    EXPECT_FALSE(ApiHandler::is_api_path(path)) << path;
  }
}

}  // namespace
}  // namespace tickpipe::testing
