#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/decimal.h"
#include "core/error.h"
#include "core/timestamp_text.h"
#include "serve/api.h"

namespace tickpipe::internal::testing {

inline UnixNanos at(std::string_view text) { return parse_timestamp(text).value(); }
inline Price price(std::string_view text) { return {parse_decimal(text).units}; }

/// Market data in plain containers, read as the interface says.
class FakeMarket final : public MarketData {
 public:
  std::map<SymbolId, std::vector<Tick>> ticks_of;  ///< in order of seq
  std::map<std::pair<SymbolId, Timeframe>, std::vector<Bar>> bars_of;
  std::vector<SymbolActivity> activities;
  std::vector<Timeframe> configured{{std::chrono::minutes{1}}, {std::chrono::minutes{5}}, {std::chrono::hours{1}}};
  TradingCalendar calendar{"00:00 UTC"};
  bool is_in_memory = true;
  bool disk_fails = false;
  bool is_broken = false;
  mutable std::atomic<std::size_t> interval_calls{0};
  mutable std::atomic<std::size_t> reads{0};

  std::optional<Tick> latest(SymbolId symbol) const override {
    const auto it = ticks_of.find(symbol);
    if (it == ticks_of.end() || it->second.empty()) return std::nullopt;
    return it->second.back();
  }
  QuoteSnapshot snapshot(SymbolId symbol) const override {
    QuoteSnapshot snapshot;
    if (const auto tick = latest(symbol)) snapshot = {.latest = *tick, .newest_seq = tick->seq};
    return snapshot;
  }
  std::vector<SymbolActivity> activity() const override { return activities; }

  TickPage ticks(const TickQuery& query) const override {
    read();
    TickPage page;
    std::vector<Tick> found;
    page.max_seq = query.max_seq;
    if (const auto it = ticks_of.find(query.symbol); it != ticks_of.end()) {
      if (!it->second.empty()) page.max_seq = std::min(query.max_seq, it->second.back().seq);
      for (const Tick& tick : it->second) {
        if (tick.ts_event >= query.from && tick.ts_event < query.to && tick.seq <= query.max_seq) found.push_back(tick);
      }
    }
    const auto place = [](const Tick& tick) { return TickPlace{tick.ts_event, tick.seq}; };
    const auto before = [&](const TickPlace& a, const TickPlace& b) { return query.newest_first ? b < a : a < b; };
    std::sort(found.begin(), found.end(), [&](const Tick& a, const Tick& b) { return before(place(a), place(b)); });
    if (query.after) std::erase_if(found, [&](const Tick& tick) { return !before(*query.after, place(tick)); });
    page.has_more = found.size() > query.limit;
    if (page.has_more) found.resize(query.limit);
    page.ticks = std::move(found);
    return page;
  }
  bool ticks_in_memory(const TickQuery&) const override { return is_in_memory; }

  std::vector<Bar> bars(const BarQuery& query) const override {
    read();
    std::vector<Bar> found;
    if (const auto it = bars_of.find({query.symbol, query.timeframe}); it != bars_of.end()) {
      for (const Bar& bar : it->second) {
        if (bar.open_time >= query.from && bar.open_time < query.to && (bar.is_closed || !query.closed_only)) {
          found.push_back(bar);
        }
      }
    }
    if (found.size() > query.limit) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(query.limit));
    return found;
  }
  bool bars_in_memory(const BarQuery&) const override { return is_in_memory; }

  std::optional<Bar> active_bar(SymbolId symbol, Timeframe timeframe) const override {
    const auto it = bars_of.find({symbol, timeframe});
    if (it == bars_of.end() || it->second.empty() || it->second.back().is_closed) return std::nullopt;
    return it->second.back();
  }
  std::vector<Bar> open_bars(SymbolId symbol, Timeframe timeframe) const override {
    const auto bar = active_bar(symbol, timeframe);
    return bar ? std::vector<Bar>{*bar} : std::vector<Bar>{};
  }
  const std::vector<Timeframe>& timeframes() const override { return configured; }
  Interval interval(SymbolId, Timeframe timeframe, UnixNanos time) const override {
    ++interval_calls;
    return calendar.interval(timeframe, time);
  }

 private:
  void read() const {
    ++reads;
    if (disk_fails) throw Error("/var/lib/secret: Input/output error");
    if (is_broken) throw std::runtime_error("a bug");
  }
};

