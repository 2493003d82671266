// What earlier releases have written stays readable. Each folder under tests/fixtures/ is a data directory, written by
// the first release with that store format and never changed since, with the exports that it must give.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/server_fixture.h"

namespace tickpipe::internal::testing {
namespace {

namespace fs = std::filesystem;

class StoreFormatTest : public ServerTest, public ::testing::WithParamInterface<const char*> {
 protected:
  [[nodiscard]] static fs::path fixture() { return fs::path(TICKPIPE_FIXTURES) / GetParam(); }

  void expect_exports() {
    int compared = 0;
    for (const auto& [symbol, name] : {std::pair{"EURUSD", "EURUSD"}, {"USDJPY", "USDJPY"}, {"BTC/USD", "BTCUSD"}}) {
      EXPECT_EQ(exported("ticks", symbol), content("ticks_" + std::string(name))) << symbol;
      for (const std::string timeframe : {"1m", "1h"}) {
        EXPECT_EQ(exported("bars", symbol, {"--timeframe", timeframe}), content("bars_" + timeframe + "_" + name));
        ++compared;
      }
    }
    EXPECT_EQ(compared, 6);
  }
  static std::string content(const std::string& name) {
    std::ifstream in(fixture() / (name + ".csv"));
    std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_FALSE(text.empty()) << name;
    return text;
  }
};

TEST_P(StoreFormatTest, IsReadCheckedAndWrittenOn) {
  fs::create_directories(data());
  fs::copy(fixture() / "db", data() + "/db", fs::copy_options::recursive);
  expect_exports();
  const Result checked = run({"check-data", "--data-dir", data()});
  EXPECT_EQ(checked.status, 0) << checked.out;

  const auto server = serve_with(R"({"timeframes":["1m","5m","1h"]})");
  const auto before = whole_history(*server, "EURUSD", 10);
  EXPECT_EQ(before.size() + 1, lines_of(content("ticks_EURUSD")).size());
  EXPECT_EQ(server->ingest(R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp_ns":1770100000000000000})", true)
                .at("accepted"),
            1);
  EXPECT_EQ(server->json("/api/quotes/latest/EURUSD").at("tick_id"), "EURUSD-" + std::to_string(before.size() + 1));
  server->stop();
  EXPECT_EQ(run({"check-data", "--data-dir", data()}).status, 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, StoreFormatTest, ::testing::Values("store_format_2"));

}  // namespace
}  // namespace tickpipe::internal::testing
