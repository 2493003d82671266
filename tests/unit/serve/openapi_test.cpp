// docs/openapi.yaml against what the API really is: its table of routes, its answers, and random requests.

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include "serve/api_docs.h"
#include "support/api_fakes.h"
#include "support/yaml_subset.h"

namespace tickpipe::internal {
namespace {

using nlohmann::json;
using testing::ApiTest;
using testing::at;
using testing::YamlSubset;

class OpenApiTest : public ApiTest {
 protected:
  const json api_ = YamlSubset::parse(openapi_text());

  const json& resolve(const json& node) const {
    if (!node.contains("$ref")) return node;
    return resolve(api_.at(json::json_pointer(node.at("$ref").get<std::string>().substr(1))));
  }
  static std::string method_of(const Route& route) { return route.method == HttpMethod::kPost ? "post" : "get"; }

  std::set<std::string> parameters_of(const json& operation, const std::string& where) const {
    std::set<std::string> names;
    const json parameters = operation.value("parameters", json::array());
    for (const auto& reference : parameters) {
      const json& parameter = resolve(reference);
      EXPECT_TRUE(parameter.contains("schema"));
      EXPECT_TRUE(parameter.contains("description"));
      if (parameter.at("in") == where) names.insert(parameter.at("name"));
    }
    return names;
  }
  static std::set<int> statuses_of(const json& operation) {
    std::set<int> statuses;
    for (const auto& [status, response] : operation.at("responses").items()) {
      if (status != "default") statuses.insert(std::stoi(status));
    }
    return statuses;
  }
};

TEST_F(OpenApiTest, WhatIsCompiledInIsTheFile) {
  std::ifstream file(TICKPIPE_SOURCE_DIR "/docs/openapi.yaml", std::ios::binary);
  EXPECT_EQ(openapi_text(), std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()));
}

TEST_F(OpenApiTest, DescribesEveryRouteAndNoOther) {
  std::set<std::string> described;
  for (const auto& [path, methods] : api_.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) described.insert(method + " " + path);
  }
  std::set<std::string> routes;
  for (const Route& route : Api::routes()) routes.insert(method_of(route) + " " + std::string(route.path));
  EXPECT_EQ(routes.size(), Api::routes().size());
  EXPECT_EQ(described, routes);
}

TEST_F(OpenApiTest, ParametersAreThoseOfTheRoutes) {
  for (const Route& route : Api::routes()) {
    SCOPED_TRACE(route.path);
    const json& operation = api_.at("paths").at(std::string(route.path)).at(method_of(route));
    std::set<std::string> parameters;
    for (std::string_view name : route.parameters) {
      if (name.ends_with('*')) name.remove_suffix(1);  // may be repeated
      parameters.emplace(name);
    }
    EXPECT_EQ(parameters_of(operation, "query"), parameters);
    const bool has_symbol = route.path.find("{symbol}") != std::string_view::npos;
    EXPECT_EQ(parameters_of(operation, "path"), has_symbol ? std::set<std::string>{"symbol"} : std::set<std::string>{});
    EXPECT_LE(route.parameters.size(), Query::kMaxParameters);
  }
}

TEST_F(OpenApiTest, StatusesAreThoseOfTheRoutes) {
  for (const Route& route : Api::routes()) {
    SCOPED_TRACE(route.path);
    const json& operation = api_.at("paths").at(std::string(route.path)).at(method_of(route));
    auto described = statuses_of(operation);
    EXPECT_EQ(described.erase(413), route.path == "/api/ingest" ? 1u : 0u);  // by the transport
    EXPECT_EQ(described, std::set<int>(route.statuses.begin(), route.statuses.end()));
    EXPECT_TRUE(operation.at("responses").contains("default"));
    for (const auto& [status, reference] : operation.at("responses").items()) {
      const json& response = resolve(reference);
      EXPECT_TRUE(response.contains("description")) << status;
      if (status == "101") continue;  // what follows is not HTTP
      for (const auto& [type, content] : response.at("content").items())
        EXPECT_TRUE(content.contains("schema")) << type;
    }
  }
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::size_t count = 0;
  const std::function<void(const json&)> visit = [&](const json& node) {
    if (node.is_object() && node.contains("$ref")) {
      ++count;
      EXPECT_NO_THROW(EXPECT_TRUE(resolve(node).is_object())) << node;
      return;
    }
    if (node.is_structured()) {
      for (const auto& child : node) visit(child);
    }
  };
  visit(api_);
  EXPECT_GT(count, 50u);
}