class FakeStatus final : public SystemStatus {
 public:
  SystemStats system_stats;
  HealthReport report;
  std::vector<SymbolHealth> feeds;
  Readiness ready = Readiness::kReady;
  SystemStats stats() const override { return system_stats; }
  HealthReport health() const override { return report; }
  std::vector<SymbolHealth> feed_health() const override { return feeds; }
  Readiness readiness() const override { return ready; }
};

class FakeDoor final : public IngestDoor {
 public:
  IngestAnswer answer;
  std::string body;
  std::optional<QuoteOrigin> origin;
  bool throws = false;
  void ingest(std::string text, QuoteOrigin from, std::function<void(IngestAnswer)> done) override {
    if (throws) throw std::runtime_error("a bug");
    body = std::move(text);
    origin = from;
    done(answer);
  }
};

class FakeMaintenance final : public Maintenance {
 public:
  bool fails = false;
  CleanupResult cleanup() override {
    if (fails) throw Error("disk");
    return {12, 3};
  }
};

/// An API over fakes, with EURUSD and XAU/USD known and two LPs.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    eurusd_ = *symbols_.intern(*parse_symbol("EURUSD"));
    gold_ = *symbols_.intern(*parse_symbol("XAU/USD"));
    lp1_ = *lps_.intern(*parse_lp("LP1"));
    lp2_ = *lps_.intern(*parse_lp("lp-2"));
  }

  Api& api() {
    if (!api_) {
      api_.emplace(ApiParts{market_, status_, door_, maintenance_, symbols_, lps_, clock_, "epoch-1",
                            std::chrono::seconds{10}, [this](std::function<void()> work) {
                              ++background_;
                              work();
                            }});
    }
    return *api_;
  }

  HttpResponse send(HttpRequest request) {
    std::optional<HttpResponse> answer;
    int answers = 0;
    api().handle(std::move(request), [&](HttpResponse response) {
      answer = std::move(response);
      ++answers;
    });
    EXPECT_EQ(answers, 1);
    return answer.value_or(HttpResponse{});
  }
  HttpResponse get(std::string target, HttpMethod method = HttpMethod::kGet) {
    HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    return send(std::move(request));
  }
  HttpResponse post(std::string target, std::string body, std::string content_type) {
    HttpRequest request;
    request.method = HttpMethod::kPost;
    request.target = std::move(target);
    request.has_body = !body.empty();
    request.body = std::move(body);
    request.content_type = std::move(content_type);
    return send(std::move(request));
  }
  nlohmann::json get_json(std::string target) {
    const HttpResponse response = get(std::move(target));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return nlohmann::json::parse(response.body);
  }
  /// `STATUS code`, after checking that it is a whole problem.
  static std::string problem_of(const HttpResponse& response) {
    EXPECT_EQ(response.content_type, "application/problem+json") << response.body;
    const auto problem = nlohmann::json::parse(response.body);
    EXPECT_EQ(problem.at("status"), response.status);
    EXPECT_EQ(problem.at("type"), "about:blank");
    EXPECT_FALSE(problem.at("title").get<std::string>().empty());
    EXPECT_FALSE(problem.at("detail").get<std::string>().empty());
    return std::to_string(response.status) + " " + problem.at("code").get<std::string>();
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  Tick& add_tick(SymbolId symbol, std::string_view time, std::string_view bid, std::string_view ask) {
    auto& list = market_.ticks_of[symbol];
    Tick tick;
    tick.ts_event = at(time);
    tick.ts_recv = tick.ts_event + std::chrono::microseconds{250};
    tick.bid = price(bid);
    tick.ask = price(ask);
    tick.seq = list.size() + 1;
    tick.symbol = symbol;
    tick.lp = lp1_;
    return list.emplace_back(tick);
  }
  Bar& add_bar(SymbolId symbol, std::string_view open_time, std::string_view close, bool is_closed = true,
               Timeframe timeframe = {}) {
    Bar bar;
    const Interval interval = market_.calendar.interval(timeframe, at(open_time));
    bar.open_time = interval.open;
    bar.close_time = interval.close;
    bar.add(interval.open, price(close));
    bar.is_closed = is_closed;
    return market_.bars_of[{symbol, timeframe}].emplace_back(bar);
  }

  ManualClock clock_{at("2026-01-15T22:00:05Z")};
  SymbolRegistry symbols_{1000};
  LpRegistry lps_{16};
  FakeMarket market_;
  FakeStatus status_;
  FakeDoor door_;
  FakeMaintenance maintenance_;
  SymbolId eurusd_;
  SymbolId gold_;
  LpId lp1_;
  LpId lp2_;
  std::size_t background_ = 0;

 private:
  std::optional<Api> api_;
};

}  // namespace tickpipe::internal::testing
