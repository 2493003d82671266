#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/timestamp_text.h"
#include "model/raw_quote.h"

namespace tickpipe::internal {

/// What JsonDecoder has to answer, found in another and slow way: nlohmann's parser for the form, and the rules for raw
/// quotes written down once more. Differences of nlohmann from what is asked for are evened out before it sees the
/// line: it skips a byte order mark, takes NUL for the end, and refuses numbers beyond a double.
class JsonReference {
 public:
  /// "ok" or the name of the reason; `quote` is set if ok.
  static std::string judge(const std::string& line, bool timestamp_required, RawQuote& quote) {
    std::map<std::string, Value> fields;
    if (!parse(line, fields)) return "malformed";
    return judge_fields(fields, timestamp_required, quote);
  }

  /// Value * 1e9 of a JSON number if that is whole and within 64 bits, by long arithmetic on its digits.
  static std::optional<std::int64_t> units_of(std::string_view number) {
    const bool negative = number.starts_with('-');
    if (negative) number.remove_prefix(1);
    std::string digits;
    long point = 0;
    bool after_point = false;
    std::size_t i = 0;
    for (; i < number.size() && number[i] != 'e' && number[i] != 'E'; ++i) {
      if (number[i] == '.') {
        after_point = true;
      } else {
        digits += number[i];
        if (after_point) ++point;
      }
    }
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.empty()) return 0;
    long exponent = 0;
    if (i < number.size()) {
      const bool down = number[++i] == '-';
      if (number[i] == '-' || number[i] == '+') ++i;
      for (; i < number.size(); ++i) exponent = std::min(exponent * 10 + (number[i] - '0'), 100'000'000L);
      if (down) exponent = -exponent;
    }
    for (long zeros = 9 + exponent - point; zeros != 0;) {
      if (zeros > 0) {
        if (digits.size() > 19) return std::nullopt;
        digits += '0';
        --zeros;
      } else {
        if (digits.back() != '0') return std::nullopt;
        digits.pop_back();
        ++zeros;
      }
    }
    const std::string largest = "9223372036854775807";
    if (digits.size() > largest.size() || (digits.size() == largest.size() && digits > largest)) return std::nullopt;
    const std::int64_t units = std::stoll(digits);
    return negative ? -units : units;
  }

  static bool is_number(std::string_view text) {
    std::size_t i = 0;
    const auto digits = [&] {
      const std::size_t start = i;
      while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
      return i - start;
    };
    if (i < text.size() && text[i] == '-') ++i;
    const std::size_t integer = i;
    if (const std::size_t count = digits(); count == 0 || (count > 1 && text[integer] == '0')) return false;
    if (i < text.size() && text[i] == '.') {
      ++i;
      if (digits() == 0) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
      ++i;
      if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
      if (digits() == 0) return false;
    }
    return i == text.size();
  }

 private:
  struct Value {
    enum class Type : std::uint8_t { kNull, kNumber, kString, kOther } type = Type::kNull;
    std::string text;
  };

  using Json = nlohmann::json;

  /// Collects the fields of the outermost object; fails on duplicate keys and on depth.
  class Handler : public nlohmann::json_sax<Json> {
   public:
    Handler(const std::vector<std::string>& numbers, std::map<std::string, Value>& fields)
        : numbers_(numbers), fields_(fields) {}

    bool null() override { return value({Value::Type::kNull, ""}); }
    bool boolean(bool) override { return value({Value::Type::kOther, ""}); }
    bool number_integer(number_integer_t) override { return false; }
    bool number_unsigned(number_unsigned_t index) override {
      // A run of number characters that is no number was left as it is: its start may look like an index, but what
      // follows is a fault.
      return index < numbers_.size() && value({Value::Type::kNumber, numbers_[static_cast<std::size_t>(index)]});
    }
    bool number_float(number_float_t, const string_t&) override { return false; }
    bool string(string_t& text) override { return value({Value::Type::kString, text}); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(); }
    bool key(string_t& name) override {
      if (keys_.size() == 1) key_ = name;
      return keys_.back().insert(name).second;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return !keys_.empty() && open(); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

   private:
    bool open() {
      if (keys_.size() == 1) fields_[key_] = {Value::Type::kOther, ""};
      keys_.emplace_back();
      return keys_.size() <= 64;
    }
    bool close() {
      keys_.pop_back();
      return true;
    }
    bool value(Value v) {
      if (keys_.size() == 1) fields_[key_] = std::move(v);
      return !keys_.empty();
    }

    const std::vector<std::string>& numbers_;
    std::map<std::string, Value>& fields_;
    std::vector<std::set<std::string>> keys_;  // of each open container
    std::string key_;
  };

