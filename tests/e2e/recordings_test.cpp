// Real recordings through the real program: the exported bars must equal the reference bars that come with them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/decimal.h"
#include "core/timestamp_text.h"
#include "support/tickpipe_fixture.h"

namespace tickpipe::internal::testing {
namespace {

constexpr std::array<const char*, 6> kTimeframes = {"1m", "5m", "15m", "1h", "4h", "1d"};

struct Row {
  std::int64_t timestamp_ms = 0;
  std::string symbol;
  std::string bid;
  std::string ask;
};

class RecordingsTest : public TickpipeTest {
 protected:
  void SetUp() override {
    if (recordings().empty()) {
      GTEST_SKIP() << "TICKPIPE_RECORDINGS does not name a folder with recordings: nothing was tested here";
    }
    for (const char* name : {"eurusd-2020-01", "usdjpy-2013-01"}) {
      auto lines = lines_of(read_file(recordings() + "/fx/" + name + "-quotes.csv"));
      for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto fields = fields_of(lines[i]);
        rows_.push_back({std::stoll(fields.at(0)), fields.at(1), fields.at(2), fields.at(3)});
      }
    }
    ASSERT_GT(rows_.size(), 7000U);
  }

  static std::string csv(const std::vector<Row>& rows) {
    std::string text = "timestamp_ms,symbol,bid,ask\n";
    for (const Row& row : rows) {
      text += std::to_string(row.timestamp_ms) + "," + row.symbol + "," + row.bid + "," + row.ask + "\n";
    }
    return text;
  }

  void expect_reference_bars() {
    for (const auto& [symbol, name] : {std::pair{"EURUSD", "eurusd-2020-01"}, std::pair{"USDJPY", "usdjpy-2013-01"}}) {
      for (const char* timeframe : kTimeframes) {
        auto wanted = lines_of(read_file(recordings() + "/fx/bars/" + name + "-" + timeframe + ".csv"));
        auto got = lines_of(exported("bars", symbol, {"--timeframe", timeframe}));
        ASSERT_EQ(got.size(), wanted.size()) << symbol << " " << timeframe;
        for (std::size_t i = 1; i < wanted.size(); ++i) {
          const auto w = fields_of(wanted[i]);
          const auto g = fields_of(got[i]);
          ASSERT_EQ(g.at(0), w.at(0));
          for (std::size_t k = 1; k <= 4; ++k) {
            ASSERT_EQ(parse_decimal(g.at(k)).units, parse_decimal(w.at(k)).units) << got[i] << " / " << wanted[i];
          }
          ASSERT_EQ(g.at(5), w.at(5)) << got[i];
          ASSERT_EQ(g.at(8), "true") << "long past: closed";
        }
      }
    }
  }

