#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tickpipe::internal {

/// Generates lines around what a quote is: valid ones in every spelling, ones with a field that is wrong in value, type
/// or grammar, and damaged ones. The same seed gives the same lines.
class HostileLines {
 public:
  explicit HostileLines(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    Fields fields = good_fields();
    switch (below(10)) {
      case 0:
      case 1:
        return text_of(fields);
      case 2:
      case 3:
        fields[below(fields.size())].second = any_value(0);
        return text_of(fields);
      case 4:
        fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(below(fields.size())), {any_key(), any_value(0)});
        return text_of(fields);
      case 5:
        fields.emplace_back("deep", deep_value());
        return text_of(fields);
      default: {
        std::string line = text_of(fields);
        for (std::size_t n = one_of<std::size_t>({1, 1, 1, 2, 3}); n > 0; --n) damage(line);
        return line;
      }
    }
  }

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + below(choices.size()));
  }
  std::string text(std::initializer_list<std::string_view> choices) { return std::string(one_of(choices)); }

  std::string space() {
    if (below(400) == 0) return text({"\v", "\f", "\xC2\xA0", "\x1a", "\xEF\xBB\xBF", {"\0", 1}, "/**/"});
    return chance(20) ? text({" ", "\t", "\r", "\n", "  "}) : "";
  }

  std::string number() {
    if (chance(5)) return std::string(400, '1');
    if (chance(5)) return "0." + std::string(400, '0') + text({"", "1"});
    return text({"1", "0", "-1", "-0", "1.5", "1.12345", "1.12346", "1e5", "1E-3", "1e999", "1e-999", "1000e-3",
                 "0e99999999999", "1e1000000000000", "0.0000000001", "9223372036.854775807", "9223372036.854775808",
                 "1768514400", "1768514400000",
                 // and some that are none
                 "01", "1.", ".5", "+1", "-", "--1", "1e", "1e+", "01.2.3e", "0x10", "1_0", "NaN", "Infinity",
                 "-Infinity", "1 2", "1\"", "1\xD9\xA0", "tru", "nul", "nulll", "True", "truefalse"});
  }

  std::string string_body() {
    return text({"EURUSD",
                 "eurusd",
                 "EUR/USD",
                 "EUR..USD",
                 "EUR//USD",
                 ".EUR",
                 "",
                 "AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDD",
                 "AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDE",
                 "\xC3\xA9",
                 "\\u0045URUSD",
                 "EUR\\/USD",
                 "EUR\\u0000",
                 "\\ud800",
                 "\\udc00",
                 "\\ud83d\\ude00",
                 "\\ud83d\\u0041",
                 "\\ud83dx",
                 "\\uD83D\\uDE0",
                 "\\x41",
                 "\\\"",
                 "\\\\",
                 R"(\b\f\n\r\t)",
                 "\x01",
                 "\t",
                 "\x7f",
                 "\xE2\x80\xAE",
                 "LP 1",
                 "LP_1",
                 "\\u00e9",
                 "\\",
                 "\\u12G4",
                 "\xEF\xBB\xBF",
                 "\xF0\x9F\x98\x80",
                 "\xED\xA0\x80",
                 "\xC0\x80",
                 "\xFF",
                 "1.5",
                 " 1",
                 "1 ",
                 "1e0",
                 "2026-01-15T22:00:00Z",
                 "1768514400000",
                 "NaN"});
  }

  std::string timestamp() {
    return text({"1768514400", "1768514400000", "1768514400000000", "1768514400000000000", "\"2026-01-15T22:00:00Z\"",
                 "\"2026-01-15 22:00:00.123456789123+02:30\"", "\"1768514400.5\"", "1768514400.123456789",
                 "1.7685144e9", "\"1768514400\"", "0", "94694400", "94694399", "\"2026-02-29T00:00:00\"", "-1768514400",
                 "1e400"});
  }

  std::string any_key() {
    return text({"lp",        "source",       "symbol",       "bid",          "ask",     "bid_size", "ask_size",
                 "timestamp", "timestamp_ms", "timestamp_us", "timestamp_ns", "x",       "y",        "BID",
                 "b\\u0069d", "\\u0062id",    "l\\u0070",     "\xC3\xA9",     "\\u00e9", "",         "a\\",
                 "\"",        "\\ud800",      "bid ",         "\\u0000"});
  }

  std::string any_value(int depth) {
    const std::size_t kind = below(depth > 4 ? 70 : 100);
    if (kind < 30) return number();
    if (kind < 55) return "\"" + string_body() + "\"";
    if (kind < 62) return timestamp();
    if (kind < 70) return text({"true", "false", "null"});
    const bool object = kind < 86;
    std::string out = object ? "{" : "[";
    for (std::size_t n = below(4), i = 0; i < n; ++i) {
      if (i > 0) out += ",";
      if (object) out += space() + "\"" + any_key() + "\"" + space() + ":";
      out += space() + any_value(depth + 1) + space();
    }
    return out + (object ? "}" : "]");
  }

  std::string deep_value() {
    const std::size_t depth = one_of<std::size_t>({2, 61, 62, 63, 63, 64, 65, 66, 1000});
    const std::size_t closed = depth + (chance(80) ? 0 : one_of<std::size_t>({1, std::size_t{0} - 1}));
    const bool object = chance(50);
    std::string out;
    for (std::size_t i = 0; i < depth; ++i) out += object ? "{\"a\":" : "[";
    out += object ? "1" : text({"", "1"});
    return out + std::string(closed, object ? '}' : ']');
  }

  Fields good_fields() {
    Fields fields;
    const std::string bid = text({"1.12345", "\"1.12345\"", "1", "1e0", "99999.5"});
    if (chance(70)) fields.emplace_back(text({"lp", "source", "l\\u0070"}), text({"\"LP1\"", "\"a.b-c_D\"", "null"}));
    fields.emplace_back(text({"symbol", "symbol", "s\\u0079mbol"}),
                        text({"\"EURUSD\"", "\"eur/usd\"", R"("\u0045UR")"}));
    fields.emplace_back("bid", bid);
    fields.emplace_back(text({"ask", "\\u0061sk"}), chance(50) ? bid : text({"1.12346", "\"2\"", "100000"}));
    if (chance(90)) {
      fields.emplace_back(text({"timestamp", "timestamp", "timestamp", "timestamp_ms"}),
                          chance(60) ? "1768514400000" : timestamp());
    }
    if (chance(30)) fields.emplace_back("bid_size", text({"1", "\"2.5\"", "null", "0", "-1"}));
    if (chance(30)) fields.emplace_back("ask_size", text({"1000000", "\"2.5\"", "null", "\"x\""}));
    if (chance(15)) fields.emplace_back(text({"x", "\xC3\xA9", "ext"}), any_value(0));
    std::shuffle(fields.begin(), fields.end(), random_);
    return fields;
  }

  std::string text_of(const Fields& fields) {
    std::string out = space() + "{";
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out += ",";
      out += space() + "\"" + fields[i].first + "\"" + space() + ":" + space() + fields[i].second + space();
    }
    return out + "}" + space();
  }

  void damage(std::string& line) {
    constexpr std::string_view kMarks = "{}[]\",:\\ntfe0-.+ \f\x1a\r\n\t";
    const std::size_t at = below(line.size() + 1);
    const bool inside = at < line.size();
    switch (below(8)) {
      case 0:
        if (inside) line[at] = static_cast<char>(line[at] ^ (1 << below(8)));
        break;
      case 1:
        line.resize(std::max<std::size_t>(std::min(at, line.size()), 1));
        break;
      case 2:
        line.insert(at, 1, kMarks[below(kMarks.size())]);
        break;
      case 3:
        line.insert(at, text({"\xFF",
                              "\xC0\x80",
                              "\xED\xA0\x80",
                              "\xF4\x90\x80\x80",
                              "\xE2\x80\xAE",
                              "\xEF\xBB\xBF",
                              "\x7f",
                              "\xC3",
                              "\xF0\x9F\x98\x80",
                              {"\0", 1},
                              "\x01",
                              "NaN",
                              "1e999",
                              "\\ud800"}));
        break;
      case 4:
        if (inside) line.erase(at, 1);
        break;
      case 6:  // the end of some container becomes the end of the line
        line.resize(std::min(line.find_first_of("}]", at), line.size() - 1) + 1);
        break;
      case 5:
        if (inside) line[at] = kMarks[below(kMarks.size())];
        break;
      default:
        line.insert(at, line.substr(at, 1 + below(12)));
        break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace tickpipe::internal
