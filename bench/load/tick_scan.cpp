#include "load/tick_scan.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "load/stamp.h"

namespace tickpipe::internal::load {

namespace {

enum class Member { kType, kSymbol, kBid, kSpread, kSeq, kSkipped, kSnapshot, kOther };

Member member_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 3:
      return name == "bid" ? Member::kBid : name == "seq" ? Member::kSeq : Member::kOther;
    case 4:
      return name == "type" ? Member::kType : Member::kOther;
    case 6:
      return name == "symbol" ? Member::kSymbol : name == "spread" ? Member::kSpread : Member::kOther;
    case 7:
      return name == "skipped" ? Member::kSkipped : Member::kOther;
    case 8:
      return name == "snapshot" ? Member::kSnapshot : Member::kOther;
    default:
      return Member::kOther;
  }
}

MessageKind kind_of(std::string_view type) noexcept {
  if (type == "tick") return MessageKind::kTick;
  if (type == "bar") return MessageKind::kBar;
  if (type == "welcome") return MessageKind::kWelcome;
  if (type == "subscribed") return MessageKind::kSubscribed;
  if (type == "error") return MessageKind::kError;
  return MessageKind::kOther;
}

std::uint64_t whole_number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool scan(MessageFields& fields) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      std::string_view name;
      std::string_view value;
      if (!string(name) || !take(':') || !any(value)) return false;
      store(member_of(name), value, fields);
    } while (take(','));
    return take('}');
  }

 private:
  static void store(Member member, std::string_view value, MessageFields& fields) {
    switch (member) {
      case Member::kType:
        fields.kind = kind_of(value);
        break;
      case Member::kSymbol:
        fields.symbol = value;
        break;
      case Member::kBid:
        fields.bid = price_from_text(value);
        break;
      case Member::kSpread:
        fields.spread = price_from_text(value);
        break;
      case Member::kSeq:
        fields.seq = whole_number(value);
        break;
      case Member::kSkipped:
        fields.skipped = whole_number(value);
        break;
      case Member::kSnapshot:
        fields.is_snapshot = value == "true";
        break;
      case Member::kOther:
        break;
    }
  }

  bool take(char wanted) {
    while (at_ != end_ && is_space(*at_)) ++at_;
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  /// Without its quotes; escapes stay as they are.
  bool string(std::string_view& out) {
    if (!take('"')) return false;
    const char* const start = at_;
    while (at_ != end_ && *at_ != '"') at_ += *at_ == '\\' && at_ + 1 != end_ ? 2 : 1;
    if (at_ == end_) return false;
    out = {start, static_cast<std::size_t>(at_++ - start)};
    return true;
  }

  bool any(std::string_view& out) {
    while (at_ != end_ && is_space(*at_)) ++at_;
    if (at_ == end_) return false;
    if (*at_ == '"') return string(out);
    if (*at_ == '{' || *at_ == '[') return nested();
    const char* const start = at_;
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && !is_space(*at_)) ++at_;
    out = {start, static_cast<std::size_t>(at_ - start)};
    return !out.empty();
  }

  bool nested() {
    int depth = 0;
    std::string_view ignored;
    while (at_ != end_) {
      if (*at_ == '"') {
        if (!string(ignored)) return false;
        continue;
      }
      const char c = *at_++;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return true;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

class MsgpackScanner {
 public:
  explicit MsgpackScanner(std::string_view bytes) : bytes_(bytes) {}

  bool scan(MessageFields& fields) {
    const std::uint8_t tag = byte();
    std::uint64_t count = 0;
    if ((tag & 0xF0U) == 0x80) {
      count = tag & 0x0FU;
    } else if (tag == 0xDE || tag == 0xDF) {
      count = number(tag == 0xDE ? 2 : 4);
    } else {
      return false;
    }
    for (; count > 0 && is_good_; --count) {
      const Value name = value(0);
      store(member_of(name.text), value(0), fields);
    }
    return is_good_;
  }

 private:
  struct Value {
    std::string_view text;
    double number = 0;
    std::uint64_t whole = 0;
    bool is_true = false;
  };

  static std::int64_t price(const Value& value) { return std::llround(value.number * 1e9); }

  static void store(Member member, const Value& value, MessageFields& fields) {
    switch (member) {
      case Member::kType:
        fields.kind = kind_of(value.text);
        break;
      case Member::kSymbol:
        fields.symbol = value.text;
        break;
      case Member::kBid:
        fields.bid = price(value);
        break;
      case Member::kSpread:
        fields.spread = price(value);
        break;
      case Member::kSeq:
        fields.seq = value.whole;
        break;
      case Member::kSkipped:
        fields.skipped = value.whole;
        break;
      case Member::kSnapshot:
        fields.is_snapshot = value.is_true;
        break;
      case Member::kOther:
        break;
    }
  }

  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }

  std::uint64_t number(std::size_t size) {
    if (bytes_.size() - at_ < size) {
      is_good_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes_[at_ + i]);
    at_ += size;
    return value;
  }

  std::string_view text(std::uint64_t size) {
    if (bytes_.size() - at_ < size) {
      is_good_ = false;
      return {};
    }
    const std::string_view result = bytes_.substr(at_, size);
    at_ += size;
    return result;
  }

  static Value whole(std::uint64_t number) { return {{}, static_cast<double>(number), number, false}; }

  Value items(std::uint64_t count, int depth) {
    if (depth > 64) is_good_ = false;
    for (; count > 0 && is_good_; --count) value(depth + 1);
    return {};
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by items()
  Value value(int depth) {
    const std::uint8_t tag = byte();
    if (tag <= 0x7F) return whole(tag);
    if (tag <= 0x8F) return items(2ULL * (tag & 0x0FU), depth);
    if (tag <= 0x9F) return items(tag & 0x0FU, depth);
    if (tag <= 0xBF) return {text(tag & 0x1FU), 0, 0, false};
    switch (tag) {
      case 0xC0:
      case 0xC2:
        return {};
      case 0xC3:
        return {{}, 0, 0, true};
      case 0xC4:
      case 0xC5:
      case 0xC6:
        return {text(number(1U << (tag - 0xC4U))), 0, 0, false};
      case 0xCA:
        return {{}, static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(number(4)))), 0, false};
      case 0xCB:
        return {{}, std::bit_cast<double>(number(8)), 0, false};
      case 0xCC:
      case 0xCD:
      case 0xCE:
      case 0xCF:
        return whole(number(1U << (tag - 0xCCU)));
      case 0xD0:
      case 0xD1:
      case 0xD2:
      case 0xD3:
        return whole(number(1U << (tag - 0xD0U)));  // negative ones are nothing we look for
      case 0xD9:
      case 0xDA:
      case 0xDB:
        return {text(number(1U << (tag - 0xD9U))), 0, 0, false};
      case 0xDC:
      case 0xDD:
        return items(number(tag == 0xDC ? 2 : 4), depth);
      case 0xDE:
      case 0xDF:
        return items(2 * number(tag == 0xDE ? 2 : 4), depth);
      default:
        break;
    }
    if (tag < 0xE0) is_good_ = false;  // extension types; from 0xE0 on small negative numbers
    return {};
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool is_good_ = true;
};

}  // namespace

bool scan_json(std::string_view message, MessageFields& fields) { return JsonScanner(message).scan(fields); }

bool scan_msgpack(std::string_view message, MessageFields& fields) { return MsgpackScanner(message).scan(fields); }

std::optional<double> find_number(std::string_view text, std::string_view quoted_name) {
  std::size_t at = text.find(quoted_name);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.find_first_not_of(" \"", at + quoted_name.size());
  if (at == std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace tickpipe::internal::load
