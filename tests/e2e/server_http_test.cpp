// What the server as a whole says to browsers of other sites, and to a client that tries everything its description
// allows and much that it does not.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/timestamp_text.h"
#include "support/server_fixture.h"
#include "support/yaml_subset.h"
#include "unit/ingest/hostile_lines.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

class ServerHttpTest : public ServerTest {};

constexpr const char* kQuote = R"({"symbol":"EURUSD","bid":1.1,"ask":1.2})";
constexpr const char* kJsonType = "Content-Type: application/json\r\n";

void expect_problem(const HttpReply& reply, int status) {
  EXPECT_EQ(reply.status, status) << reply.head << "\n" << reply.body;
  EXPECT_EQ(reply.header("content-type"), "application/problem+json");
  const auto problem = Json::parse(reply.body, nullptr, false);
  ASSERT_TRUE(problem.is_object()) << reply.body;
  EXPECT_EQ(problem["status"], status);
  for (const char* member : {"type", "title", "detail", "code"}) EXPECT_TRUE(problem[member].is_string()) << problem;
}

TEST_F(ServerHttpTest, OtherSitesMayReadAndNothingElse) {
  const auto server = serve();
  const std::string evil = "Origin: http://evil.example\r\n";
  const auto read = server->get("/api/symbols", evil);
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.header("access-control-allow-origin"), "*");

  for (const std::string& origin :
       {evil, std::string("Origin: null\r\n"), std::string("Origin: http://localhost.evil\r\n"),
        std::string("Origin: https://localhost\r\n")}) {
    for (const char* target : {"/api/ingest", "/admin/pipeline/cleanup"}) {
      const auto refused = server->post(target, kQuote, origin + kJsonType);
      expect_problem(refused, 403);
      EXPECT_EQ(refused.header("access-control-allow-origin"), "") << origin;
    }
  }
  const auto preflight = server->connect().ask(
      "OPTIONS /api/ingest HTTP/1.1\r\nHost: localhost\r\n" + evil +
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n");
  ASSERT_TRUE(preflight);
  EXPECT_TRUE(preflight->header("access-control-allow-origin").empty() ||
              preflight->header("access-control-allow-methods").find("POST") == std::string::npos)
      << preflight->head;
  EXPECT_EQ(preflight->header("access-control-allow-headers").find("content-type"), std::string::npos);

  const std::string own = "Origin: http://localhost:" + std::to_string(server->port()) + "\r\n";
  const auto from_own_page = server->connect().ask(
      "POST /api/ingest HTTP/1.1\r\nHost: localhost:" + std::to_string(server->port()) + "\r\n" + own + kJsonType +
      "Content-Length: " + std::to_string(std::string(kQuote).size()) + "\r\n\r\n" + kQuote);
  ASSERT_TRUE(from_own_page);
  EXPECT_EQ(from_own_page->status, 200) << from_own_page->body;
  EXPECT_EQ(server->json("/api/symbols")[0]["tick_count"], 1) << "only the one from its own page came in";
  server->stop();
}

TEST_F(ServerHttpTest, OnlyLoopbackNamesAreItsHost) {
  const auto server = serve();
  const auto ask = [&server](const std::string& host) {
    return server->connect().ask("GET /api/symbols HTTP/1.1\r\nHost: " + host + "\r\n\r\n").value_or(HttpReply{});
  };
  for (const char* host : {"localhost", "LOCALHOST:7999", "127.0.0.1", "127.1.2.3:80", "[::1]:7999", "app.localhost"}) {
    EXPECT_EQ(ask(host).status, 200) << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.1", "0.0.0.0",
                           "[::2]", "evillocalhost"}) {
    expect_problem(ask(host), 403);
  }
  server->stop();
}

TEST_F(ServerHttpTest, ABodyNeedsItsContentType) {
  const auto server = serve();
  for (const char* type :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data\r\n", "Content-Type: application/json; charset=latin1\r\n",
        "Content-Type: application/jsonx\r\n"}) {
    expect_problem(server->post("/api/ingest", kQuote, type), 415);
    expect_problem(server->post("/admin/pipeline/cleanup", "{}", type), 415);
  }
  EXPECT_EQ(server->json("/api/pipeline/stats")["ticks_received"], 0);
  for (const char* type : {"application/json", "Application/JSON; charset=UTF-8", "application/x-ndjson"}) {
    EXPECT_EQ(server->post("/api/ingest", kQuote, "Content-Type: " + std::string(type) + "\r\n").status, 200) << type;
  }
  EXPECT_EQ(server->post("/admin/pipeline/cleanup", "").status, 200);
  server->stop();
}

