#include "ingest/json_decoder.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "core/decimal.h"
#include "ingest/quote_fields.h"

namespace tickpipe::internal {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

constexpr const char* kNotWellFormed = "not well-formed JSON";
constexpr const char* kNotAnObject = "not a JSON object";

const char* describe(simdjson::error_code error) noexcept {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "unterminated string";
    case simdjson::UNESCAPED_CHARS:
      return "control character in a string";
    case simdjson::EMPTY:
    case simdjson::INCORRECT_TYPE:
      return kNotAnObject;
    default:
      return kNotWellFormed;
  }
}

std::string_view without_trailing_space(std::string_view token) noexcept {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\t' || token.back() == '\n' || token.back() == '\r'))
    token.remove_suffix(1);
  return token;
}

/// Four hex digits at `p` as a number, or -1.
std::int32_t hex4(const char* p) noexcept {
  std::int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    std::int32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

char* put_utf8(char* out, std::int32_t code_point) noexcept {
  const auto put = [&out](std::int32_t byte) { *out++ = static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3f));
    put(0x80 | ((code_point >> 6) & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
  return out;
}

/// Writes the string that `raw`, the characters between two quotes, stands for; never longer than `raw`. Returns the
/// end of what was written, or nullptr for an unknown escape or a lone surrogate.
char* unescape(std::string_view raw, char* out) noexcept {
  const char* p = raw.data();
  const char* const end = p + raw.size();
  while (p != end) {
    if (*p != '\\') {
      *out++ = *p++;
      continue;
    }
    if (end - p < 2) return nullptr;
    const char escape = p[1];
    p += 2;
    switch (escape) {
      case '"':
      case '\\':
      case '/':
        *out++ = escape;
        break;
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        std::int32_t code_point = end - p < 4 ? -1 : hex4(p);
        if (code_point < 0) return nullptr;
        p += 4;
        if (code_point >= 0xdc00 && code_point <= 0xdfff) return nullptr;
        if (code_point >= 0xd800 && code_point <= 0xdbff) {
          if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return nullptr;
          const std::int32_t low = hex4(p + 2);
          if (low < 0xdc00 || low > 0xdfff) return nullptr;
          p += 6;
          code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
        }
        out = put_utf8(out, code_point);
        break;
      }
      default:
        return nullptr;
    }
  }
  return out;
}

bool has_escape(std::string_view raw) noexcept {
  return !raw.empty() && std::memchr(raw.data(), '\\', raw.size()) != nullptr;
}

/// Whether two of `keys` are equal; may reorder them.
bool has_duplicate(std::string_view* first, std::string_view* last) noexcept {
  constexpr std::ptrdiff_t kFewKeys = 8;
  if (last - first <= kFewKeys) {
    for (auto a = first; a != last; ++a) {
      if (std::find(a + 1, last, *a) != last) return true;
    }
    return false;
  }
  std::sort(first, last,
            [](std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return std::adjacent_find(first, last) != last;
}

}  // namespace

/// simdjson finds the tokens, checks UTF-8 and that strings end and hold no control characters, and follows the
/// brackets and commas. It looks at no more of a skipped value than its brackets, and takes numbers such as `01.2.3e`
/// as tokens, so every value is visited here and every number, literal and escape is checked from its characters.
///
/// All functions that can refuse return nullptr for good, else the detail.
///
/// simdjson's iterator relies on its caller not to run off the line, into what the padding holds and old tokens. It
/// does make sure that the last token is a `}`, so that only two things lead there: moving on after a fault, and moving
/// on after that `}` closed an inner container. Hence every fault returns at once, and at_end() is asked after every
/// inner container.
class JsonDecoder::Impl {
 public:
  explicit Impl(bool timestamp_required) noexcept : timestamp_required_(timestamp_required) {}

  DecodeResult decode(std::string_view line, RawQuote& out) {
    reserve(line.size());
    if (const char* fault = parse(line)) return DecodeResult::malformed(fault);
    return check_quote_fields(fields_, timestamp_required_, out);
  }

 private:
  void reserve(std::size_t line_bytes) {
    unescaped_end_ = unescaped_.data();
    if (line_bytes <= std::min(parser_.capacity(), unescaped_.size()) && !unescaped_.empty()) return;
    constexpr std::size_t kLeastCapacity = 4096;
    const std::size_t capacity = std::bit_ceil(std::max(line_bytes, kLeastCapacity));
    // Unescaping never lengthens, so what all strings of the line unescape to fits and never moves.
    unescaped_.resize(capacity);
    unescaped_end_ = unescaped_.data();
    if (parser_.allocate(std::min(capacity, std::size_t{simdjson::SIMDJSON_MAXSIZE_BYTES})) == simdjson::MEMALLOC) {
      throw std::bad_alloc();
    }
  }

  const char* parse(std::string_view line) {
    fields_.clear();
    keys_.clear();
    if (const auto error = parser_.iterate(line, line.size() + kJsonPadding).get(document_)) return describe(error);
    ondemand::object object;
    if (const auto error = document_.get_object().get(object)) return describe(error);
    if (const char* fault = read_quote(object)) return fault;
    return at_end() ? nullptr : "text after the object";
  }

  /// Whether the last token was read. At the end there is no current location.
  bool at_end() noexcept { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

  const char* read_quote(ondemand::object& object) {
    QuoteFieldSet seen = 0;
    for (auto result : object) {
      ondemand::field field;
      if (const auto error = std::move(result).get(field)) return describe_inner(error);
      std::string_view key;
      if (const char* fault = read_string(raw_key(field), key)) return fault;
      const std::optional<QuoteField> known = find_quote_field(key);
      if (!known) {
        keys_.push_back(key);
        if (const char* fault = check_value(field.value(), 1)) return fault;
        continue;
      }
      if ((seen & field_bit(*known)) != 0) return kDuplicateKey;
      seen = static_cast<QuoteFieldSet>(seen | field_bit(*known));
      if (const char* fault = read_known(field.value(), *known)) return fault;
    }
    return has_duplicate(keys_.data(), keys_.data() + keys_.size()) ? kDuplicateKey : nullptr;
  }

  const char* read_known(ondemand::value& value, QuoteField field) {
    const std::string_view token = without_trailing_space(raw_token(value));
    if (token.front() == '"') {
      std::string_view text;
      if (const char* fault = take_string(value, text)) return fault;
      fields_.set(field, text);
      return nullptr;
    }
    if (token == "null") return nullptr;
    if (!split_number(token).valid) return "field is neither a string nor a number";
    if (field == QuoteField::kSymbol || (field_bit(field) & kLpFields) != 0) return "name is not a string";
    fields_.set(field, token);
    return nullptr;
  }

  /// Checks a value whose content does not matter; its container has depth `depth`.
  const char* check_value(ondemand::value& value, int depth) {
    const std::string_view token = without_trailing_space(raw_token(value));
    switch (token.front()) {
      case '{':
      case '[': {
        if (depth == kMaxJsonDepth) return kTooDeep;
        const char* const fault = token.front() == '{' ? check_object(value, depth + 1) : check_array(value, depth + 1);
        if (fault != nullptr) return fault;
        return at_end() ? "unterminated container" : nullptr;
      }
      case '"': {
        char* const before = unescaped_end_;
        std::string_view text;
        const char* const fault = take_string(value, text);
        unescaped_end_ = before;
        return fault;
      }
      case 't':
        return token == "true" ? nullptr : kBadLiteral;
      case 'f':
        return token == "false" ? nullptr : kBadLiteral;
      case 'n':
        return token == "null" ? nullptr : kBadLiteral;
      default:
        return split_number(token).valid ? nullptr : kBadNumber;
    }
  }

  const char* check_object(ondemand::value& value, int depth) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return describe_inner(error);
    const std::size_t first_key = keys_.size();
    char* const before = unescaped_end_;
    for (auto result : object) {
      ondemand::field field;
      if (const auto error = std::move(result).get(field)) return describe_inner(error);
      std::string_view key;
      if (const char* fault = read_string(raw_key(field), key)) return fault;
      keys_.push_back(key);
      if (const char* fault = check_value(field.value(), depth)) return fault;
    }
    if (has_duplicate(keys_.data() + first_key, keys_.data() + keys_.size())) return kDuplicateKey;
    keys_.resize(first_key);
    unescaped_end_ = before;
    return nullptr;
  }

  const char* check_array(ondemand::value& value, int depth) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return describe_inner(error);
    for (auto result : array) {
      ondemand::value element;
      if (const auto error = result.get(element)) return describe_inner(error);
      if (const char* fault = check_value(element, depth)) return fault;
    }
    return nullptr;
  }

  /// The characters from the start of `value` to the start of the next token; never empty.
  static std::string_view raw_token(ondemand::value& value) noexcept { return value.raw_json_token(); }

  /// The characters of a key between its quotes. simdjson gives only the start, but has seen that the string ends.
  static std::string_view raw_key(ondemand::field& field) noexcept {
    const char* const start = field.key().raw();
    const char* p = start;
    for (; *p != '"'; ++p) {
      if (*p == '\\') ++p;
    }
    return {start, static_cast<std::size_t>(p - start)};
  }

  /// Reads the string `value` and moves simdjson past it. An unread string must not be left to simdjson's own skipping,
  /// which takes it for a key if a colon follows.
  const char* take_string(ondemand::value& value, std::string_view& text) {
    std::string_view raw = without_trailing_space(raw_token(value));
    ondemand::raw_json_string unused;
    if (const auto error = value.get_raw_json_string().get(unused)) return describe_inner(error);
    raw.remove_prefix(1);
    raw.remove_suffix(1);
    return read_string(raw, text);
  }

  /// What `raw` stands for: itself, or its unescaped copy, which lives until the decoder's next line.
  const char* read_string(std::string_view raw, std::string_view& text) noexcept {
    text = raw;
    if (!has_escape(raw)) return nullptr;
    char* const end = unescape(raw, unescaped_end_);
    if (end == nullptr) return "bad escape or lone surrogate in a string";
    text = {unescaped_end_, static_cast<std::size_t>(end - unescaped_end_)};
    unescaped_end_ = end;
    return nullptr;
  }

  static const char* describe_inner(simdjson::error_code error) noexcept {
    return error == simdjson::INCORRECT_TYPE ? kNotWellFormed : describe(error);
  }

  static constexpr const char* kDuplicateKey = "duplicate key";
  static constexpr const char* kTooDeep = "nested more than 64 deep";
  static constexpr const char* kBadNumber = "not a JSON number";
  static constexpr const char* kBadLiteral = "not true, false or null";

  ondemand::parser parser_;
  ondemand::document document_;
  QuoteFields fields_;
  std::vector<std::string_view> keys_;  // of all objects that are open, the innermost last
  std::vector<char> unescaped_;
  char* unescaped_end_ = nullptr;
  bool timestamp_required_;
};

JsonDecoder::JsonDecoder(bool timestamp_required) : impl_(std::make_unique<Impl>(timestamp_required)) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;
JsonDecoder& JsonDecoder::operator=(JsonDecoder&&) noexcept = default;

DecodeResult JsonDecoder::decode(std::string_view line, RawQuote& out) { return impl_->decode(line, out); }

}  // namespace tickpipe::internal
