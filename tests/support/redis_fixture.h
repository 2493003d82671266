#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/timestamp_text.h"
#include "support/redis_server.h"
#include "support/server_fixture.h"

namespace tickpipe::internal::testing {

/// The real server with a real Redis.
class RedisTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (!RedisServer::is_installed()) GTEST_SKIP() << RedisServer::kMissing;
  }

  std::unique_ptr<RedisServer> start_redis(const std::string& name = "redis",
                                           std::vector<std::string> options = {"--save", "", "--appendonly", "no"}) {
    const std::string folder = folder_ / name;
    std::filesystem::create_directories(folder);
    return std::make_unique<RedisServer>(folder, std::move(options));
  }
  /// A server with three timeframes and a short hot tier, that writes to this Redis; `more` is further JSON members.
  std::unique_ptr<RunningServer> serve_to(const std::string& address, const std::string& more = "") {
    return serve_with(R"({"redis_addr":")" + address +
                      R"(","timeframes":["1s","5s","1m"],"hot_data_retention":100,"worker_count":2)" +
                      (more.empty() ? "" : "," + more) + "}");
  }

  static nlohmann::json redis_health(const RunningServer& server) {
    return nlohmann::json::parse(server.get("/api/pipeline/health").body, nullptr, false)["components"]["redis"];
  }
  /// Waits until Redis has everything that is committed, and all is well.
  static bool is_in_step(const RunningServer& server) {
    return eventually([&] {
      const auto health = redis_health(server);
      return health.is_object() && health["status"] == "healthy" && health["lag_commits"] == 0 && health["lag_ms"] == 0;
    });
  }

  /// The newest quotes of one symbol, ascending, as REST shows them, without what depends on the moment.
  static std::vector<std::string> quotes_of(const RunningServer& server, const std::string& symbol, int limit) {
    const auto reply =
        server.get("/api/quotes/history/" + as_path(symbol) + "?order=desc&limit=" + std::to_string(limit));
    std::vector<std::string> quotes = elements_of(reply.body);
    std::reverse(quotes.begin(), quotes.end());
    for (std::string& quote : quotes) quote = without_stale(quote);
    return quotes;
  }
  static std::string as_path(const std::string& symbol) {
    std::string path;
    for (const char c : symbol) path += c == '/' ? "%2F" : c == ':' ? "%3A" : std::string(1, c);
    return path;
  }
  static std::string without_stale(std::string quote) {
    for (const char* const member :
         {R"("stale":true,)", R"("stale":false,)", R"(,"stale":true)", R"(,"stale":false)"}) {
      const std::size_t at = quote.find(member);
      if (at != std::string::npos) return quote.erase(at, std::string(member).size());
    }
    return quote;
  }
  /// The objects of a JSON array, as they are written.
  static std::vector<std::string> elements_of(const std::string& array) {
    std::vector<std::string> elements;
    for (std::size_t at = array.find('{'); at != std::string::npos; at = array.find('{', at)) {
      const std::size_t end = array.find('}', at);
      elements.push_back(array.substr(at, end + 1 - at));
      at = end;
    }
    return elements;
  }

  /// Waits until all keys of the symbols say what REST says, each element to the letter.
  static void expect_keys_fit(const RunningServer& server, const RedisServer& redis,
                              const std::vector<std::string>& symbols, int kept = 100,
                              const std::vector<std::string>& timeframes = {"1s", "5s", "1m"}) {
    std::string difference;
    const bool do_fit = eventually([&] {
      difference = difference_of(server, redis, symbols, kept, timeframes);
      return difference.empty();
    });
    EXPECT_TRUE(do_fit) << difference << "\n" << redis_health(server).dump() << "\n" << server.log();
  }

 private:
  static std::string difference_of(const RunningServer& server, const RedisServer& redis,
                                   const std::vector<std::string>& symbols, int kept,
                                   const std::vector<std::string>& timeframes) {
    RedisClient client = redis.client();
    const auto stats = server.json("/api/pipeline/stats");
    const std::string epoch = client({"HGET", "tickpipe:sink", "epoch"}).text;
    if (epoch != stats["epoch"].get<std::string>()) return "another epoch: " + epoch;
    for (const std::string& symbol : symbols) {
      std::string difference = quotes_differ(server, client, symbol, kept);
      for (const std::string& timeframe : timeframes) difference += bars_differ(server, client, symbol, timeframe);
      if (!difference.empty()) return difference;
    }
    return {};
  }
  static std::string first_difference(const std::string& key, const std::vector<std::string>& found,
                                      const std::vector<std::string>& wanted) {
    if (found == wanted) return {};
    const auto [at, other] = std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end());
    return key + " has " + std::to_string(found.size()) + " members instead of " + std::to_string(wanted.size()) +
           "; first difference: " + (at == found.end() ? "nothing" : *at) + " instead of " +
           (other == wanted.end() ? "nothing" : *other) + "\n";
  }
  static std::string quotes_differ(const RunningServer& server, RedisClient& client, const std::string& symbol,
                                   int kept) {
    const std::string key = "ticks:" + symbol;
    const auto wanted = quotes_of(server, symbol, kept);
    const auto reply = client({"ZRANGE", key, "0", "-1", "WITHSCORES"});
    std::map<std::pair<std::string, long long>, std::string> by_place;  // as Redis orders one millisecond by text
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
      const std::string& quote = reply.elements[i].text;
      const auto json = nlohmann::json::parse(quote);
      const std::string time = json["timestamp"];
      by_place[{time, json["seq"]}] = quote;
      if (std::stoll(reply.elements[i + 1].text) != parse_timestamp(time).value_or(kNoTime).ns / kNanosPerMilli) {
        return "score " + reply.elements[i + 1].text + " of " + quote;
      }
    }
    std::vector<std::string> found;
    for (const auto& [place, quote] : by_place) found.push_back(quote);
    std::string difference = first_difference(key, found, wanted);
    const std::string latest_key = "tick:latest:" + symbol;
    difference += first_difference(latest_key, {client({"GET", latest_key}).text},
                                   {without_stale(server.get("/api/quotes/latest/" + as_path(symbol)).body)});
    const auto life = client({"TTL", latest_key}).integer;
    if (life < 3'000 || life > 3'600) difference += latest_key + " lives for " + std::to_string(life) + " s\n";
    return difference;
  }
  static std::string bars_differ(const RunningServer& server, RedisClient& client, const std::string& symbol,
                                 const std::string& timeframe) {
    const std::string key = "ohlc:" + symbol + ":" + timeframe;
    const auto wanted =
        elements_of(server.get("/api/ohlc/" + as_path(symbol) + "?limit=500&timeframe=" + timeframe).body);
    const auto reply = client({"ZRANGE", key, "0", "-1", "WITHSCORES"});
    std::vector<std::string> found;
    for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
      found.push_back(reply.elements[i].text);
      const auto time = parse_timestamp(nlohmann::json::parse(found.back())["open_time"].get<std::string>());
      if (std::stoll(reply.elements[i + 1].text) != time.value_or(kNoTime).ns / kNanosPerSecond) {
        return "score " + reply.elements[i + 1].text + " of " + found.back();
      }
    }
    std::string difference = first_difference(key, found, wanted);
    const auto life = client({"TTL", key}).integer;
    if (!found.empty() && (life < 29 * 86'400 || life > 30 * 86'400)) {
      difference += key + " lives for " + std::to_string(life) + " s\n";
    }
    return difference;
  }
};

}  // namespace tickpipe::internal::testing
