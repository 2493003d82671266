#include <gmock/gmock.h>

#include "support/api_fakes.h"

namespace tickpipe::internal {
namespace {

using testing::ApiTest;
using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ApiQuotesTest : public ApiTest {
 protected:
  /// Follows the Link headers to the end.
  std::vector<std::uint64_t> all_pages(
      std::string target, const std::function<void()>& between = [] {}) {
    std::vector<std::uint64_t> seqs;
    for (int pages = 0; !target.empty() && pages < 100; ++pages) {
      const HttpResponse response = get(target);
      EXPECT_EQ(response.status, 200) << target << response.body;
      for (const auto& quote : nlohmann::json::parse(response.body)) seqs.push_back(quote.at("seq"));
      target = next_of(response);
      between();
    }
    return seqs;
  }
  static std::string next_of(const HttpResponse& response) {
    const std::string link = header(response, "Link");
    if (link.empty()) return {};
    EXPECT_THAT(link, ::testing::EndsWith(">; rel=\"next\""));
    return link.substr(1, link.find('>') - 1);
  }
};

TEST_F(ApiQuotesTest, LatestIsExactInEveryCharacter) {
  add_tick(eurusd_, "2026-01-15T22:00:00.123456789Z", "1.1645", "1.164500001");
  const HttpResponse response = get("/api/quotes/latest/eurusd");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"symbol":"EURUSD","bid":1.1645,"ask":1.164500001,"spread":0.000000001,)"
            R"("timestamp":"2026-01-15T22:00:00.123456789Z","source":"LP1","tick_id":"EURUSD-1","seq":1,)"
            R"("received_at":"2026-01-15T22:00:00.123706789Z","stale":false})");
  EXPECT_EQ(background_, 0u);
}

TEST_F(ApiQuotesTest, ExtremePricesAndSizesAreExact) {
  Tick& tick = add_tick(eurusd_, "2026-01-15T22:00:00Z", "0.000000001", "9223372036.854775807");
  tick.bid_size = Quantity{0};
  tick.ask_size = Quantity{std::numeric_limits<std::int64_t>::max()};
  EXPECT_THAT(get("/api/quotes/latest/EURUSD").body,
              HasSubstr(R"("bid":0.000000001,"ask":9223372036.854775807,"spread":9223372036.854775806,)"));
  EXPECT_THAT(get("/api/quotes/latest/EURUSD").body, HasSubstr(R"(,"bid_size":0,"ask_size":9223372036.854775807})"));
}

TEST_F(ApiQuotesTest, StaleCountsFromTheEarlierOfBothTimes) {
  Tick& tick = add_tick(eurusd_, "2026-01-15T21:59:55Z", "1", "1");
  tick.ts_recv = at("2026-01-15T22:00:04Z");
  const auto is_stale = [this] { return get_json("/api/quotes/latest/EURUSD").at("stale").get<bool>(); };
  EXPECT_FALSE(is_stale());  // exactly the threshold
  clock_.advance(std::chrono::nanoseconds{1});
  EXPECT_TRUE(is_stale());
  api().set_stale_after(std::chrono::seconds{11});
  EXPECT_FALSE(is_stale());
  tick.ts_event = at("2026-01-15T22:00:30Z");  // a clock ahead does not keep it fresh
  clock_.set(at("2026-01-15T22:00:20Z"));
  EXPECT_TRUE(is_stale());
}

TEST_F(ApiQuotesTest, SymbolsInPathsAreDecodedStrictly) {
  add_tick(gold_, "2026-01-15T22:00:00Z", "4600", "4601");
  EXPECT_EQ(get_json("/api/quotes/latest/xau%2Fusd").at("symbol"), "XAU/USD");
  EXPECT_EQ(get_json("/api/quotes/latest/%58AU%2fUSD").at("tick_id"), "XAU/USD-1");
  for (const char* bad : {"%", "%2", "%zz", "EUR%00", "..", "%2e%2e", "A%2F%2FB", ".A", "A%20B", "A+B", "%C3%A4",
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "a..b"}) {
    EXPECT_EQ(problem_of(get(std::string("/api/quotes/latest/") + bad)), "400 bad_symbol") << bad;
  }
  EXPECT_EQ(problem_of(get("/api/quotes/latest/NOPE")), "404 unknown_symbol");
  EXPECT_EQ(problem_of(get("/api/quotes/latest/EURUSD")), "404 no_quote");
  EXPECT_EQ(problem_of(get("/api/quotes/latest/XAU/USD")), "404 not_found");
  EXPECT_EQ(problem_of(get("/api/quotes/latest/")), "404 not_found");
}

