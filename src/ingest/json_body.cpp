#include "ingest/json_body.h"

#include <simdjson.h>

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "model/raw_quote.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

const char* skip_space(const char* p) noexcept {
  while (is_space(*p)) ++p;
  return p;
}

/// The characters at which the plain run of a string ends: its quote, an escape, a control character.
constexpr std::array<bool, 256> kEndsRun = [] {
  std::array<bool, 256> ends{};
  for (std::size_t c = 0; c < 0x20; ++c) ends[c] = true;
  ends['"'] = true;
  ends['\\'] = true;
  return ends;
}();

const char* skip_run(const char* p) noexcept {
  while (!kEndsRun[static_cast<unsigned char>(*p)]) ++p;
  return p;
}

/// Whether each level of nesting is an object or an array.
class BitStack {
 public:
  void push(bool is_object) {
    if (++depth_ % 64 == 0) full_.push_back(top_);
    top_ = (top_ << 1) | static_cast<std::uint64_t>(is_object);
  }
  void pop() noexcept {
    top_ >>= 1;
    if (depth_-- % 64 != 0) return;
    top_ = full_.back();
    full_.pop_back();
  }
  [[nodiscard]] bool top_is_object() const noexcept { return (top_ & 1) != 0; }
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

 private:
  std::vector<std::uint64_t> full_;
  std::uint64_t top_ = 0;
  std::size_t depth_ = 0;
};

/// Checks one JSON array by the grammar. The text is followed by a zero, which fits nowhere, so that no step has to ask
/// where the text ends. Functions return false after a fault; at() is then where it is.
class ArrayChecker {
 public:
  explicit ArrayChecker(const char* array) noexcept : p_(array) {}

  bool check() {
    while (true) {
      p_ = skip_space(p_);
      bool opened = false;
      if (*p_ == '[' || *p_ == '{') {
        nesting_.push(*p_ == '{');
        p_ = skip_space(p_ + 1);
        opened = *p_ != (nesting_.top_is_object() ? '}' : ']');
      } else if (!check_scalar()) {
        return false;
      }
      if (!opened) {
        if (!close_containers()) return false;
        if (nesting_.depth() == 0) return true;
      }
      if (nesting_.depth() == 1) ++element_count_;  // the outermost is an array
      if (nesting_.top_is_object() && !check_key()) return false;
    }
  }

  [[nodiscard]] const char* at() const noexcept { return p_; }
  [[nodiscard]] const char* fault() const noexcept { return fault_; }
  [[nodiscard]] std::uint64_t element_count() const noexcept { return element_count_; }

 private:
  bool fail(const char* fault) noexcept {
    fault_ = fault;
    return false;
  }

  /// Behind a value: closes what ends there, and passes the comma before the next value or key.
  bool close_containers() noexcept {
    while (true) {
      p_ = skip_space(p_);
      if (*p_ == ',') {
        p_ = skip_space(p_ + 1);
        return true;
      }
      const bool in_object = nesting_.top_is_object();
      if (*p_ != (in_object ? '}' : ']')) {
        return fail(in_object ? "a comma or the end of an object is missing"
                              : "a comma or the end of an array is missing");
      }
      ++p_;
      nesting_.pop();
      if (nesting_.depth() == 0) return true;
    }
  }

  bool check_key() noexcept {
    if (*p_ != '"') return fail("not a key");
    if (!check_string()) return false;
    p_ = skip_space(p_);
    if (*p_ != ':') return fail("a colon is missing");
    ++p_;
    return true;
  }

  bool check_scalar() noexcept {
    switch (*p_) {
      case '"':
        return check_string();
      case 't':
        return check_literal("true");
      case 'f':
        return check_literal("false");
      case 'n':
        return check_literal("null");
      default:
        return check_number();
    }
  }

  bool check_literal(std::string_view literal) noexcept {
    for (const char c : literal) {
      if (*p_ != c) return fail("not a JSON value");
      ++p_;
    }
    return true;
  }

  bool check_string() noexcept {
    ++p_;
    while (true) {
      p_ = skip_run(p_);
      if (*p_ == '"') {
        ++p_;
        return true;
      }
      if (*p_ != '\\') return fail("a string does not end, or holds a control character");
      ++p_;
      if (*p_ == 'u') {
        for (int i = 0; i < 4; ++i) {
          ++p_;
          if (!is_hex(*p_)) return fail("bad escape in a string");
        }
      } else if (*p_ == '\0' || std::strchr("\"\\/bfnrt", *p_) == nullptr) {
        return fail("bad escape in a string");
      }
      ++p_;
    }
  }

  bool check_number() noexcept {
    if (*p_ == '-') {
      ++p_;
      if (!is_digit(*p_)) return fail("not a JSON number");
    }
    if (*p_ == '0') {
      ++p_;
      if (is_digit(*p_)) return fail("not a JSON number");
    } else if (!is_digit(*p_)) {
      return fail("not a JSON value");
    }
    skip_digits();
    if (*p_ == '.') {
      ++p_;
      if (!is_digit(*p_)) return fail("not a JSON number");
      skip_digits();
    }
    if (*p_ == 'e' || *p_ == 'E') {
      ++p_;
      if (*p_ == '+' || *p_ == '-') ++p_;
      if (!is_digit(*p_)) return fail("not a JSON number");
      skip_digits();
    }
    return true;
  }

  void skip_digits() noexcept {
    while (is_digit(*p_)) ++p_;
  }

  const char* p_;
  const char* fault_ = "";
  BitStack nesting_;
  std::uint64_t element_count_ = 0;
};

