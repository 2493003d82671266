#include "feed/feed_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

SimOptions sim(const FeedSettings& settings) { return std::get<SimOptions>(make_feed_spec("sim", settings).options); }
ReplayOptions replay(FeedSettings settings) {
  settings.emplace_back("file", "a.csv");
  return std::get<ReplayOptions>(make_feed_spec("replay", settings).options);
}

/// The text of the error, or empty.
template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return {};
}
std::string text_error(std::string_view text) {
  return error_of([&] { parse_feed_spec(text); });
}
std::string sim_error(const FeedSettings& settings) {
  return error_of([&] { sim(settings); });
}
std::string replay_error(const FeedSettings& settings) {
  return error_of([&] { make_feed_spec("replay", settings); });
}

TEST(FeedSpecTest, ReadsTheTextForms) {
  EXPECT_EQ(parse_feed_spec("none").name, "none");
  EXPECT_TRUE(std::holds_alternative<NoFeed>(parse_feed_spec("none").options));

  EXPECT_EQ(parse_feed_spec("sim").name, "sim");
  EXPECT_TRUE(std::get<SimOptions>(parse_feed_spec("sim").options).symbols.empty());

  const FeedSpec two = parse_feed_spec("sim:eurusd,BTC/USD");
  EXPECT_EQ(two.name, "sim:EURUSD,BTC/USD");
  const auto& symbols = std::get<SimOptions>(two.options).symbols;
  ASSERT_EQ(symbols.size(), 2U);
  EXPECT_EQ(symbols[0].view(), "EURUSD");

  const FeedSpec file = parse_feed_spec("replay:/data/a:b.csv");
  EXPECT_EQ(file.name, "replay:/data/a:b.csv");
  const auto& options = std::get<ReplayOptions>(file.options);
  EXPECT_EQ(options.file, "/data/a:b.csv");
  EXPECT_EQ(options.lp.view(), "FILE");
  EXPECT_EQ(options.speed, 1);
  EXPECT_FALSE(options.loop || options.restamp);
}

TEST(FeedSpecTest, RefusesOtherTexts) {
  EXPECT_THAT(text_error("binance:BTCUSDT"), testing::HasSubstr("binance is not in this build"));
  EXPECT_THAT(text_error("simm"), testing::HasSubstr("unknown feed \"simm\"; there are sim"));
  EXPECT_THAT(text_error(""), testing::HasSubstr("unknown feed"));
  EXPECT_THAT(text_error("none:x"), testing::HasSubstr("unknown feed"));
  EXPECT_THAT(text_error("sim:"), testing::HasSubstr("symbols must be"));
  EXPECT_THAT(text_error("sim:EURUSD,"), testing::HasSubstr("symbols must be"));
  EXPECT_THAT(text_error("sim:EURUSD,eurusd"), testing::HasSubstr("each symbol once"));
  EXPECT_THAT(text_error("replay"), testing::HasSubstr("which file?"));
  EXPECT_THAT(text_error("replay:"), testing::HasSubstr("which file?"));
  EXPECT_THAT(text_error("replay:-"), testing::HasSubstr("standard input"));
}

TEST(FeedSpecTest, TheDefaultsOfSimAreThoseOfTheDocumentation) {
  const SimOptions options = sim({});
  EXPECT_EQ(options.rate, 50);
  EXPECT_EQ(options.seed, 1U);
  EXPECT_EQ(options.lp.view(), "SIM");
  EXPECT_EQ(options.drop_share + options.duplicate_share + options.garble_share + options.delay_share, 0);
  EXPECT_EQ(options.delay, milliseconds{500});
  EXPECT_EQ(options.mute_share, 0);
  EXPECT_EQ(options.mute, seconds{10});
  EXPECT_EQ(options.clock_skew, nanoseconds{0});
  EXPECT_TRUE(options.sessions);
  EXPECT_EQ(options.fill, hours{1});
}

TEST(FeedSpecTest, ReadsEveryKeyOfSim) {
  const FeedSpec spec = make_feed_spec("sim", {{"symbols", "EURUSD,BTCUSD"},
                                               {"rate", "2e3"},
                                               {"seed", "18446744073709551615"},
                                               {"lp", "LP-1"},
                                               {"drop", "0.1"},
                                               {"duplicate", "0.2"},
                                               {"garble", "1"},
                                               {"delay_share", "0.3"},
                                               {"delay", "1.5s"},
                                               {"mute_share", "0.4"},
                                               {"mute", "1m"},
                                               {"clock_skew", "-1500ms"},
                                               {"sessions", "false"},
                                               {"fill", "0s"}});
  EXPECT_EQ(spec.name, "sim:EURUSD,BTCUSD");
  const auto& options = std::get<SimOptions>(spec.options);
  EXPECT_EQ(options.rate, 2000);
  EXPECT_EQ(options.seed, 18446744073709551615U);
  EXPECT_EQ(options.lp.view(), "LP-1");
  EXPECT_EQ(options.drop_share, 0.1);
  EXPECT_EQ(options.duplicate_share, 0.2);
  EXPECT_EQ(options.garble_share, 1);
  EXPECT_EQ(options.delay_share, 0.3);
  EXPECT_EQ(options.delay, milliseconds{1500});
  EXPECT_EQ(options.mute_share, 0.4);
  EXPECT_EQ(options.mute, seconds{60});
  EXPECT_EQ(options.clock_skew, milliseconds{-1500});
  EXPECT_FALSE(options.sessions);
  EXPECT_EQ(options.fill, nanoseconds{0});
}