  static bool parse(const std::string& line, std::map<std::string, Value>& fields) {
    if (line.starts_with("\xEF\xBB\xBF") || line.find('\0') != std::string::npos) return false;
    // Every number of the grammar is replaced by its index in `numbers`, which keeps its characters.
    std::vector<std::string> numbers;
    std::string replaced;
    bool in_string = false;
    for (std::size_t i = 0; i < line.size();) {
      const std::size_t end = in_string ? i : std::min(line.find_first_not_of("0123456789+-.eE", i), line.size());
      if (end > i) {
        const std::string token = line.substr(i, end - i);
        replaced += is_number(token) ? std::to_string(numbers.size()) : token;
        if (is_number(token)) numbers.push_back(token);
        i = end;
        continue;
      }
      if (in_string && line[i] == '\\' && i + 1 < line.size())
        replaced += line[i++];
      else if (line[i] == '"')
        in_string = !in_string;
      replaced += line[i++];
    }
    Handler handler(numbers, fields);
    return Json::sax_parse(replaced, &handler);
  }

  static std::string judge_fields(const std::map<std::string, Value>& fields, bool timestamp_required,
                                  RawQuote& quote) {
    std::map<std::string, Value> given;
    for (const std::string name : {"lp", "source", "symbol", "bid", "ask", "bid_size", "ask_size", "timestamp",
                                   "timestamp_ms", "timestamp_us", "timestamp_ns"}) {
      const auto field = fields.find(name);
      if (field == fields.end() || field->second.type == Value::Type::kNull) continue;
      if (field->second.type == Value::Type::kOther) return "malformed";
      const bool is_name = name == "lp" || name == "source" || name == "symbol";
      if (is_name && field->second.type == Value::Type::kNumber) return "malformed";
      given[name == "source" && !given.contains("lp") ? "lp" : name] = field->second;
    }
    if (given.contains("source")) return "malformed";
    const std::map<std::string, TimeUnit> units = {{"timestamp", TimeUnit::kAuto},
                                                   {"timestamp_ms", TimeUnit::kMillis},
                                                   {"timestamp_us", TimeUnit::kMicros},
                                                   {"timestamp_ns", TimeUnit::kNanos}};
    std::vector<std::string> timestamps;
    for (const auto& [name, unit] : units) {
      if (given.contains(name)) timestamps.push_back(name);
    }
    if (timestamps.size() > 1) return "malformed";

    const auto number = [&given](const std::string& name) -> std::optional<std::int64_t> {
      if (!given.contains(name) || !is_number(given[name].text)) return std::nullopt;
      return units_of(given[name].text);
    };
    const auto size = [&](const std::string& name, Quantity& out) {
      out = kNoQuantity;
      if (!given.contains(name)) return true;
      out = {number(name).value_or(-1)};
      return out.units >= 0;
    };
    if (!size("bid_size", quote.bid_size) || !size("ask_size", quote.ask_size)) return "malformed";
    quote.lp.reset();
    if (given.contains("lp")) {
      quote.lp = parse_lp(given["lp"].text);
      if (!quote.lp) return "bad_lp";
    }
    const auto symbol = given.contains("symbol") ? parse_symbol(given["symbol"].text) : std::nullopt;
    if (!symbol) return "bad_symbol";
    quote.symbol = *symbol;
    quote.bid = {number("bid").value_or(0)};
    quote.ask = {number("ask").value_or(0)};
    if (quote.bid.units <= 0 || quote.ask.units <= 0) return "bad_price";
    quote.ts_event.reset();
    if (timestamps.empty() && timestamp_required) return "bad_timestamp";
    if (!timestamps.empty()) {
      quote.ts_event = parse_timestamp(given[timestamps[0]].text, units.at(timestamps[0]));
      if (!quote.ts_event) return "bad_timestamp";
    }
    return quote.bid > quote.ask ? "crossed" : "ok";
  }
};

}  // namespace tickpipe::internal