/// The length of the UTF-8 sequence at `p`, 0 if it is none. A zero follows the text.
std::size_t utf8_length(const char* p) noexcept {
  const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continues(1) ? 2 : 0;
  if (lead < 0xf0) {
    if (!continues(1) || (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
    return continues(2) ? 3 : 0;
  }
  if (lead > 0xf4 || !continues(1) || (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
  return continues(2) && continues(3) ? 4 : 0;
}

std::size_t first_bad_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_length(text.data() + at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

/// The end of the object at `p`, or nullptr if its brace has no match or it holds no line break. Only braces and
/// strings are looked at. A string that goes over a line end is a broken line and not part of an object.
const char* end_of_printed_object(const char* p, const char* end) noexcept {
  std::size_t depth = 0;
  bool has_line_break = false;
  while (p != end) {
    switch (*p++) {
      case '{':
        ++depth;
        break;
      case '}':
        if (--depth == 0) return has_line_break ? p : nullptr;
        break;
      case '\n':
        has_line_break = true;
        break;
      case '"':
        p = skip_run(p);
        while (*p == '\\' && p + 1 < end) p = skip_run(p + 2);
        if (*p != '"') return nullptr;
        ++p;
        break;
      default:
        break;
    }
  }
  return nullptr;
}

enum class Mark : std::uint8_t { kNone, kQuote, kOpen, kClose, kComma };

constexpr std::array<Mark, 256> kMarks = [] {
  std::array<Mark, 256> marks{};
  marks['"'] = Mark::kQuote;
  marks['['] = marks['{'] = Mark::kOpen;
  marks[']'] = marks['}'] = Mark::kClose;
  marks[','] = Mark::kComma;
  return marks;
}();

/// The comma or bracket behind the element at `p` of a well-formed array.
const char* end_of_element(const char* p) noexcept {
  std::size_t depth = 0;
  for (;; ++p) {
    switch (kMarks[static_cast<unsigned char>(*p)]) {
      case Mark::kNone:
        break;
      case Mark::kQuote:
        for (p = skip_run(p + 1); *p == '\\';) p = skip_run(p + 2);
        break;
      case Mark::kOpen:
        ++depth;
        break;
      case Mark::kClose:
        if (depth == 0) return p;
        --depth;
        break;
      case Mark::kComma:
        if (depth == 0) return p;
        break;
    }
  }
}

}  // namespace

JsonBody::JsonBody(std::string body, std::size_t max_line_bytes)
    : body_(std::move(body)), end_(body_.size()), max_line_bytes_(max_line_bytes) {
  body_.append(kJsonPadding, '\0');
  if (body_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  const char* const start = body_.data();
  const char* const end = start + end_;
  const char* const first = skip_space(start + at_);

  if (*first == '[') {
    form_ = Form::kArray;
    ArrayChecker checker(first);
    const auto fail = [&](const char* text, std::size_t offset) {
      error_text_ = text;
      error_offset_ = offset;
    };
    if (!simdjson::validate_utf8(start, end_)) {
      fail("not valid UTF-8", first_bad_utf8({start, end_}));
    } else if (!checker.check()) {
      fail(checker.at() == end ? "the array does not end" : checker.fault(),
           static_cast<std::size_t>(checker.at() - start));
    } else if (const char* behind = skip_space(checker.at()); behind != end) {
      fail("text after the array", static_cast<std::size_t>(behind - start));
    } else {
      item_count_ = checker.element_count();
      at_ = static_cast<std::size_t>(first + 1 - start);
    }
  } else if (*first == '{') {
    const char* const close = end_of_printed_object(first, end);
    if (close == nullptr || skip_space(close) != end) return;
    form_ = Form::kObject;
    item_count_ = 1;
    at_ = static_cast<std::size_t>(first - start);
    end_ = static_cast<std::size_t>(close - start);
  }
}

bool JsonBody::next(Line& line) noexcept {
  if (form_ == Form::kLines) return next_line(line);
  if (number_ == item_count_) return false;
  if (form_ == Form::kArray) return next_element(line);
  line.number = ++number_;
  give({body_.data() + at_, end_ - at_}, line);
  return true;
}

bool JsonBody::next_line(Line& line) noexcept {
  while (at_ < end_) {
    const char* const start = body_.data() + at_;
    const auto* const line_end = static_cast<const char*>(std::memchr(start, '\n', end_ - at_));
    std::string_view text(start, line_end == nullptr ? end_ - at_ : static_cast<std::size_t>(line_end - start));
    at_ += text.size() + (line_end == nullptr ? 0 : 1);
    ++number_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.find_first_not_of(" \t") == std::string_view::npos) continue;
    line.number = number_;
    give(text, line);
    return true;
  }
  return false;
}

bool JsonBody::next_element(Line& line) noexcept {
  const char* const start = skip_space(body_.data() + at_);
  const char* const mark = end_of_element(start);
  at_ = static_cast<std::size_t>(mark + 1 - body_.data());
  const char* end = mark;
  while (is_space(end[-1])) --end;
  line.number = ++number_;
  give({start, static_cast<std::size_t>(end - start)}, line);
  return true;
}

void JsonBody::give(std::string_view text, Line& line) const noexcept {
  line.too_long = text.size() > max_line_bytes_;
  line.text = line.too_long ? std::string_view{} : text;
}

std::uint64_t JsonBody::remaining() const noexcept {
  if (form_ != Form::kLines) return item_count_ - number_;
  std::uint64_t count = 0;
  bool blank = true;
  for (std::size_t i = at_; i < end_; ++i) {
    const char c = body_[i];
    if (c == '\n') {
      if (!blank) ++count;
      blank = true;
    } else if (c != ' ' && c != '\t' && !(c == '\r' && (i + 1 == end_ || body_[i + 1] == '\n'))) {
      blank = false;
    }
  }
  return blank ? count : count + 1;
}

}  // namespace tickpipe::internal
