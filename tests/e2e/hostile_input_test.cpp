// Rubbish through the real program: what is accepted is exactly what a strict reference accepts, and nothing else
// happens.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "support/tickpipe_fixture.h"
#include "unit/ingest/hostile_lines.h"
#include "unit/ingest/json_reference.h"

namespace tickpipe::internal::testing {
namespace {

class HostileInputTest : public TickpipeTest {
 protected:
  /// What the program must say of these lines, by reason; `ok` for those that are in good form.
  static std::map<std::string, std::uint64_t> judge(const std::string& text) {
    const UnixNanos future{std::chrono::duration_cast<std::chrono::nanoseconds>(
                               (std::chrono::system_clock::now() + std::chrono::seconds{5}).time_since_epoch())
                               .count()};
    std::map<std::string, std::uint64_t> verdicts;
    for (std::string line : lines_of(text)) {
      if (line.ends_with('\r')) line.pop_back();
      if (line.find_first_not_of(" \t") == std::string::npos) continue;
      if (line.size() > 65536) {
        ++verdicts["line_too_long"];
        continue;
      }
      RawQuote quote;
      std::string verdict = JsonReference::judge(line, true, quote);
      if (verdict == "ok" && *quote.ts_event > future) verdict = "in_future";
      ++verdicts[verdict];
    }
    return verdicts;
  }

  void expect_verdicts(const std::string& text, const nlohmann::json& summary) {
    auto expected = judge(text);
    std::uint64_t received = 0;
    for (const auto& [reason, count] : expected) received += count;
    std::uint64_t implausible = 0;
    EXPECT_EQ(summary["received"], received);
    for (const auto& [reason, count] : summary["invalid_by_reason"].items()) {
      if (reason == "implausible_price") {
        implausible = count.get<std::uint64_t>();  // depends on the quotes before it: good form all the same
        continue;
      }
      EXPECT_EQ(count, expected[reason]) << reason;
      expected.erase(reason);
    }
    EXPECT_EQ(summary["accepted"].get<std::uint64_t>() + summary["duplicate"].get<std::uint64_t>() + implausible,
              expected["ok"]);
    expected.erase("ok");
    for (const auto& [reason, count] : expected) EXPECT_EQ(count, 0U) << reason;
  }