TEST_F(ApiQuotesTest, LatestOfAllIsSortedBySymbol) {
  add_tick(gold_, "2026-01-15T22:00:00Z", "4600", "4601");
  add_tick(eurusd_, "2026-01-15T22:00:00Z", "1", "2").lp = lp2_;
  const auto aud = *symbols_.intern(*parse_symbol("AUDUSD"));
  ASSERT_TRUE(symbols_.intern(*parse_symbol("NOQUOTE")));
  add_tick(aud, "2026-01-15T22:00:00Z", "1", "2");
  std::vector<std::string> found;
  for (const auto& quote : get_json("/api/quotes/latest")) {
    found.push_back(quote.at("symbol").get<std::string>() + " " + quote.at("source").get<std::string>());
  }
  EXPECT_THAT(found, ElementsAre("AUDUSD LP1", "EURUSD lp-2", "XAU/USD LP1"));
}

TEST_F(ApiQuotesTest, ManySymbolsAreAnsweredInTheBackground) {
  EXPECT_EQ(get("/api/quotes/latest").body, "[]");
  EXPECT_EQ(background_, 0u);
  for (int i = 0; i < 300; ++i) symbols_.intern(*parse_symbol("S" + std::to_string(i)));
  EXPECT_EQ(get("/api/quotes/latest").body, "[]");
  EXPECT_EQ(background_, 1u);
}

TEST_F(ApiQuotesTest, HistoryShowsFlagsAndTheOrderAskedFor) {
  for (const char* time : {"2026-01-15T21:00:00Z", "2026-01-15T21:00:02Z", "2026-01-15T21:00:01Z"}) {
    add_tick(eurusd_, time, "1", "2");
  }
  market_.ticks_of[eurusd_][2].flags = kOutOfOrder | kAfterGap | kHistorical;
  market_.ticks_of[eurusd_][1].flags = kHistorical | kNewLevel;
  market_.ticks_of[eurusd_][0].flags = kSpike | kLateForBars | kUnselected;
  const auto newest_first = get_json("/api/quotes/history/EURUSD");
  ASSERT_EQ(newest_first.size(), 3u);
  EXPECT_FALSE(newest_first[0].contains("flags"));
  EXPECT_EQ(newest_first[1].at("flags"), nlohmann::json({"out_of_order", "gap"}));
  EXPECT_EQ(newest_first[2].at("flags"), nlohmann::json({"spike", "late_for_bars", "unselected"}));
  EXPECT_THAT(all_pages("/api/quotes/history/EURUSD"), ElementsAre(2, 3, 1));
  EXPECT_THAT(all_pages("/api/quotes/history/EURUSD?order=asc"), ElementsAre(1, 3, 2));
  EXPECT_THAT(all_pages("/api/quotes/history/EURUSD?from=2026-01-15T21:00:01Z&to=1768510802"), ElementsAre(3));
  EXPECT_THAT(all_pages("/api/quotes/history/EURUSD?from=2026-01-15T21:00:01Z&to=2026-01-15T21:00:01Z"), ElementsAre());
}

TEST_F(ApiQuotesTest, OffsetsMayComeAsPlusSpaceOrEncoded) {
  add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
  for (const char* from : {"2026-01-15T23:00:00%2B02:00", "2026-01-15T23:00:00+02:00", "2026-01-15T23:00:00%2002:00",
                           "2026-01-15+23:00:00+02:00", "2026-01-15%2023:00:00%2b0200", "2026-01-15T20:00:00-01:00",
                           "1768510800", "1768510800000", "1768510800000000", "1768510800000000000"}) {
    EXPECT_THAT(all_pages(std::string("/api/quotes/history/EURUSD?from=") + from), ElementsAre(1)) << from;
  }
  EXPECT_THAT(all_pages("/api/quotes/history/EURUSD?from=2026-01-15T23:00:01%2B02:00"), ElementsAre());
}