  std::vector<Row> rows_;
  std::mt19937_64 random_{20260301};
};

TEST_F(RecordingsTest, BarsEqualTheReferenceAndASecondBackfillChangesNothing) {
  const std::vector<std::string> files = {recordings() + "/fx/eurusd-2020-01-quotes.csv",
                                          recordings() + "/fx/usdjpy-2013-01-quotes.csv"};
  const auto first = backfill(files);
  EXPECT_EQ(first["received"], 7299);
  EXPECT_EQ(first["accepted"], 7299);
  EXPECT_EQ(first["bars"]["1m"], 277);
  EXPECT_EQ(first["bars"]["1d"], 3);
  expect_reference_bars();
  const auto ticks = exported("ticks", "EURUSD");
  const auto second = backfill(files);
  EXPECT_EQ(second["accepted"], 0);
  EXPECT_EQ(second["duplicate"], 7299);
  for (const char* timeframe : kTimeframes) EXPECT_EQ(second["bars"][timeframe], 0);
  EXPECT_EQ(exported("ticks", "EURUSD"), ticks);
  expect_reference_bars();
}

TEST_F(RecordingsTest, DelayedDuplicatedAndRefusedRowsChangeNothing) {
  // Every time gets one delay of up to 90 s, so that equal times keep their order; then rows come again, or are junk.
  std::vector<std::pair<std::int64_t, Row>> arriving;
  std::map<std::int64_t, std::int64_t> delays;
  for (const Row& row : rows_) {
    const auto [it, is_new] = delays.try_emplace(row.timestamp_ms, 0);
    if (is_new && random_() % 3 == 0) it->second = static_cast<std::int64_t>(random_() % 90'000);
    arriving.emplace_back(row.timestamp_ms + it->second, row);
  }
  std::stable_sort(arriving.begin(), arriving.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Row> sent;
  std::uint64_t duplicates = 0;
  std::uint64_t refused = 0;
  for (const auto& [arrives, row] : arriving) {
    sent.push_back(row);
    if (random_() % 5 == 0) {
      sent.push_back(sent[random_() % sent.size()]);
      const Row& again = sent.back();
      const bool junk = again.bid == "0" || again.bid == "abc" || again.bid == "99999" || again.ask == "0.5";
      ++(junk ? refused : duplicates);
    }
    if (random_() % 5 == 0) {
      Row junk = row;
      switch (random_() % 4) {
        case 0:
          junk.bid = "0";
          break;
        case 1:
          junk.bid = "abc";
          break;
        case 2:
          junk.bid = "99999";  // crossed
          break;
        default:
          junk.ask = "0.5";  // crossed
          break;
      }
      sent.push_back(junk);
      ++refused;
    }
  }
  for (const char* workers : {"1", "2", "4", "16"}) {
    const auto config = file("config.json", std::string(R"({"worker_count":)") + workers + "}");
    std::filesystem::remove_all(data());
    const auto summary = backfill({file("sent.csv", csv(sent))}, {"--config", config});
    EXPECT_EQ(summary["accepted"], rows_.size());
    EXPECT_EQ(summary["duplicate"], duplicates);
    EXPECT_EQ(summary["invalid"], refused);
    expect_reference_bars();
  }
}

TEST_F(RecordingsTest, EveryTimestampFormGivesTheSameBars) {
  std::string jsonl;
  for (const Row& row : rows_) {
    const std::int64_t ms = row.timestamp_ms;
    const UnixNanos time{ms * kNanosPerMilli};
    std::string stamp;
    switch (random_() % 8) {
      case 0:
        stamp = R"("timestamp":)" + std::to_string(ms);
        break;
      case 1:
        stamp =
            R"("timestamp":")" + std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1) + "\"";
        break;
      case 2:
        stamp = R"("timestamp_us":)" + std::to_string(ms) + "000";
        break;
      case 3:
        stamp = R"("timestamp_ns":")" + std::to_string(ms) + "000000\"";
        break;
      case 4:
        stamp = R"("timestamp":")" + format_rfc3339(time, 3) + "\"";
        break;
      case 5: {  // local time of a zone five and a half hours east
        std::string local = format_rfc3339({time.ns + 19'800 * kNanosPerSecond}, 9);
        local.replace(10, 1, " ");
        stamp = R"("timestamp":")" + local.substr(0, local.size() - 1) + "+05:30\"";
        break;
      }
      case 6: {
        const std::string utc = format_rfc3339(time, 3);
        stamp = R"("timestamp":")" + utc.substr(0, utc.size() - 1) + "\"";
        break;
      }
      default:
        stamp = R"("timestamp":)" + std::to_string(ms) + "e0";
        break;
    }
    const bool quoted = random_() % 2 == 0;
    const std::string q = quoted ? "\"" : "";
    jsonl += R"({"symbol":")" + row.symbol + R"(","bid":)" + q + row.bid + q + R"(,"ask":)" + q + row.ask + q + "," +
             stamp + R"(,"extra":[1,{"x":null}]})" + (random_() % 4 == 0 ? "\r\n" : "\n");
  }
  const auto summary = backfill({file("quotes.jsonl", "\xef\xbb\xbf" + jsonl)});
  EXPECT_EQ(summary["accepted"], rows_.size());
  expect_reference_bars();
}

TEST_F(RecordingsTest, PiecesInTheWrongOrderGiveTheSameBars) {
  std::vector<std::string> files;
  constexpr std::size_t kPiece = 700;
  for (std::size_t from = 0; from < rows_.size();) {
    std::size_t to = std::min(rows_.size(), from + kPiece);
    // Equal times stay in one piece, as their order decides.
    while (to < rows_.size() && rows_[to].timestamp_ms == rows_[to - 1].timestamp_ms) ++to;
    const std::vector<Row> piece(rows_.begin() + static_cast<std::ptrdiff_t>(from),
                                 rows_.begin() + static_cast<std::ptrdiff_t>(to));
    files.push_back(file("piece" + std::to_string(files.size()) + ".csv", csv(piece)));
    from = to;
  }
  std::shuffle(files.begin(), files.end(), random_);
  std::uint64_t accepted = 0;
  for (const std::string& piece : files) accepted += backfill({piece})["accepted"].get<std::uint64_t>();
  EXPECT_EQ(accepted, rows_.size());
  expect_reference_bars();
}

TEST_F(RecordingsTest, KilledAnywhereAndLoadedAgainNothingIsLostOrDoubled) {
  const auto config = file("config.json", R"({"worker_count":3,"tick_buffer_size":32})");
  const auto path = file("quotes.csv", csv(rows_));
  for (int round = 0; round < 12; ++round) {
    Process process({TICKPIPE_EXECUTABLE, "backfill", path, "--data-dir", data(), "--config", config},
                    folder_ / "killed" + std::to_string(round));
    ::usleep(static_cast<useconds_t>(random_() % 60'000));
    process.signal(SIGKILL);
    process.wait();
  }
  backfill({path}, {"--config", config});
  expect_reference_bars();
  for (const char* symbol : {"EURUSD", "USDJPY"}) {
    std::vector<std::uint64_t> seqs;
    const auto lines = lines_of(exported("ticks", symbol));
    for (std::size_t i = 1; i < lines.size(); ++i) seqs.push_back(std::stoull(fields_of(lines[i]).at(5)));
    std::sort(seqs.begin(), seqs.end());
    EXPECT_EQ(seqs.size(), std::string(symbol) == "EURUSD" ? 6644U : 655U);
    for (std::size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], i + 1);
  }
}

}  // namespace
}  // namespace tickpipe::internal::testing