  static void expect_printable(const std::string& text) {
    for (const char c : text) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << "raw input in a message: " << text;
  }
};

TEST_F(HostileInputTest, JsonLinesAreAcceptedExactlyWhenTheReferenceAcceptsThem) {
  HostileLines lines(20260131);
  std::mt19937_64 random(5);
  std::string text = "{}\n";
  const char* const wanted = std::getenv("TICKPIPE_HOSTILE_LINES");
  const int count = wanted != nullptr ? std::atoi(wanted) : 120'000;
  for (int i = 0; i < count; ++i) {
    text += lines.next();
    text += random() % 50 == 0 ? "\r\n" : "\n";
    if (random() % 10'000 == 0) text += "{\"symbol\":\"" + std::string(65'000 + random() % 3'000, 'x') + "\"}\n";
    if (random() % 20'000 == 0) text += std::string(3'000'000, "[{\"x"[random() % 4]) + "\n";
  }
  text += R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timest)";  // cut off
  const auto result = run({"backfill", file("hostile.jsonl", text), "--data-dir", data()});
  ASSERT_EQ(result.status, 0) << result.err;
  expect_printable(result.err);
  expect_verdicts(text, nlohmann::json::parse(result.out));
}

TEST_F(HostileInputTest, TruncatedAnywhereAFileLosesItsLastLineAtMost) {
  const std::string line = R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":"2026-01-14T10:00:00Z"})"
                           "\n";
  for (std::size_t cut = 1; cut < line.size(); cut += 7) {
    const std::string text = line + line.substr(0, cut);
    const auto result = run({"backfill", file("cut.jsonl", text), "--data-dir", data() + std::to_string(cut)});
    ASSERT_EQ(result.status, 0);
    expect_verdicts(text, nlohmann::json::parse(result.out));
  }
}

TEST_F(HostileInputTest, ALineOfHundredsOfMegabytesTakesNoMemory) {
  const std::string path = folder_ / "endless";
  {
    std::ofstream out(path, std::ios::binary);
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 400; ++i) out << block;
    out << "\n"
        << R"({"symbol":"EURUSD","bid":1.1,"ask":1.2,"timestamp":1768384800})";
  }
  Process process({TICKPIPE_EXECUTABLE, "backfill", path, "--data-dir", data()}, folder_ / "endless-run");
  EXPECT_EQ(process.wait(), 0) << process.err();
  EXPECT_LT(process.peak_rss_kib(), 350 * 1024);
  const auto summary = nlohmann::json::parse(process.out());
  EXPECT_EQ(summary["invalid_by_reason"]["line_too_long"], 1);
  EXPECT_EQ(summary["accepted"], 1);
}

TEST_F(HostileInputTest, BinaryRubbishIsRefusedLineByLine) {
  std::mt19937_64 random(11);
  std::string text;
  for (int i = 0; i < 2'000'000; ++i) text += static_cast<char>(random());
  text[0] = '{';
  auto result = run({"backfill", file("rubbish", text), "--data-dir", data()});
  EXPECT_EQ(result.status, 0) << result.err;
  expect_verdicts(text, nlohmann::json::parse(result.out));
  result = run({"backfill", file("rubbish.csv", text.substr(1)), "--data-dir", data()});
  EXPECT_EQ(result.status, 2);
  expect_printable(result.err);
}

TEST_F(HostileInputTest, CsvRowsAreRefusedOneByOne) {
  const std::string header = "timestamp,symbol,bid,ask,note\n";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"1768384801,EURUSD,1.1,1.2,x", ""},
      {"1768384802,EURUSD,1.1,1.2", "malformed"},
      {"1768384802,EURUSD,1.1,1.2,x,y", "malformed"},
      {"1768384803,\"EURUSD\",\"1.1\",1.2,\"a,b \"\"c\"\"\"", ""},
      {"1768384804,EURUSD,1.1,1.2,\"open", "malformed"},
      {"1768384804,EURUSD, 1.1,1.2,x", "bad_price"},
      {"1768384804,EURUSD,+1.1,1.2,x", "bad_price"},
      {"1768384804,EURUSD,1.1,,x", "bad_price"},
      {"1768384804,EURUSD,-1.1,1.2,x", "bad_price"},
      {"1768384804,EURUSD,0.0000000001,1.2,x", "bad_price"},
      {"1768384804,EURUSD,1.3,1.2,x", "crossed"},
      {"1768384804,../EUR,1.1,1.2,x", "bad_symbol"},
      {",EURUSD,1.1,1.2,x", "bad_timestamp"},
      {"0,EURUSD,1.1,1.2,x", "bad_timestamp"},
      {"4102444800,EURUSD,1.1,1.2,x", "in_future"},
      {"1768384801,EURUSD,1.1,1.2,x", "duplicate"},
      {"1768384805,EURUSD,1.1," + std::string(400, '9') + ",x", "bad_price"},
      {"1768384806,EURUSD,1.1,1." + std::string(400, '2') + ",x", "bad_price"},
      {"1768384807,EURUSD,1.1,1.2" + std::string(400, '0') + ",x", ""},
      {"1768384808,EURUSD,7,8,x", "implausible_price"},
      {"1768384808,EURUSD,1.1,1.2,\xff\xfe\xe2\x80\xae", ""},
  };
  std::string text = header;
  std::map<std::string, int> expected;
  for (const auto& [row, reason] : rows) {
    text += row + "\n";
    ++expected[reason];
  }
  const auto summary = backfill({file("rows.csv", text)});
  EXPECT_EQ(summary["accepted"], expected[""]);
  EXPECT_EQ(summary["duplicate"], expected["duplicate"]);
  expected.erase("");
  expected.erase("duplicate");
  EXPECT_EQ(summary["invalid_by_reason"], nlohmann::json(expected));
}

}  // namespace
}  // namespace tickpipe::internal::testing
