// Input: a flag (whether a timestamp is required), then one line.

#include "ingest/json_decoder.h"

#include <string>

#include "core/timestamp_text.h"
#include "fuzz/fuzzing.h"
#include "fuzz/quote_json.h"
#include "ingest/csv_decoder.h"
#include "unit/ingest/json_reference.h"
#include "unit/ingest/padded_line.h"

namespace tickpipe::internal::fuzzing {
namespace {

/// What a good quote says, said in other ways, is the same quote.
void check_round_trip(const RawQuote& quote, JsonDecoder& decoder) {
  RawQuote again;
  const PaddedLine json(to_json(quote), '"');
  require_same(DecodeResult::accepted(), quote, decoder.decode(json.view(), again), again,
               "a quote as JSON is the same");

  const auto size = [](Quantity amount) {
    return amount == kNoQuantity ? std::string{} : decimal_to_string(amount.units);
  };
  std::string row = quote.lp ? std::string(quote.lp->view()) : std::string{};
  row += ',' + std::string(quote.symbol.view()) + ',' + decimal_to_string(quote.bid.units) + ",\"" +
         decimal_to_string(quote.ask.units) + "\"," + size(quote.bid_size) + ',' + size(quote.ask_size) + ',';
  if (quote.ts_event) row += format_rfc3339(*quote.ts_event, 9);
  CsvDecoder csv = CsvDecoder::from_header("source,symbol,bid,ask,bid_size,ask_size,timestamp", false);
  require_same(DecodeResult::accepted(), quote, csv.decode(row, again), again, "a quote as CSV is the same");
}

}  // namespace

void check(Input input) {
  const bool timestamp_required = input.flag();
  const std::string line(input.rest());

  RawQuote expected_quote;
  const std::string expected = JsonReference::judge(line, timestamp_required, expected_quote);
  JsonDecoder decoder(timestamp_required);
  // The decoder is used again and again, with whatever behind the line.
  for (const char tail : {'}', '"', '\0', ']'}) {
    const PaddedLine padded(line, tail);
    RawQuote quote;
    const DecodeResult result = decoder.decode(padded.view(), quote);
    require(*result.detail != '\0' || result.ok, "a refusal has a detail");
    const std::string verdict = result.ok ? "ok" : std::string(to_string(result.reason));
    if (verdict != expected) std::fprintf(stderr, "expected %s, is %s\n", expected.c_str(), verdict.c_str());
    require(verdict == expected, "the verdict is that of the reference");
    if (!result.ok) continue;
    require(same_quote(quote, expected_quote), "the quote is that of the reference");
    check_round_trip(quote, decoder);
  }
}

}  // namespace tickpipe::internal::fuzzing