TEST_F(ServerHttpTest, ABodyThatIsTooLongIs413AndNothingOfItIsTaken) {
  const auto server = serve({}, {"TICKPIPE_HTTP__MAX_BODY_BYTES=65536"});
  std::string body;
  while (body.size() <= 65536) body += std::string(kQuote) + "\n";
  expect_problem(server->post("/api/ingest", body), 413);
  HttpClient chunked = server->connect();
  chunked.send(
      "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n10000\r\n" +
      body.substr(0, 0x10000) + "\r\n10\r\n");
  const auto reply = chunked.read();
  ASSERT_TRUE(reply);
  expect_problem(*reply, 413);
  EXPECT_EQ(server->json("/api/pipeline/stats")["ticks_received"], 0);
  server->stop();
}

TEST_F(ServerHttpTest, AllConnectionsTakenIsToldAndEndsWhenOneIsFree) {
  const auto server = serve({}, {"TICKPIPE_HTTP__MAX_CONNECTIONS=10"});
  std::vector<HttpClient> taken;
  ASSERT_TRUE(eventually([&] {
    taken.push_back(server->connect());
    const auto reply = taken.back().get("/healthz");
    return reply && reply->status == 503;
  }));
  EXPECT_GE(taken.size(), 10U);
  taken.clear();
  EXPECT_TRUE(eventually([&] { return server->get("/healthz").status == 200; }));
  server->stop();
}