TEST_F(OpenApiTest, AnswersHaveTheDescribedMembers) {
  Tick& tick = add_tick(eurusd_, "2026-01-15T22:00:00Z", "1", "2");
  tick.bid_size = tick.ask_size = Quantity{1};
  add_bar(eurusd_, "2026-01-15T21:59:00Z", "1", false);
  market_.activities = {{eurusd_, 1, kNoTime, kNoTime, {}}};
  status_.feeds.emplace_back().lps.emplace_back();
  const auto members_of = [this](const std::string& name) {
    std::pair<std::set<std::string>, std::set<std::string>> required_and_all;
    const std::function<void(const json&)> add = [&](const json& schema) {
      const json parts = schema.value("allOf", json::array());
      for (const auto& part : parts) add(resolve(part));
      const json required = schema.value("required", json::array());
      for (const auto& member : required) required_and_all.first.insert(member);
      const json properties = schema.value("properties", json::object());
      for (const auto& [member, it] : properties.items()) required_and_all.second.insert(member);
    };
    add(api_.at("components").at("schemas").at(name));
    return required_and_all;
  };
  const auto check = [&](const json& value, const std::string& schema, bool is_open = false) {
    const auto [required, all] = members_of(schema);
    for (const auto& name : required) EXPECT_TRUE(value.contains(name)) << schema << " " << name;
    for (const auto& [name, it] : value.items()) EXPECT_TRUE(is_open || all.contains(name)) << schema << " " << name;
  };
  check(get_json("/api/quotes/latest/EURUSD"), "Quote");
  check(get_json("/api/quotes/history/EURUSD").at(0), "HistoryQuote");
  check(get_json("/api/ohlc/EURUSD").at(0), "Bar");
  check(get_json("/api/symbols").at(0), "KnownSymbol");
  check(get_json("/api/pipeline/health"), "Health");
  check(get_json("/api/pipeline/stats"), "Stats", true);
  check(get_json("/api/pipeline/feed-health").at("EURUSD"), "FeedHealth");
  check(get_json("/api/pipeline/feed-health").at("EURUSD").at("lps").at("LP1"), "LpHealth");
  check(json::parse(post("/api/ingest", "{}", "application/json").body), "IngestResult");
  door_.answer.outcome = IngestAnswer::Outcome::kBusy;
  check(json::parse(post("/api/ingest", "{}", "application/json").body), "IngestProblem");
  check(json::parse(get("/nothing").body), "Problem");
}

/// Makes requests out of pieces that are good, nearly good and rubbish.
class RandomRequests {
 public:
  explicit RandomRequests(std::uint64_t seed) : random_(seed) {
    for (const Route& route : Api::routes()) paths_.push_back(route.path);
  }

  HttpRequest next() {
    HttpRequest request;
    constexpr HttpMethod kMethods[] = {HttpMethod::kGet,  HttpMethod::kGet, HttpMethod::kGet,     HttpMethod::kHead,
                                       HttpMethod::kPost, HttpMethod::kPut, HttpMethod::kOptions, HttpMethod::kOther};
    request.method = kMethods[random_() % std::size(kMethods)];
    request.target = std::string(pick(paths_));
    if (const std::size_t symbol = request.target.find("{symbol}"); symbol != std::string::npos) {
      request.target.replace(symbol, 8, any(kSymbols));
    }
    if (request.target == "/api/ticks/" && random_() % 4 != 0) request.target += "?symbol=" + any(kSymbols);
    for (std::size_t i = random_() % 4; i > 0; --i) {
      request.target += request.target.find('?') == std::string::npos ? '?' : '&';
      request.target += std::string(pick(kNames)) + (random_() % 20 == 0 ? "" : "=") + any(kValues);
    }
    if (random_() % 10 == 0 && !request.target.empty()) {
      request.target[random_() % request.target.size()] = static_cast<char>(random_());
    }
    if (random_() % 2 == 0) request.body = any({"{}", "[", "{\"symbol\":1}", " "});
    request.content_type = any({"application/json", "application/x-ndjson", "text/plain", ""});
    return request;
  }

