#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench_quotes.h"
#include "core/decimal.h"
#include "core/timestamp_text.h"
#include "ingest/csv_decoder.h"
#include "ingest/json_decoder.h"

namespace tickpipe::internal {
namespace {

using bench::make_quotes;
using bench::require;

constexpr std::size_t kLines = 1024;

void ParseDecimal(benchmark::State& state) {
  require(parse_decimal("1.164500").units == 1'164'500'000, "decimal");
  std::string text = "1.164500";
  for (auto _ : state) {
    benchmark::DoNotOptimize(text.data());
    benchmark::DoNotOptimize(parse_decimal(text));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ParseDecimal);

void ParseTimestamp(benchmark::State& state, const char* text) {
  require(parse_timestamp(text)->ns == 1'768'384'801'000'000'000, "timestamp");
  std::string copy = text;
  for (auto _ : state) {
    benchmark::DoNotOptimize(copy.data());
    benchmark::DoNotOptimize(parse_timestamp(copy));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(ParseTimestamp, millis, "1768384801000");
BENCHMARK_CAPTURE(ParseTimestamp, rfc3339, "2026-01-14T10:00:01.000Z");

void DecodeJson(benchmark::State& state) {
  const auto quotes = make_quotes(kLines);
  std::vector<std::string> lines;
  for (const Quote& quote : quotes) {
    lines.push_back(R"({"symbol":"EURUSD","bid":)" + decimal_to_string(quote.bid.units) + R"(,"ask":)" +
                    decimal_to_string(quote.ask.units) + R"(,"timestamp":)" +
                    std::to_string(quote.ts_event.ns / kNanosPerMilli) + R"(,"lp":"ALPHA"})");
    lines.back().reserve(lines.back().size() + kJsonPadding);
  }
  JsonDecoder decoder(true);
  RawQuote raw;
  for (std::size_t i = 0; i < kLines; ++i) {
    require(decoder.decode(lines[i], raw).ok && raw.bid == quotes[i].bid && raw.ts_event == quotes[i].ts_event, "JSON");
  }
  for (auto _ : state) {
    for (const std::string& line : lines) benchmark::DoNotOptimize(decoder.decode(line, raw));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kLines));
}
BENCHMARK(DecodeJson);

void DecodeCsv(benchmark::State& state) {
  const auto quotes = make_quotes(kLines);
  std::vector<std::string> lines;
  for (const Quote& quote : quotes) {
    lines.push_back(std::to_string(quote.ts_event.ns / kNanosPerMilli) + ",EURUSD," +
                    decimal_to_string(quote.bid.units) + "," + decimal_to_string(quote.ask.units));
  }
  CsvDecoder decoder = CsvDecoder::from_header("timestamp_ms,symbol,bid,ask", true);
  RawQuote raw;
  for (std::size_t i = 0; i < kLines; ++i) {
    require(decoder.decode(lines[i], raw).ok && raw.ask == quotes[i].ask && raw.ts_event == quotes[i].ts_event, "CSV");
  }
  for (auto _ : state) {
    for (const std::string& line : lines) benchmark::DoNotOptimize(decoder.decode(line, raw));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kLines));
}
BENCHMARK(DecodeCsv);

}  // namespace
}  // namespace tickpipe::internal
