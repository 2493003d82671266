#include <gmock/gmock.h>

#include "support/api_fakes.h"

namespace tickpipe::internal {
namespace {

using testing::ApiTest;
using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::price;

class ApiBarsTest : public ApiTest {
 protected:
  /// Each bar as `21:05=1.5`, with `~` for one without ticks and `?` for an open one.
  std::vector<std::string> bars(const std::string& query) {
    std::vector<std::string> found;
    for (const auto& bar : get_json("/api/ohlc/EURUSD?" + query)) {
      EXPECT_EQ(bar.at("symbol"), "EURUSD");
      const bool is_flat = bar.at("tick_count") == 0;
      if (is_flat) {
        EXPECT_EQ(bar.at("volume"), 0);
        EXPECT_EQ(bar.at("is_closed"), true);
        EXPECT_EQ(bar.at("revision"), 0);
        EXPECT_EQ(bar.at("open"), bar.at("close"));
        EXPECT_EQ(bar.at("high"), bar.at("low"));
        EXPECT_EQ(bar.at("high"), bar.at("close"));
      }
      found.push_back(bar.at("open_time").get<std::string>().substr(11, 5) + (is_flat ? "~" : "=") +
                      bar.at("close").dump() + (bar.at("is_closed") == true ? "" : "?"));
    }
    return found;
  }
};

TEST_F(ApiBarsTest, ABarIsExactInEveryCharacter) {
  Bar& bar = add_bar(eurusd_, "2026-01-15T21:59:00Z", "1.1645");
  bar.high = price("1.164500001");
  bar.low = price("0.000000001");
  bar.revision = 2;
  bar.add_trade(Quantity{1'500'000'000});
  EXPECT_EQ(get("/api/ohlc/EURUSD").body,
            R"([{"symbol":"EURUSD","timeframe":"1m","open_time":"2026-01-15T21:59:00.000Z",)"
            R"("close_time":"2026-01-15T22:00:00.000Z","open":1.1645,"high":1.164500001,"low":0.000000001,)"
            R"("close":1.1645,"volume":1.5,"tick_count":1,"is_closed":true,"revision":2}])");
}

TEST_F(ApiBarsTest, VolumesBeyond64BitsAreExact) {
  Bar& bar = add_bar(eurusd_, "2026-01-15T21:59:00Z", "1");
  for (int i = 0; i < 3; ++i) bar.add_trade(Quantity{std::numeric_limits<std::int64_t>::max()});
  EXPECT_THAT(get("/api/ohlc/EURUSD").body, HasSubstr(R"("volume":27670116110.564327421,)"));
}

TEST_F(ApiBarsTest, TheNewestOfTheRangeInTheOrderAskedFor) {
  for (const char* time : {"21:55", "21:56", "21:57", "21:58"}) {
    add_bar(eurusd_, std::string("2026-01-15T") + time + ":00Z", "1");
  }
  add_bar(eurusd_, "2026-01-15T21:59:00Z", "2", false);
  EXPECT_THAT(bars("limit=2"), ElementsAre("21:58=1", "21:59=2?"));
  EXPECT_THAT(bars("limit=2&order=desc"), ElementsAre("21:59=2?", "21:58=1"));
  EXPECT_THAT(bars("limit=2&closed=true"), ElementsAre("21:57=1", "21:58=1"));
  EXPECT_THAT(bars("limit=2&closed=false&to=2026-01-15T21:57:00Z"), ElementsAre("21:55=1", "21:56=1"));
  EXPECT_THAT(bars("from=2026-01-15T21:58:00Z"), ElementsAre("21:58=1", "21:59=2?"));
  EXPECT_THAT(bars("timeframe=5m"), IsEmpty());
  EXPECT_EQ(background_, 0u);
}

TEST_F(ApiBarsTest, TimeframesByNameAliasAndDefault) {
  add_bar(eurusd_, "2026-01-15T21:00:00Z", "60", true, {std::chrono::hours{1}});
  add_bar(eurusd_, "2026-01-15T21:00:00Z", "1", true);
  for (const char* name : {"1h", "H1", "60m", "3600s"}) {
    EXPECT_EQ(get_json(std::string("/api/ohlc/EURUSD?timeframe=") + name).at(0).at("timeframe"), "1h") << name;
  }
  EXPECT_EQ(get_json("/api/ohlc/EURUSD").at(0).at("timeframe"), "1m");
  EXPECT_EQ(get_json("/api/ohlc/EURUSD?timeframe=M1").at(0).at("timeframe"), "1m");
  for (const char* name : {"", "4h", "H4", "7m", "1M", "m1", "x", "1m%20"}) {
    const HttpResponse response = get(std::string("/api/ohlc/EURUSD?timeframe=") + name);
    EXPECT_EQ(problem_of(response), "400 unknown_timeframe") << name;
    EXPECT_THAT(response.body, HasSubstr("1m, 5m, 1h"));
    EXPECT_EQ(get(std::string("/api/ohlc/latest/EURUSD?timeframe=") + name).status, 400);
  }
}

TEST_F(ApiBarsTest, WithoutOneMinuteTheSmallestIsTheDefault) {
  market_.configured = {{std::chrono::seconds{30}}, {std::chrono::hours{1}}};
  add_bar(eurusd_, "2026-01-15T21:00:00Z", "1", true, {std::chrono::seconds{30}});
  EXPECT_EQ(get_json("/api/ohlc/EURUSD").at(0).at("timeframe"), "30s");
}

TEST_F(ApiBarsTest, TheActiveBar) {
  EXPECT_EQ(problem_of(get("/api/ohlc/latest/EURUSD")), "404 no_active_bar");
  EXPECT_EQ(problem_of(get("/api/ohlc/latest/NOPE")), "404 unknown_symbol");
  add_bar(eurusd_, "2026-01-15T21:59:00Z", "2", false);
  const auto bar = get_json("/api/ohlc/latest/eurusd?timeframe=1m");
  EXPECT_EQ(bar.at("close"), 2);
  EXPECT_EQ(bar.at("is_closed"), false);
}

TEST_F(ApiBarsTest, ASymbolNamedLatestHasItsBars) {
  const SymbolId latest = *symbols_.intern(*parse_symbol("LATEST"));
  add_bar(latest, "2026-01-15T21:59:00Z", "3", false);
  EXPECT_EQ(get_json("/api/ohlc/LATEST").at(0).at("symbol"), "LATEST");
  EXPECT_EQ(get_json("/api/ohlc/latest").at(0).at("symbol"), "LATEST");
  EXPECT_EQ(get_json("/api/ohlc/latest/latest").at("symbol"), "LATEST");
}

class ApiFillTest : public ApiBarsTest {
 protected:
  ApiFillTest() {  // the clock stands at 22:00:05
    add_bar(eurusd_, "2026-01-15T21:50:00Z", "1");
    add_bar(eurusd_, "2026-01-15T21:53:00Z", "2");
    add_bar(eurusd_, "2026-01-15T21:54:00Z", "3");
    add_bar(eurusd_, "2026-01-15T21:56:00Z", "4", false);
  }
};

TEST_F(ApiFillTest, FillsBetweenKnownBarsAndNothingAround) {
  EXPECT_THAT(bars("fill=prev"),
              ElementsAre("21:50=1", "21:51~1", "21:52~1", "21:53=2", "21:54=3", "21:55~3", "21:56=4?"));
  EXPECT_THAT(bars("fill=none"), ElementsAre("21:50=1", "21:53=2", "21:54=3", "21:56=4?"));
}

TEST_F(ApiFillTest, TheLimitCountsFlatBars) {
  EXPECT_THAT(bars("fill=prev&limit=1"), ElementsAre("21:56=4?"));
  EXPECT_THAT(bars("fill=prev&limit=2"), ElementsAre("21:55~3", "21:56=4?"));
  EXPECT_THAT(bars("fill=prev&limit=5"), ElementsAre("21:52~1", "21:53=2", "21:54=3", "21:55~3", "21:56=4?"));
  EXPECT_THAT(bars("fill=prev&limit=2&order=desc"), ElementsAre("21:56=4?", "21:55~3"));
}

TEST_F(ApiFillTest, StartsAtFromIfABarBeforeItIsKnown) {
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:51:30Z&to=2026-01-15T21:54:00Z"), ElementsAre("21:52~1", "21:53=2"));
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:52:00Z&to=2026-01-15T21:53:00Z"), ElementsAre("21:52~1"));
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:40:00Z&to=2026-01-15T21:52:00Z"), ElementsAre("21:50=1", "21:51~1"));
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:40:00Z&to=2026-01-15T21:45:00Z"), IsEmpty());
  EXPECT_THAT(bars("fill=prev&to=2026-01-15T21:45:00Z"), IsEmpty());
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:57:00Z"), IsEmpty());
  EXPECT_THAT(bars("fill=prev&from=0&to=0"), IsEmpty());
}

TEST_F(ApiFillTest, GoesOnToTheEarlierOfToAndNow) {
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:55:00Z&to=2026-01-15T21:59:00Z"),
              ElementsAre("21:55~3", "21:56=4?", "21:57~4", "21:58~4"));
  EXPECT_THAT(bars("fill=prev&limit=3&to=2027-01-01"
                   "T00:00:00Z"),
              ElementsAre("21:57~4", "21:58~4", "21:59~4"));  // 22:00 has not ended
  EXPECT_THAT(bars("fill=prev&from=2026-01-15T21:57:00Z&to=2026-01-15T21:58:30Z"), ElementsAre("21:57~4", "21:58~4"));
}

TEST_F(ApiFillTest, OpenBarsThatAreLeftOutAreNoGap) {
  EXPECT_THAT(bars("fill=prev&closed=true"), ElementsAre("21:50=1", "21:51~1", "21:52~1", "21:53=2", "21:54=3"));
  EXPECT_THAT(bars("fill=prev&closed=true&limit=3&to=2026-01-15T22:00:00Z"),
              ElementsAre("21:53=2", "21:54=3", "21:55~3"));
}

TEST_F(ApiFillTest, ALongGapCostsNoMoreThanTheLimit) {
  market_.bars_of.clear();
  add_bar(eurusd_, "1990-01-01T00:00:00Z", "1");
  add_bar(eurusd_, "2026-01-15T21:00:00Z", "2");
  const auto found = bars("fill=prev&limit=10000&to=2026-01-15T22:00:00Z");
  EXPECT_EQ(found.size(), 10'000u);
  EXPECT_EQ(found.back(), "21:59~2");
  EXPECT_LE(market_.interval_calls, 10'010u);
  EXPECT_EQ(background_, 1u);
}

TEST_F(ApiFillTest, FollowsTradingDaysOverADstChange) {
  const Timeframe day{std::chrono::hours{24}};
  market_.configured = {day};
  market_.calendar = TradingCalendar("17:00 America/New_York");
  add_bar(eurusd_, "2025-10-31T12:00:00Z", "1", true, day);
  add_bar(eurusd_, "2025-11-04T12:00:00Z", "2", true, day);
  std::vector<std::string> open_times;
  for (const auto& bar : get_json("/api/ohlc/EURUSD?timeframe=1d&fill=prev")) open_times.push_back(bar.at("open_time"));
  EXPECT_THAT(open_times,
              ElementsAre("2025-10-30T21:00:00.000Z", "2025-10-31T21:00:00.000Z", "2025-11-01T21:00:00.000Z",
                          "2025-11-02T22:00:00.000Z", "2025-11-03T22:00:00.000Z"));
}

TEST_F(ApiBarsTest, BadParametersAndAFailingDisk) {
  add_bar(eurusd_, "2026-01-15T21:59:00Z", "1");
  for (const char* bad : {"closed=yes", "closed=", "closed=1", "fill=next", "fill=", "order=newest", "limit=0",
                          "from=x", "from=2&to=1"}) {
    EXPECT_EQ(problem_of(get(std::string("/api/ohlc/EURUSD?") + bad)), "400 bad_parameter") << bad;
  }
  EXPECT_EQ(problem_of(get("/api/ohlc/EURUSD?cursor=x")), "400 unknown_parameter");
  EXPECT_EQ(problem_of(get("/api/ohlc/latest/EURUSD?limit=1")), "400 unknown_parameter");
  EXPECT_EQ(problem_of(get("/api/ohlc/NOPE")), "404 unknown_symbol");
  market_.is_in_memory = false;
  EXPECT_EQ(get("/api/ohlc/EURUSD").status, 200);
  EXPECT_EQ(background_, 1u);
  market_.disk_fails = true;
  EXPECT_EQ(problem_of(get("/api/ohlc/EURUSD")), "503 store_unavailable");
  EXPECT_EQ(problem_of(get("/api/ohlc/EURUSD?fill=prev")), "503 store_unavailable");
}

}  // namespace
}  // namespace tickpipe::internal