 private:
  using Texts = std::vector<std::string_view>;
  std::string_view pick(const Texts& texts) { return texts[random_() % texts.size()]; }
  std::string any(const Texts& texts) {
    if (random_() % 8 != 0) return std::string(pick(texts));
    std::string rubbish(random_() % 40, '\0');
    for (char& c : rubbish) c = static_cast<char>(random_());
    return rubbish;
  }

  std::mt19937_64 random_;
  Texts paths_;
  const Texts kSymbols = {"EURUSD", "eurusd", "XAU%2FUSD", "XAU/USD", "NOPE",  "%00",
                          "..",     "%2e%2E", "%",         "A%zz",    "latest"};
  const Texts kNames = {"limit",  "from", "to",         "order",  "cursor", "timeframe",
                        "closed", "fill", "historical", "symbol", "x",      "%6cimit"};
  const Texts kValues = {"1",
                         "100",
                         "10000",
                         "10001",
                         "0",
                         "-1",
                         "",
                         "asc",
                         "desc",
                         "prev",
                         "none",
                         "true",
                         "false",
                         "1m",
                         "5m",
                         "H1",
                         "7m",
                         "%zz",
                         "EURUSD",
                         "+",
                         "1768510800",
                         "2026-01-15T21:00:00Z",
                         "2026-01-15T21:00:00+02:00",
                         "1e300",
                         "99999999999999999999",
                         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
};

TEST_F(OpenApiTest, RandomRequestsGetDescribedAnswers) {
  for (int i = 0; i < 20; ++i) {
    add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
    add_tick(gold_, "2026-01-15T21:00:01Z", "1", "2");
  }
  add_bar(eurusd_, "2026-01-15T21:00:00Z", "1");
  add_bar(eurusd_, "2026-01-15T21:59:00Z", "2", false);
  RandomRequests requests(20'260'115);
  std::map<int, int> seen;
  for (int i = 0; i < 150'000; ++i) {
    HttpRequest request = requests.next();
    const std::string target = request.target;
    const HttpMethod method = request.method;
    const std::string path(request.raw_path());
    const HttpResponse response = send(std::move(request));
    ++seen[response.status];
    const RouteMatch match = find_route(Api::routes(), method, path);
    std::set<int> allowed;
    if (match.route != nullptr) {
      const json& operation = api_.at("paths").at(std::string(match.route->path)).at(method_of(*match.route));
      allowed = statuses_of(operation);
    } else if (match.path_is_known) {
      allowed = {method == HttpMethod::kOptions ? 204 : 405};
    } else {
      allowed = {404};
    }
    ASSERT_TRUE(allowed.contains(response.status)) << response.status << " for " << target;
    if (response.content_type.find("json") != std::string_view::npos) {
      ASSERT_TRUE(json::accept(response.body)) << target << "\n" << response.body;
    }
    if (response.status >= 400 && response.status != 503) {
      ASSERT_EQ(response.content_type, "application/problem+json") << target;
    }
  }
  for (const int status : {200, 204, 302, 400, 404, 405, 415}) EXPECT_GT(seen[status], 100) << status;
}

TEST(YamlSubsetTest, ReadsWhatTheDescriptionIsWrittenIn) {
  EXPECT_EQ(
      YamlSubset::parse("a: 1\nb:\n  - x: \"y: z\"\n    w: 'it, is'\n  - { p: [1, two, \"3\"], q: true }\n  - plain\n"
                        "\"c\": >-\n  folded\n  text: here\nd:\n"),
      json::parse(R"({"a":1,"b":[{"x":"y: z","w":"it, is"},{"p":[1,"two","3"],"q":true},"plain"],)"
                  R"("c":"folded text: here","d":null})"));
  for (const char* bad : {"a: 1\na: 2\n", "a: [1\n", "a: \"x\n", "just text\n", "a: 1\n   b: 2\n", "a: {b}\n"}) {
    EXPECT_THROW(YamlSubset::parse(bad), std::exception) << bad;
  }
}

}  // namespace
}  // namespace tickpipe::internal