TEST(FeedSpecTest, RefusesValuesOfSimOutOfTheirRange) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"symbols", {"", "EUR USD", "A,,B"}},
      {"rate", {"", "-1", "2000001", "nan", "inf", "0x10", "fast", "1 ", "0.0001", "1e999"}},
      {"seed", {"-1", "1.5", "18446744073709551616", ""}},
      {"lp", {"", "a b", std::string(33, 'A')}},
      {"drop", {"-0.1", "1.1", "x"}},
      {"delay_share", {"2"}},
      {"delay", {"0ms", "61m", "500", "-1s", "s", "1e3s", "1.0000000001s", "99999999999999999999d"}},
      {"mute", {"0s", "2h"}},
      {"clock_skew", {"2.1s", "-3s", "--1s", "+1s"}},
      {"sessions", {"yes", "1", ""}},
      {"fill", {"2h", "-1s", "1h "}}};
  for (const auto& [key, values] : bad) {
    for (const std::string& value : values) {
      EXPECT_THAT(sim_error({{key, value}}), testing::StartsWith("feed sim: " + key + " must be ")) << value;
    }
  }
  EXPECT_EQ(sim_error({{"rate", "2000000"}, {"clock_skew", "2s"}, {"fill", "1h"}, {"delay", "1h"}}), "");
  EXPECT_EQ(sim({{"rate", "0"}}).rate, 0);
}

TEST(FeedSpecTest, AnErrorNeverShowsRawInput) {
  EXPECT_THAT(sim_error({{"lp", "a\nb"}}), testing::HasSubstr("a\\x0ab"));
}

TEST(FeedSpecTest, ReadsEveryKeyOfReplay) {
  const ReplayOptions options = replay({{"lp", "REC"},
                                        {"speed", "2.5"},
                                        {"loop", "true"},
                                        {"restamp", "true"},
                                        {"symbols", "EURUSD"},
                                        {"format", "jsonl"}});
  EXPECT_EQ(options.file, "a.csv");
  EXPECT_EQ(options.lp.view(), "REC");
  EXPECT_EQ(options.speed, 2.5);
  EXPECT_TRUE(options.loop);
  EXPECT_TRUE(options.restamp);
  EXPECT_EQ(options.symbols.size(), 1U);
  EXPECT_EQ(options.format, ReplayFormat::kJsonLines);
  EXPECT_EQ(replay({{"speed", "max"}}).speed, 0);
  EXPECT_EQ(replay({{"speed", "recorded"}}).speed, 1);
  EXPECT_EQ(replay({{"format", "auto"}}).format, ReplayFormat::kAuto);
  EXPECT_EQ(replay({{"format", "csv"}}).format, ReplayFormat::kCsv);
}

TEST(FeedSpecTest, RefusesOtherValuesOfReplay) {
  EXPECT_THAT(replay_error({}), testing::HasSubstr("which file?"));
  for (const auto* speed : {"0", "-1", "fast", "", "1e10"}) {
    EXPECT_THAT(replay_error({{"speed", speed}}), testing::StartsWith("feed replay: speed must be \"recorded\""))
        << speed;
  }
  EXPECT_THAT(replay_error({{"format", "xml"}}), testing::HasSubstr("auto, csv or jsonl, not \"xml\""));
  EXPECT_THAT(replay_error({{"file", "a"}, {"loop", "true"}}), testing::HasSubstr("loop needs restamp"));
}

TEST(FeedSpecTest, UnknownAndRepeatedKeysAreErrors) {
  const std::string unknown = sim_error({{"rates", "1"}});
  EXPECT_THAT(unknown, testing::HasSubstr("unknown key \"rates\"; known are symbols rate seed lp drop duplicate garble "
                                          "delay_share delay mute_share mute clock_skew sessions fill"));
  EXPECT_THAT(replay_error({{"rate", "1"}}), testing::HasSubstr("known are file lp speed loop restamp symbols format"));
  EXPECT_THAT(sim_error({{"rate", "1"}, {"rate", "2"}}), testing::HasSubstr("rate is given twice"));
}

TEST(FeedSpecTest, UnknownKindsAreErrors) {
  EXPECT_THAT(error_of([] { make_feed_spec("binance", {}); }), testing::HasSubstr("not in this build"));
  EXPECT_THAT(error_of([] { make_feed_spec("fix", {}); }), testing::HasSubstr("unknown feed \"fix\""));
}

}  // namespace
}  // namespace tickpipe::internal
