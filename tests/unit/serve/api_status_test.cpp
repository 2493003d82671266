#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "support/api_fakes.h"

namespace tickpipe::internal {
namespace {

using testing::ApiTest;
using testing::at;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ApiStatusTest : public ApiTest {
 protected:
  ApiStatusTest() {
    SystemStats& stats = status_.system_stats;
    stats.version = "1.2.3";
    stats.epoch = "epoch-1";
    stats.uptime = std::chrono::milliseconds{1500};
    stats.received = 100;
    stats.processed = 80;
    stats.dropped = 3;
    stats.in_flight = 2;
    stats.refused[index_of(Reason::kDuplicate)] = 10;
    stats.refused[index_of(Reason::kCrossed)] = 5;
    stats.tick = {7, std::chrono::microseconds{150}, std::chrono::microseconds{100}, std::chrono::microseconds{900},
                  std::chrono::nanoseconds{1'234'567}};
    stats.queues = {{"shard-0", 4, 10'000}};
    stats.cpu_seconds = 2.5;
    stats.resident_bytes = 1 << 20;
    stats.workers = 4;
    status_.report.components = {{"ingester", HealthState::kHealthy, "", {{"queue_depth", 4}}},
                                 {"storage", HealthState::kDegraded, "disk \"full\"\n", {}}};
    status_.report.feeds = {{"replay:a\\b.csv", FeedState::kEnded, ""}, {"sim", FeedState::kLive, "x"}};
    status_.report.uptime = std::chrono::seconds{90};
  }
};

TEST_F(ApiStatusTest, HealthSaysWhatTheSystemSays) {
  status_.report.overall = HealthState::kDegraded;
  const auto health = get_json("/api/pipeline/health");
  EXPECT_EQ(health.at("overall_status"), "degraded");
  EXPECT_EQ(health.at("timestamp"), "2026-01-15T22:00:05.000000000Z");
  EXPECT_EQ(health.at("uptime_seconds"), 90);
  EXPECT_EQ(health.at("components").at("ingester"), nlohmann::json({{"status", "healthy"}, {"queue_depth", 4}}));
  EXPECT_EQ(health.at("components").at("storage"),
            nlohmann::json({{"status", "degraded"}, {"detail", "disk \"full\"\n"}}));
  EXPECT_EQ(health.at("feeds").at(0), nlohmann::json({{"name", "replay:a\\b.csv"}, {"state", "ended"}}));
  EXPECT_EQ(health.at("feeds").at(1).at("detail"), "x");
}

TEST_F(ApiStatusTest, OnlyUnhealthyIs503AndStillTellsWhy) {
  status_.report.overall = HealthState::kUnhealthy;
  const HttpResponse response = get("/api/pipeline/health");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(nlohmann::json::parse(response.body).at("components").size(), 2u);
  status_.report = {};
  EXPECT_EQ(get_json("/api/pipeline/health").at("components"), nlohmann::json::object());
}

TEST_F(ApiStatusTest, StatsHaveEveryNameAndAddUp) {
  const auto stats = get_json("/api/pipeline/stats");
  for (const char* name : {"ticks_received",
                           "ticks_processed",
                           "ticks_dropped",
                           "ticks_duplicate",
                           "ticks_out_of_order",
                           "ticks_invalid",
                           "ohlc_bars_generated",
                           "quotes_distributed",
                           "clients_connected",
                           "avg_tick_latency_ms",
                           "avg_ohlc_latency_ms",
                           "avg_distribution_latency_ms",
                           "stale_feeds_detected",
                           "abnormal_spikes_detected",
                           "tick_latency_p50_ms",
                           "tick_latency_p99_ms",
                           "tick_latency_max_ms",
                           "ohlc_latency_p50_ms",
                           "ohlc_latency_p99_ms",
                           "ohlc_latency_max_ms",
                           "distribution_latency_p50_ms",
                           "distribution_latency_p99_ms",
                           "distribution_latency_max_ms",
                           "ticks_in_flight",
                           "ticks_late_for_bars",
                           "uptime_seconds",
                           "memory_bytes",
                           "cpu_seconds",
                           "workers",
                           "commits",
                           "symbols"}) {
    ASSERT_TRUE(stats.contains(name)) << name;
    EXPECT_TRUE(stats.at(name).is_number()) << name;
  }
  EXPECT_TRUE(stats.at("last_tick_time").is_null());
  EXPECT_EQ(stats.at("version"), "1.2.3");
  EXPECT_EQ(stats.at("ticks_duplicate"), 10);
  EXPECT_EQ(stats.at("ticks_invalid"), 5);
  EXPECT_EQ(stats.at("refused_crossed"), 5);
  EXPECT_EQ(stats.at("refused_duplicate"), 10);
  EXPECT_EQ(stats.at("queue_shard_0_depth"), 4);
  EXPECT_EQ(stats.at("queue_shard_0_capacity"), 10'000);
  EXPECT_EQ(stats.at("avg_tick_latency_ms"), 0.15);
  EXPECT_EQ(stats.at("tick_latency_max_ms"), 1.234567);
  EXPECT_EQ(stats.at("uptime_seconds"), 1.5);
  EXPECT_EQ(stats.at("cpu_seconds"), 2.5);
  EXPECT_EQ(stats.at("ticks_received"), 80 + 10 + 5 + 3 + 2);
  for (const auto& [name, value] : stats.items()) EXPECT_TRUE(value.is_primitive()) << name;
  status_.system_stats.last_tick_time = at("2026-01-15T22:00:00Z");
  EXPECT_EQ(get_json("/api/pipeline/stats").at("last_tick_time"), "2026-01-15T22:00:00.000000000Z");
}

TEST_F(ApiStatusTest, FeedHealthBySymbolAndLp) {
  SymbolHealth euro;
  euro.symbol = eurusd_;
  euro.last_tick_time = at("2026-01-15T21:59:00Z");
  euro.tick_count = 9;
  euro.is_stale = true;
  euro.stale_for = std::chrono::milliseconds{65'250};
  euro.state = FeedHealthState::kStale;
  euro.lps = {{lp1_, euro.last_tick_time, 9, true, euro.stale_for, FeedHealthState::kDown}};
  SymbolHealth gold;
  gold.symbol = gold_;
  gold.state = FeedHealthState::kClosed;
  status_.feeds = {gold, euro};
  const HttpResponse response = get("/api/pipeline/feed-health");
  EXPECT_THAT(response.body,
              StartsWith(R"({"EURUSD":{"symbol":"EURUSD","last_tick_time":"2026-01-15T21:59:00.000000000Z",)"
                         R"("tick_count":9,"is_stale":true,"stale_seconds":65.25,"status":"stale","lps":{"LP1":{)"));
  const auto health = nlohmann::json::parse(response.body);
  EXPECT_EQ(health.at("EURUSD").at("lps").at("LP1").at("status"), "down");
  EXPECT_EQ(health.at("XAU/USD").at("last_tick_time"), nullptr);
  EXPECT_EQ(health.at("XAU/USD").at("lps"), nlohmann::json::object());
  status_.feeds.clear();
  EXPECT_EQ(get("/api/pipeline/feed-health").body, "{}");
}

TEST_F(ApiStatusTest, LivenessAndReadiness) {
  EXPECT_EQ(get("/readyz").body, R"({"status":"ready"})");
  status_.ready = Readiness::kStarting;
  EXPECT_EQ(problem_of(get("/readyz")), "503 starting");
  status_.ready = Readiness::kDraining;
  EXPECT_EQ(problem_of(get("/readyz")), "503 draining");
  EXPECT_EQ(get("/healthz").body, R"({"status":"ok"})");
  add_tick(eurusd_, "2026-01-15T22:00:00Z", "1", "2");
  EXPECT_EQ(get("/api/quotes/latest/EURUSD").status, 200);
}

TEST_F(ApiStatusTest, MetricsAreInThePrometheusFormat) {
  const HttpResponse response = get("/metrics");
  EXPECT_THAT(std::string(response.content_type), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(response.body,
              HasSubstr("# TYPE tickpipe_ticks_received_total counter\ntickpipe_ticks_received_total 100\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_ticks_refused_total{reason=\"crossed\"} 5\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_stage_latency_seconds{stage=\"tick\",quantile=\"0.99\"} 0.0009\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_stage_latency_seconds_count{stage=\"tick\"} 7\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_component_status{component=\"storage\",status=\"degraded\"} 1\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_feed_up{feed=\"replay:a\\\\b.csv\"} 0\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_queue_depth{queue=\"shard-0\"} 4\n"));
  EXPECT_THAT(response.body, HasSubstr("tickpipe_cpu_seconds_total 2.5\n"));
  // Every sample belongs to the family above it, and every family is there once with HELP and TYPE.
  std::istringstream lines(response.body);
  std::string line;
  std::string family;
  std::set<std::string> families;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << line;
      std::getline(lines, line);
      EXPECT_THAT(line, StartsWith("# TYPE " + family + " "));
      EXPECT_EQ(family.ends_with("_total") || family.ends_with("_count"), line.ends_with(" counter")) << line;
      continue;
    }
    EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), family);
    const std::string value = line.substr(line.rfind(' ') + 1);
    EXPECT_TRUE(nlohmann::json::accept(value)) << line;
  }
  EXPECT_GT(families.size(), 25u);
  EXPECT_TRUE(response.body.ends_with('\n'));
}

TEST_F(ApiStatusTest, TheDescriptionAndThePage) {
  const HttpResponse description = get("/openapi.yaml");
  EXPECT_EQ(description.content_type, "application/yaml");
  EXPECT_THAT(description.body, StartsWith("openapi: 3"));
  const HttpResponse page = get("/docs");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("/openapi.yaml"));
  EXPECT_EQ(page.body.find("src="), std::string::npos);
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
  EXPECT_THAT(header(page, "Content-Security-Policy"), StartsWith("default-src 'none'; script-src 'sha256-"));
  const HttpResponse root = get("/");
  EXPECT_EQ(root.status, 302);
  EXPECT_EQ(header(root, "Location"), "/docs");
}

TEST_F(ApiStatusTest, MethodsAndPaths) {
  EXPECT_EQ(get("/healthz", HttpMethod::kHead).status, 200);
  const HttpResponse wrong = get("/healthz", HttpMethod::kPost);
  EXPECT_EQ(problem_of(wrong), "405 method_not_allowed");
  EXPECT_EQ(header(wrong, "Allow"), "GET, HEAD, OPTIONS");
  for (const auto method : {HttpMethod::kGet, HttpMethod::kHead, HttpMethod::kDelete, HttpMethod::kPut,
                            HttpMethod::kPatch, HttpMethod::kOther}) {
    EXPECT_EQ(header(get("/api/ingest?x=1", method), "Allow"), "POST, OPTIONS");
  }
  const HttpResponse options = get("/api/ohlc/ANY?x=1", HttpMethod::kOptions);
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.body, "");
  EXPECT_EQ(header(options, "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(get("*", HttpMethod::kOptions).status, 204);
  EXPECT_EQ(problem_of(get("/nothing", HttpMethod::kOptions)), "404 not_found");
  for (const char* path : {"", "*", "/healthz/", "//healthz", "/HEALTHZ", "/api", "/api/", "/api/ohlc", "/api/ohlc/",
                           "/%68ealthz", "/api/../healthz", "/docs/", "http://x/healthz", "/%zz", "/api/ohlc/A/B/C"}) {
    EXPECT_EQ(problem_of(get(path)), "404 not_found") << path;
  }
  // This API has no hub to stream from.
  for (const char* path :
       {"/api/quotes/stream?symbol=EURUSD", "/api/pipeline/alerts", "/ws", "/ws/ingest", "/api/ticket"}) {
    EXPECT_EQ(problem_of(get(path)), "404 not_in_this_build") << path;
  }
  EXPECT_EQ(problem_of(get("/api/quotes/stream")), "400 missing_parameter");
  EXPECT_EQ(problem_of(get("/healthz?verbose=1")), "400 unknown_parameter");
}

}  // namespace
}  // namespace tickpipe::internal
