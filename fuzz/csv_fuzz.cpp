// Input: a flag (whether a timestamp is required), then a CSV text: its first line is the header.

#include "ingest/csv_decoder.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "fuzz/fuzzing.h"
#include "fuzz/quote_json.h"
#include "ingest/json_decoder.h"
#include "unit/ingest/padded_line.h"

namespace tickpipe::internal::fuzzing {
namespace {

using Record = std::vector<std::string>;

/// RFC 4180 without line breaks in fields, by a state machine; nothing for what is not a record.
std::optional<Record> reference_record(std::string_view line) {
  enum class State { kStart, kPlain, kQuoted, kQuoteInQuoted } state = State::kStart;
  Record fields(1);
  for (const char c : line) {
    switch (state) {
      case State::kStart:
      case State::kPlain:
        if (c == '"') {
          if (state == State::kPlain) return std::nullopt;
          state = State::kQuoted;
        } else if (c == ',') {
          fields.emplace_back();
          state = State::kStart;
        } else {
          fields.back() += c;
          state = State::kPlain;
        }
        break;
      case State::kQuoted:
        if (c == '"') {
          state = State::kQuoteInQuoted;
        } else {
          fields.back() += c;
        }
        break;
      case State::kQuoteInQuoted:
        if (c == '"') {
          fields.back() += c;
          state = State::kQuoted;
        } else if (c == ',') {
          fields.emplace_back();
          state = State::kStart;
        } else {
          return std::nullopt;
        }
        break;
    }
  }
  if (state == State::kQuoted) return std::nullopt;
  return fields;
}

std::string quoted_record(const Record& fields) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) line += ',';
    line += '"';
    for (const char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line;
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_known(const std::string& name) {
  return is_one_of(name, {"lp", "source", "symbol", "bid", "ask", "bid_size", "ask_size", "timestamp", "timestamp_ms",
                          "timestamp_us", "timestamp_ns"});
}

bool is_good_header(const Record& header, bool timestamp_required) {
  const auto count = [&](std::initializer_list<const char*> names) {
    return std::count_if(header.begin(), header.end(), [&](const auto& name) { return is_one_of(name, names); });
  };
  const auto timestamps = count({"timestamp", "timestamp_ms", "timestamp_us", "timestamp_ns"});
  return count({"symbol"}) == 1 && count({"bid"}) == 1 && count({"ask"}) == 1 && count({"bid_size"}) <= 1 &&
         count({"ask_size"}) <= 1 && count({"lp", "source"}) <= 1 && timestamps <= 1 &&
         (timestamps == 1 || !timestamp_required);
}

/// The row as a JSON object of strings; nothing if JSON cannot say it.
std::optional<std::string> row_as_json(const Record& header, const Record& row) {
  std::string json = "{";
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (!is_known(header[i]) || row[i].empty()) continue;
    if (json.size() > 1) json += ',';
    json += '"' + header[i] + "\":\"";
    for (const char c : row[i]) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) return std::nullopt;
      if (c == '"' || c == '\\') json += '\\';
      json += c;
    }
    json += '"';
  }
  return json + '}';
}

void check_row(std::string_view line, const Record& header, bool timestamp_required, CsvDecoder& decoder) {
  RawQuote quote;
  const DecodeResult result = decoder.decode(line, quote);
  const std::optional<Record> row = reference_record(line);
  if (!row || row->size() != header.size()) {
    require(!result.ok && result.reason == Reason::kMalformed, "what is no row of the header is malformed");
    return;
  }
  RawQuote again;
  const std::string quoted = quoted_record(*row);
  require_same(result, quote, decoder.decode(quoted, again), again, "quotes around every field change nothing");
  if (const auto json = row_as_json(header, *row)) {
    JsonDecoder json_decoder(timestamp_required);
    const PaddedLine padded(*json, '}');
    require_same(result, quote, json_decoder.decode(padded.view(), again), again, "the same as JSON is the same");
  }
}

}  // namespace

void check(Input input) {
  const bool timestamp_required = input.flag();
  std::string_view text = input.rest();
  const auto next_line = [&text] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  const std::string_view first = next_line();
  const std::optional<Record> header = reference_record(first);
  require(looks_like_csv_header(first) == (header && std::any_of(header->begin(), header->end(), is_known)),
          "a record with a known column looks like a header");
  std::optional<CsvDecoder> decoder;
  try {
    decoder = CsvDecoder::from_header(first, timestamp_required);
  } catch (const ConfigError&) {
  }
  require(decoder.has_value() == (header && is_good_header(*header, timestamp_required)),
          "exactly the headers with all that is needed are taken");
  for (int rows = 0; decoder && !text.empty() && rows < 64; ++rows) {
    check_row(next_line(), *header, timestamp_required, *decoder);
  }
}

}  // namespace tickpipe::internal::fuzzing