/// Makes requests around what the description says.
class Fuzzer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::string headers;
    std::string body;
    bool is_plain = true;  ///< a documented method, host and head: only documented answers may come
  };

  Fuzzer(const Json& api, std::uint64_t seed) : api_(api), random_(seed), lines_(seed) {}

  Request next(const std::string& path, const Json& methods) {
    Request out;
    const bool is_post = methods.contains("post");
    out.method = is_post ? "POST" : "GET";
    const Json& operation = methods[is_post ? "post" : "get"];
    std::string query;
    out.target = path;
    for (const Json& given : operation.value("parameters", Json::array())) {
      const Json& parameter = resolved(given);
      const std::string name = parameter["name"];
      if (parameter["in"] == "path") {
        out.target.replace(out.target.find('{'), name.size() + 2, symbol_in_path());
        continue;
      }
      if (chance(parameter.value("required", false) ? 90 : 40)) add(query, name, value_of(name));
      if (chance(2)) add(query, name, value_of(name));
    }
    if (chance(5)) add(query, pick({"x", "Limit", "limit", "from%00", "", "%66rom", "a[]"}), value_of("limit"));
    if (chance(2)) query += pick({"&", "&&", "=", "%", "?", "%zz", "+"});
    if (!query.empty() || chance(2)) out.target += "?" + query;

    if (is_post ? chance(90) : chance(3)) out.body = path == "/api/ingest" ? body() : pick({"{}", "[]", "x", " "});
    if (is_post || chance(3)) {
      out.headers += "Content-Type: " +
                     pick({"application/json", "application/json", "application/x-ndjson",
                           "application/json; charset=utf-8", "text/plain", ""}) +
                     "\r\n";
    }
    if (chance(30)) {
      out.headers +=
          "Accept-Encoding: " + pick({"gzip", "gzip;q=0", "br, gzip;q=0.5", "*", "identity", ",,;q="}) + "\r\n";
    }
    if (chance(5)) out.headers += "Accept: " + pick({"*/*", "text/html", "nonsense"}) + "\r\n";
    if (chance(3)) out.headers += "X-Long: " + std::string(random_() % 6'000, 'a') + "\r\n";
    if (chance(3)) out.headers += "Last-Event-ID: 7\r\nRange: bytes=0-1\r\nIf-None-Match: *\r\n";
    if (!is_post && chance(5)) out.method = "HEAD";
    if (chance(6)) {
      out.is_plain = false;
      switch (random_() % 5) {
        case 0:
          out.method = pick({"PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "get", "FOO", is_post ? "GET" : "POST"});
          break;
        case 1:
          out.headers += "Origin: " + pick({"http://evil.example", "null", "http://localhost", "x"}) + "\r\n";
          break;
        case 2:
          out.headers += pick({"Content-Encoding: gzip\r\n", "Expect: 100-continue\r\n", "Expect: nonsense\r\n",
                               "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Transfer-Encoding: gzip\r\n",
                               "Host: again\r\n", "Bad Name: x\r\n", "X: \x01\r\n", "Content-Length: x\r\n"});
          break;
        case 3:
          out.target += pick({"/", "//", "/../x", "%2e%2e", "\\", ";a", "#f", "%00", "/x", "\xff"});
          break;
        default:
          out.target = pick({"", "/", "http://localhost/api/symbols", "*", "//api", "/API/symbols"}) + out.target;
      }
    }
    return out;
  }

 private:
  bool chance(std::uint64_t percent) { return random_() % 100 < percent; }
  std::string pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + random_() % choices.size());
  }

  const Json& resolved(const Json& given) const {
    if (!given.contains("$ref")) return given;
    return api_.at(Json::json_pointer(given["$ref"].get<std::string>().substr(1)));
  }
  static void add(std::string& query, const std::string& name, const std::string& value) {
    query += (query.empty() ? "" : "&") + name + "=" + value;
  }

  std::string symbol() { return pick({"EURUSD", "btcusd", "XAUUSD", "USDJPY", "EURUSD", "NOPE", "A", "EUR-USD"}); }
  std::string symbol_in_path() {
    if (chance(85)) return symbol();
    return pick({"EUR%2FUSD", "EUR%2fUSD", "A%3AB", "A:B", "A..B", "%2F", "-A", "A%2F%2FB", "%E2%82%AC", "%00", "%",
                 "THIS-SYMBOL-IS-FAR-TOO-LONG-TO-BE-ONE", "%41", "A+B", "A%20B"});
  }
  std::string time() {
    const std::int64_t ns = wall_clock().ns - static_cast<std::int64_t>(random_() % 4'000) * kNanosPerSecond;
    switch (random_() % 6) {
      case 0:
        return std::to_string(ns);
      case 1:
        return std::to_string(ns / kNanosPerMilli);
      case 2:
        return std::to_string(ns / kNanosPerSecond) + ".5";
      case 3:
        return format_rfc3339({ns}, static_cast<int>(random_() % 10));
      case 4:
        return pick({"2026-01-15T22:00:00%2B05:30", "2026-01-15T22:00:00+05:30", "2026-01-15%2022:00:00",
                     "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"});
      default:
        return pick({"0", "-1", "1e18", "now", "2026-13-45", "", "99999999999999999999999", "NaN", "%00"});
    }
  }
  std::string value_of(const std::string& name) {
    if (chance(4)) return pick({"", "%00", "%ff", "null", "'", "%3Cscript%3E", "1;2", "a,b"});
    if (name == "limit") {
      return pick({"1", "2", "10", "100", "1000", "10000", "0", "10001", "-1", "1.5", "1e2", "abc", "0x10", "+5",
                   "99999999999999999999"});
    }
    if (name == "from" || name == "to") return time();
    if (name == "order") return pick({"asc", "desc", "asc", "desc", "ASC", "up"});
    if (name == "timeframe")
      return pick({"1m", "5m", "15m", "1h", "4h", "1d", "M1", "H4", "D1", "7m", "1M", "60s", "1w"});
    if (name == "closed" || name == "historical") return pick({"true", "false", "true", "false", "1", "TRUE"});
    if (name == "fill") return pick({"none", "prev", "prev", "next"});
    if (name == "symbol") return chance(90) ? symbol() : pick({"EUR/USD", "A:B", "..", "%2F", "*"});
    if (name == "cursor") return pick({"x", "AAAA", "eyJ9", "0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"});
    return "x";
  }
  std::string body() {
    const bool is_array = chance(40);
    std::string text = is_array ? "[" : "";
    for (std::uint64_t n = random_() % 6; n > 0; --n) {
      if (text.size() > 1) text += is_array ? "," : "\n";
      text += chance(50) ? lines_.next()
                         : R"({"symbol":"FUZZ)" + std::to_string(random_() % 20) +
                               R"(","bid":1.1,"ask":"1.2","timestamp":")" + format_rfc3339(wall_clock(), 9) + "\"}";
    }
    if (is_array && !chance(5)) text += "]";
    return text;
  }

  const Json& api_;
  std::mt19937_64 random_;
  HostileLines lines_;
};

