#include "serve/query.h"

#include <algorithm>

#include "core/safe_text.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!out.empty()) out += ", ";
    out += name.ends_with('*') ? name.substr(0, name.size() - 1) : name;
  }
  return out;
}

}  // namespace

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return true;
}

void percent_encode(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

std::optional<Problem> Query::parse(std::string_view raw, std::span<const std::string_view> declared) {
  // Decoding never lengthens, so with this room the views into decoded_ stay where they are.
  if (raw.find_first_of("%+") != std::string_view::npos) decoded_.reserve(raw.size());
  const auto decode = [this](std::string_view& text) {
    if (text.find_first_of("%+") == std::string_view::npos) return true;
    const std::size_t start = decoded_.size();
    if (!percent_decode(text, true, decoded_)) return false;
    text = std::string_view(decoded_).substr(start);
    return true;
  };
  while (!raw.empty()) {
    const std::string_view pair = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(pair.size() + 1, raw.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string_view name = pair.substr(0, equals);
    std::string_view value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (!decode(name) || !decode(value)) {
      return Problem{400, "bad_query",
                     "the query has a % that is not followed by two hexadecimal digits: '" + safe_text(pair) + "'"};
    }
    const auto known = std::find_if(declared.begin(), declared.end(), [name](std::string_view one) {
      return one == name || (one.ends_with('*') && one.substr(0, one.size() - 1) == name);
    });
    if (known != declared.end() && known->ends_with('*')) {
      repeated_.push_back({known->substr(0, known->size() - 1), value});
      continue;
    }
    if (known == declared.end()) {
      return Problem{400, "unknown_parameter",
                     "unknown query parameter '" + safe_text(name) + "'; " +
                         (declared.empty() ? "this path takes none" : "this path takes " + joined(declared))};
    }
    if (find(name)) return Problem{400, "repeated_parameter", std::string(*known) + " is given more than once"};
    parameters_[count_++] = {*known, value};
  }
  return std::nullopt;
}

std::optional<std::string_view> Query::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (parameters_[i].name == name) return parameters_[i].value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Parameter& one : repeated_) {
    if (one.name == name) values.push_back(one.value);
  }
  return values;
}

void ParameterReader::refuse(std::string_view name, std::string_view value, std::string_view rule) {
  std::string detail(name);
  detail += " must be ";
  detail += rule;
  detail += value.empty() ? ", and is empty" : ", not '" + safe_text(value) + "'";
  fail({400, "bad_parameter", std::move(detail)});
}

std::size_t ParameterReader::limit(std::size_t fallback) {
  const auto value = query_.find("limit");
  if (!value) return fallback;
  const bool is_number = !value->empty() && value->size() <= 5 && value->front() != '0' &&
                         std::all_of(value->begin(), value->end(), [](char c) { return c >= '0' && c <= '9'; });
  std::size_t number = 0;
  if (is_number) {
    for (const char c : *value) number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  if (number >= 1 && number <= kMaxLimit) return number;
  refuse("limit", *value, "a whole number from 1 to 10000");
  return fallback;
}

std::optional<UnixNanos> ParameterReader::time(std::string_view name) {
  const auto value = query_.find(name);
  if (!value) return std::nullopt;
  std::optional<UnixNanos> time;
  // Behind the date and the character that divides it from the time, a space can only have been the + of an offset.
  constexpr std::size_t kDateAndDivider = 11;
  constexpr std::size_t kLongestTime = 64;
  if (const std::size_t space = value->find(' ', kDateAndDivider);
      space != std::string_view::npos && value->size() <= kLongestTime) {
    std::string repaired(*value);
    repaired[space] = '+';
    time = parse_time_bound(repaired);
  } else {
    time = parse_time_bound(*value);
  }
  if (!time) refuse(name, *value, "a Unix time or an ISO 8601 date and time");
  return time;
}

bool ParameterReader::either(std::string_view name, std::string_view yes, std::string_view no, bool fallback) {
  const auto value = query_.find(name);
  if (!value) return fallback;
  if (*value == yes) return true;
  if (*value == no) return false;
  refuse(name, *value, "'" + std::string(yes) + "' or '" + std::string(no) + "'");
  return fallback;
}

bool ParameterReader::boolean(std::string_view name, bool fallback) { return either(name, "true", "false", fallback); }

std::optional<std::string_view> ParameterReader::text(std::string_view name, std::string_view rule) {
  const auto value = query_.find(name);
  if (value && value->empty()) refuse(name, *value, rule);
  return value;
}

}  // namespace tickpipe::internal