TEST_F(ApiQuotesTest, PagesShowTheDataOfTheFirstWhileQuotesCome) {
  for (int i = 0; i < 25; ++i) add_tick(eurusd_, "2026-01-15T21:00:0" + std::to_string(i % 7) + "Z", "1", "2");
  const auto disturb = [this] {  // newer, older and equal ones
    for (const char* time : {"2026-01-15T21:30:00Z", "2026-01-15T20:00:00Z", "2026-01-15T21:00:03Z"}) {
      add_tick(eurusd_, time, "1", "2");
    }
  };
  for (const std::string query : {"limit=4", "limit=4&order=asc", "limit=25", "limit=1&from=2026-01-15T21:00:02Z"}) {
    const auto& list = market_.ticks_of[eurusd_];
    const std::string all = "/api/quotes/history/EURUSD?" + query;
    std::string unpaged = all;
    unpaged.replace(unpaged.find("limit="), std::string("limit=").size() + 1, "limit=1000");
    if (query == "limit=25") unpaged = "/api/quotes/history/EURUSD?limit=1000";
    const auto expected = all_pages(unpaged);
    ASSERT_FALSE(list.empty());
    EXPECT_EQ(all_pages(all, disturb), expected) << query;
  }
}

TEST_F(ApiQuotesTest, OldPathsGiveTheSameAndPageOnThemselves) {
  for (int i = 0; i < 3; ++i) add_tick(gold_, "2026-01-15T21:00:00Z", "1", "2");
  const HttpResponse by_path = get("/api/ticks/xau%2Fusd?limit=2");
  const HttpResponse by_parameter = get("/api/ticks/?symbol=XAU/USD&limit=2");
  EXPECT_EQ(by_path.body, by_parameter.body);
  EXPECT_EQ(by_path.body, get("/api/quotes/history/XAU%2FUSD?limit=2").body);
  EXPECT_THAT(next_of(by_path), StartsWith("/api/ticks/XAU%2FUSD?limit=2&order=desc&cursor="));
  EXPECT_THAT(next_of(by_parameter), StartsWith("/api/ticks/?symbol=XAU%2FUSD&limit=2&order=desc&cursor="));
  EXPECT_THAT(all_pages("/api/ticks/?symbol=XAU/USD&limit=2"), ElementsAre(3, 2, 1));
  EXPECT_EQ(problem_of(get("/api/ticks/")), "400 missing_parameter");
  EXPECT_EQ(problem_of(get("/api/ticks/?symbol=")), "400 bad_symbol");
  EXPECT_EQ(problem_of(get("/api/ticks")), "404 not_found");
}

TEST_F(ApiQuotesTest, DefaultLimitsAre100And500) {
  for (int i = 0; i < 600; ++i) add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
  EXPECT_EQ(get_json("/api/quotes/history/EURUSD").size(), 100u);
  EXPECT_EQ(get_json("/api/ticks/EURUSD").size(), 500u);
  EXPECT_EQ(get_json("/api/ticks/?symbol=EURUSD").size(), 500u);
  EXPECT_EQ(get_json("/api/quotes/history/EURUSD?limit=10000").size(), 600u);
}

TEST_F(ApiQuotesTest, ACursorIsGoodForItsOwnRequestOnly) {
  for (int i = 0; i < 5; ++i) {
    add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
    add_tick(gold_, "2026-01-15T21:00:00Z", "1", "2");
  }
  const std::string first = "/api/quotes/history/EURUSD?limit=2&from=2026-01-15T20:00:00Z&to=2026-01-15T22:00:00Z";
  const std::string next = next_of(get(first));
  const std::string cursor = next.substr(next.find("cursor=") + 7);
  const std::string base = "/api/quotes/history/EURUSD?cursor=" + cursor;
  EXPECT_EQ(get(base).status, 200);
  EXPECT_EQ(get(base + "&order=desc&from=2026-01-15T20:00:00Z&to=2026-01-15T22:00:00Z&limit=1").status, 200);
  EXPECT_EQ(get("/api/ticks/EURUSD?cursor=" + cursor).status, 200);
  for (const char* other : {"&order=asc", "&from=2026-01-15T20:00:01Z", "&to=2026-01-15T22:00:01Z"}) {
    EXPECT_EQ(problem_of(get(base + other)), "400 bad_cursor") << other;
  }
  EXPECT_EQ(problem_of(get("/api/quotes/history/XAU%2FUSD?cursor=" + cursor)), "400 bad_cursor");
  const auto decoded = decode_cursor(cursor, "epoch-1", "EURUSD");
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decode_cursor(cursor, "epoch-2", "EURUSD"));
  EXPECT_EQ(encode_cursor(*decoded, "epoch-1", "EURUSD"), cursor);
  EXPECT_EQ(problem_of(get("/api/quotes/history/EURUSD?cursor=")), "400 bad_parameter");
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    for (const char c : {'A', 'b', '_', '.', '='}) {
      std::string damaged = cursor;
      if (damaged[i] == c) continue;
      damaged[i] = c;
      ASSERT_EQ(problem_of(get("/api/quotes/history/EURUSD?cursor=" + damaged)), "400 bad_cursor") << i << c;
    }
    EXPECT_EQ(get("/api/quotes/history/EURUSD?cursor=" + cursor.substr(0, i)).status, 400);
  }
}