TEST_F(ServerHttpTest, AFuzzingClientGetsDocumentedAnswersOnly) {
  const Json api = YamlSubset::parse(read_file(TICKPIPE_SOURCE_DIR "/docs/openapi.yaml"));
  const auto server = serve_with(R"({"feeds":[{"type":"sim","rate":2000,"sessions":false,"fill":"10m"}]})");
  ASSERT_EQ(server->get("/openapi.yaml").body, read_file(TICKPIPE_SOURCE_DIR "/docs/openapi.yaml"));
  ASSERT_TRUE(eventually([&] { return server->json("/api/quotes/latest").size() == 50; }));
  constexpr int kThreads = 4;
  constexpr int kPerRouteAndThread = 500;
  std::mutex mutex;
  std::map<std::string, std::map<int, int>> answers;
  std::vector<std::jthread> clients;
  for (int t = 0; t < kThreads; ++t) {
    clients.emplace_back([&, t] {
      Fuzzer fuzzer(api, static_cast<std::uint64_t>(t) + 1);
      std::optional<HttpClient> client;
      std::map<std::string, std::map<int, int>> mine;
      for (int i = 0; i < kPerRouteAndThread && !HasFailure(); ++i) {
        for (const auto& [path, methods] : api["paths"].items()) {
          if (path == "/api/quotes/stream") continue;  // its answer has no end
          const Fuzzer::Request request = fuzzer.next(path, methods);
          const std::string bytes = request.method + " " + request.target + " HTTP/1.1\r\nHost: localhost\r\n" +
                                    request.headers +
                                    (request.body.empty() && request.method == "GET"
                                         ? ""
                                         : "Content-Length: " + std::to_string(request.body.size()) + "\r\n") +
                                    "\r\n" + request.body;
          std::optional<HttpReply> reply;
          for (int attempt = 0; attempt < 2 && !reply; ++attempt) {
            if (attempt != 0 || !client || client->is_readable()) {  // readable with nothing asked: it was ended
              client.reset();
              client.emplace(server->connect());
            }
            reply = client->ask(bytes, request.method != "HEAD");
            while (reply && reply->status < 200) reply = client->read(request.method != "HEAD");
          }
          ASSERT_TRUE(reply) << "no answer to\n" << bytes;
          if (reply->header("connection") == "close" || !request.is_plain) client.reset();
          const int status = reply->status;
          ++mine[path][status];
          ASSERT_NE(status, 500) << bytes << "\n" << reply->body;
          const std::string shown = bytes.substr(0, 600) + "\n->\n" + reply->head + "\n" + reply->body.substr(0, 400);
          if (status >= 400) {
            ASSERT_EQ(reply->header("content-type"), "application/problem+json") << shown;
            if (reply->header("content-encoding").empty() && request.method != "HEAD") {
              const Json problem = Json::parse(reply->body, nullptr, false);
              ASSERT_TRUE(problem.is_object() && problem["status"] == status && problem["code"].is_string()) << shown;
            }
          }
          if (status == 405) {
            ASSERT_FALSE(reply->header("allow").empty()) << shown;
          }
          if (reply->header("content-encoding") == "gzip" && request.method != "HEAD") {
            ASSERT_TRUE(reply->body.starts_with("\x1f\x8b")) << shown;
          }
          if (request.is_plain) {
            const Json& responses = methods.begin().value()["responses"];
            ASSERT_TRUE(responses.contains(std::to_string(status))) << "not documented: " << shown;
            if (status == 200 && reply->header("content-encoding").empty() && request.method != "HEAD") {
              const std::string type = reply->header("content-type");
              if (type == "application/json") {
                ASSERT_TRUE(Json::accept(reply->body)) << shown;
              }
            }
          } else {
            ASSERT_LT(status, 506) << shown;
          }
        }
      }
      const std::lock_guard lock(mutex);
      for (const auto& [path, counts] : mine) {
        for (const auto& [status, count] : counts) answers[path][status] += count;
      }
    });
  }
  clients.clear();
  if (HasFailure()) return;
  for (const auto& [path, counts] : answers) {
    const bool is_websocket = path.starts_with("/ws");  // without the headers of a handshake it is always refused
    const int good = path == "/" ? 302 : 200;
    EXPECT_TRUE(is_websocket || counts.contains(good)) << path << " was never answered";
    EXPECT_TRUE(counts.contains(400)) << path << " refused nothing";
  }
  const auto stats = server->json("/api/pipeline/stats");
  EXPECT_GT(stats["ticks_processed"], 1'000);
  EXPECT_EQ(server->get("/healthz").status, 200);
  EXPECT_EQ(server->json("/api/pipeline/health")["overall_status"], "healthy");
  server->stop();
  for (const std::string& line : lines_of(server->log())) EXPECT_EQ(line.find(" ERROR "), std::string::npos) << line;
}

}  // namespace
}  // namespace tickpipe::internal::testing
