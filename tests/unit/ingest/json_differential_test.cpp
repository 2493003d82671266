#include <gtest/gtest.h>

#include <map>
#include <string>

#include "ingest/json_decoder.h"
#include "unit/ingest/hostile_lines.h"
#include "unit/ingest/json_reference.h"
#include "unit/ingest/padded_line.h"

namespace tickpipe::internal {
namespace {

/// Counts per verdict, so that a test can tell that the generator reaches all of them.
std::map<std::string, int> compare(std::uint64_t seed, int lines, bool timestamp_required) {
  HostileLines generator(seed);
  JsonDecoder decoder(timestamp_required);
  std::map<std::string, int> verdicts;
  int differences = 0;
  for (int i = 0; i < lines && differences < 10; ++i) {
    const std::string text = generator.next();
    RawQuote expected_quote;
    const std::string expected = JsonReference::judge(text, timestamp_required, expected_quote);
    ++verdicts[expected];

    const PaddedLine line(text, "}]\",1"[i % 5]);
    RawQuote quote;
    const DecodeResult result = decoder.decode(line.view(), quote);
    const std::string verdict = result.ok ? "ok" : std::string(to_string(result.reason));
    bool same = verdict == expected;
    if (same && result.ok) {
      same = quote.lp == expected_quote.lp && quote.symbol == expected_quote.symbol &&
             quote.bid == expected_quote.bid && quote.ask == expected_quote.ask &&
             quote.bid_size == expected_quote.bid_size && quote.ask_size == expected_quote.ask_size &&
             quote.ts_event == expected_quote.ts_event;
    }
    EXPECT_TRUE(same) << "line " << i << ": " << text.substr(0, 400) << "\nexpected " << expected << ", is " << verdict
                      << " (" << result.detail << ")";
    if (!same) ++differences;
  }
  return verdicts;
}

TEST(JsonDifferentialTest, DecoderAgreesWithTheReferenceOnHostileLines) {
  const std::map<std::string, int> verdicts = compare(1, 60'000, true);
  for (const char* verdict : {"ok", "malformed", "bad_lp", "bad_symbol", "bad_price", "bad_timestamp", "crossed"}) {
    EXPECT_GT(verdicts.contains(verdict) ? verdicts.at(verdict) : 0, 100) << verdict;
  }
}

TEST(JsonDifferentialTest, DecoderAgreesWithTheReferenceWhereTimestampsAreOptional) { compare(2, 30'000, false); }

}  // namespace
}  // namespace tickpipe::internal