TEST_F(ApiQuotesTest, WhatMayReadTheDiskGoesToTheBackground) {
  add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
  const std::string in_memory = get("/api/quotes/history/EURUSD").body;
  EXPECT_EQ(background_, 0u);
  market_.is_in_memory = false;
  EXPECT_EQ(get("/api/quotes/history/EURUSD").body, in_memory);
  EXPECT_EQ(background_, 1u);
  for (const bool memory : {true, false}) {
    market_.is_in_memory = memory;
    market_.disk_fails = true;
    const HttpResponse failed = get("/api/quotes/history/EURUSD");
    EXPECT_EQ(problem_of(failed), "503 store_unavailable");
    EXPECT_THAT(failed.body, ::testing::Not(HasSubstr("secret")));
    market_.disk_fails = false;
    market_.is_broken = true;
    EXPECT_EQ(problem_of(get("/api/quotes/history/EURUSD")), "500 internal_error");
    market_.is_broken = false;
  }
}

TEST_F(ApiQuotesTest, ParametersAreNeverGuessed) {
  add_tick(eurusd_, "2026-01-15T21:00:00Z", "1", "2");
  const auto problem = [this](const std::string& query) {
    return problem_of(get("/api/quotes/history/EURUSD?" + query));
  };
  for (const char* limit :
       {"", "0", "-1", "10001", "1.0", "+5", "%205", "5%20", "1e2", "007", "99999999999999999999", "abc", "%F0%9F"}) {
    EXPECT_EQ(problem(std::string("limit=") + limit), "400 bad_parameter") << limit;
  }
  for (const char* bad : {"from=", "from=yesterday", "from=2026-13-01T00:00:00Z", "to=-5", "to=2026-01-15T21:00:00Q",
                          "order=", "order=DESC", "order=up", "from=2026-01-15T23:00:00++02:00",
                          "from=2026-01-15T21:00:01Z&to=2026-01-15T21:00:00Z"}) {
    EXPECT_EQ(problem(bad), "400 bad_parameter") << bad;
  }
  EXPECT_EQ(problem("limits=5"), "400 unknown_parameter");
  EXPECT_EQ(problem("limit=5&limit=5"), "400 repeated_parameter");
  EXPECT_EQ(problem("limit=5&%6Cimit=6"), "400 repeated_parameter");
  EXPECT_EQ(problem("limit=%5"), "400 bad_query");
  EXPECT_EQ(problem("=5"), "400 unknown_parameter");
  EXPECT_EQ(problem("limit"), "400 bad_parameter");
  EXPECT_EQ(problem_of(get("/api/quotes/latest/EURUSD?limit=1")), "400 unknown_parameter");
  EXPECT_EQ(get("/api/quotes/history/EURUSD?").status, 200);
  EXPECT_EQ(get("/api/quotes/history/EURUSD?&limit=1&&").status, 200);
  EXPECT_THAT(get("/api/quotes/history/EURUSD?limit=%3Cb%3E%0A").body, HasSubstr(R"(limit must be a whole number)"));
  EXPECT_THAT(get("/api/quotes/history/EURUSD?wrong=1").body, HasSubstr("'wrong'; this path takes limit, from, to"));
}

TEST_F(ApiQuotesTest, SymbolsTellActivity) {
  SymbolActivity gold{gold_, 0, kNoTime, kNoTime, {}};
  SymbolActivity euro{eurusd_, 7, at("2026-01-15T21:00:00.5Z"), at("2026-01-15T21:00:01Z"), {{lp2_}, {lp1_}}};
  market_.activities = {gold, euro};
  EXPECT_EQ(
      get("/api/symbols").body,
      R"([{"symbol":"EURUSD","tick_count":7,"last_tick_time":"2026-01-15T21:00:00.500000000Z","lps":["LP1","lp-2"]},)"
      R"({"symbol":"XAU/USD","tick_count":0,"last_tick_time":null,"lps":[]}])");
}

}  // namespace
}  // namespace tickpipe::internal
