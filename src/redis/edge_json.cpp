#include "redis/edge_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>

#include "core/decimal.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

/// A member of a flat object.
struct Member {
  enum class Kind : std::uint8_t { kText, kNumber, kLiteral, kList };
  std::string_view name;
  Kind kind = Kind::kText;
  std::string_view value;  ///< a text without its quotes, a list without its brackets
};

/// Goes through the members of a flat object.
class FlatObject {
 public:
  explicit FlatObject(std::string_view json) noexcept : rest_(json) {}

  /// Calls `take(member)` for each, until that is false. Returns whether the text is such an object, and all were
  /// taken.
  template <typename Take>
  bool for_each(Take take) noexcept {
    skip_space();
    if (!skip('{')) return false;
    skip_space();
    if (skip('}')) return is_at_end();
    while (true) {
      Member member;
      if (!text(member.name)) return false;
      skip_space();
      if (!skip(':')) return false;
      skip_space();
      if (!value(member) || !take(member)) return false;
      skip_space();
      if (skip('}')) return is_at_end();
      if (!skip(',')) return false;
      skip_space();
    }
  }

  /// Calls `take(text)` for each text of a list, given without its brackets.
  template <typename Take>
  static bool for_each_text(std::string_view list, Take take) noexcept {
    FlatObject in(list);
    in.skip_space();
    while (!in.rest_.empty()) {
      std::string_view one;
      if (!in.text(one)) return false;
      take(one);
      in.skip_space();
      if (in.rest_.empty()) return true;
      if (!in.skip(',')) return false;
      in.skip_space();
      if (in.rest_.empty()) return false;
    }
    return true;
  }

 private:
  void skip_space() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool skip(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool is_at_end() noexcept {
    skip_space();
    return rest_.empty();
  }
  /// What a name of ours holds needs no escape, and no byte beyond ASCII.
  bool text(std::string_view& out) noexcept {
    if (!skip('"')) return false;
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f;
    });
    if (end == rest_.end() || *end != '"') return false;
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    out = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return true;
  }
  bool value(Member& member) noexcept {
    if (rest_.empty()) return false;
    if (rest_.front() == '"') {
      member.kind = Member::Kind::kText;
      return text(member.value);
    }
    if (rest_.front() == '[') {
      const std::size_t end = rest_.find(']');
      if (end == std::string_view::npos) return false;
      member.kind = Member::Kind::kList;
      member.value = rest_.substr(1, end - 1);
      rest_.remove_prefix(end + 1);
      return true;
    }
    const std::size_t size = std::min(rest_.find_first_of(",} \t\r\n"), rest_.size());
    member.value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    const bool is_literal = member.value == "true" || member.value == "false" || member.value == "null";
    member.kind = is_literal ? Member::Kind::kLiteral : Member::Kind::kNumber;
    return is_literal || split_number(member.value).valid;
  }

  std::string_view rest_;
};

/// Which members of one object were there already.
template <std::size_t N>
class Names {
 public:
  constexpr explicit Names(const std::array<std::string_view, N>& names) noexcept : names_(names) {}
  static constexpr std::size_t kUnknown = N;

  /// The place of `name`. Nothing if it was there before.
  std::optional<std::size_t> meet(std::string_view name) noexcept {
    const auto at = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    if (at == kUnknown) return at;
    if ((seen_ & (1U << at)) != 0) return std::nullopt;
    seen_ |= 1U << at;
    return at;
  }
  /// Whether the first `count` were there.
  [[nodiscard]] bool has_first(std::size_t count) const noexcept {
    const unsigned wanted = (1U << count) - 1;
    return (seen_ & wanted) == wanted;
  }

 private:
  const std::array<std::string_view, N>& names_;
  unsigned seen_ = 0;
};

bool read_symbol(const Member& member, Name& out) noexcept {
  const auto name = member.kind == Member::Kind::kText ? parse_symbol(member.value) : std::nullopt;
  if (!name || name->view() != member.value) return false;  // as a node writes it: in upper case
  out = *name;
  return true;
}

bool read_units(const Member& member, std::int64_t& out) noexcept {
  const Decimal number = member.kind == Member::Kind::kNumber ? parse_decimal(member.value) : Decimal{};
  out = number.units;
  return number.status == DecimalStatus::kOk && number.units >= 0;
}

bool read_price(const Member& member, Price& out) noexcept { return read_units(member, out.units) && out.units > 0; }

template <std::unsigned_integral Number>
bool read_count(const Member& member, Number& out) noexcept {
  const char* const end = member.value.data() + member.value.size();
  const auto [stop, ec] = std::from_chars(member.value.data(), end, out);
  return member.kind == Member::Kind::kNumber && ec == std::errc{} && stop == end;
}

bool read_time(const Member& member, UnixNanos& out) noexcept {
  const auto time = member.kind == Member::Kind::kText ? parse_timestamp(member.value) : std::nullopt;
  out = time.value_or(kNoTime);
  return time.has_value();
}

/// Bars are cut at whole seconds.
bool read_second(const Member& member, UnixNanos& out) noexcept {
  return read_time(member, out) && out.ns % kNanosPerSecond == 0;
}

bool read_flags(const Member& member, std::uint8_t& out) noexcept {
  constexpr std::pair<std::string_view, TickFlag> kFlags[] = {{"out_of_order", kOutOfOrder},
                                                              {"spike", kSpike},
                                                              {"late_for_bars", kLateForBars},
                                                              {"unselected", kUnselected},
                                                              {"gap", kAfterGap}};
  return member.kind == Member::Kind::kList && FlatObject::for_each_text(member.value, [&](std::string_view text) {
           for (const auto& [name, flag] : kFlags) {
             if (name == text) out = static_cast<std::uint8_t>(out | flag);
           }
         });
}

/// A volume may be above 64 bits.
bool read_volume(const Member& member, Int128& out) noexcept {
  constexpr std::size_t kMostDigits = 29;
  constexpr std::size_t kFractionDigits = 9;
  const NumberParts parts = member.kind == Member::Kind::kNumber ? split_number(member.value) : NumberParts{};
  if (!parts.valid || parts.negative || parts.exponent != 0 || parts.integer.size() > kMostDigits ||
      parts.fraction.size() > kFractionDigits) {
    return false;
  }
  out = 0;
  for (const char digit : parts.integer) out = out * 10 + (digit - '0');
  for (std::size_t i = 0; i < kFractionDigits; ++i) {
    out = out * 10 + (i < parts.fraction.size() ? parts.fraction[i] - '0' : 0);
  }
  return true;
}

}  // namespace

std::optional<EdgeQuote> parse_edge_quote(std::string_view json) noexcept {
  static constexpr std::array<std::string_view, 10> kNames = {
      "symbol", "bid", "ask", "timestamp", "source", "seq", "received_at", "bid_size", "ask_size", "flags"};
  constexpr std::size_t kRequired = 7;
  EdgeQuote quote;
  Tick& tick = quote.tick;
  Names names(kNames);
  const bool is_whole = FlatObject(json).for_each([&](const Member& member) {
    const auto at = names.meet(member.name);
    if (!at) return false;
    switch (*at) {
      case 0:
        return read_symbol(member, quote.symbol);
      case 1:
        return read_price(member, tick.bid);
      case 2:
        return read_price(member, tick.ask);
      case 3:
        return read_time(member, tick.ts_event);
      case 4: {
        const auto lp = member.kind == Member::Kind::kText ? parse_lp(member.value) : std::nullopt;
        quote.lp = lp.value_or(Name{});
        return lp.has_value();
      }
      case 5:
        return read_count(member, tick.seq) && tick.seq != 0;
      case 6:
        return read_time(member, tick.ts_recv);
      case 7:
        return read_units(member, tick.bid_size.units);
      case 8:
        return read_units(member, tick.ask_size.units);
      case 9:
        return read_flags(member, tick.flags);
      default:
        return true;
    }
  });
  if (!is_whole || !names.has_first(kRequired) || tick.bid > tick.ask) return std::nullopt;
  return quote;
}

std::optional<EdgeBar> parse_edge_bar(std::string_view json) noexcept {
  static constexpr std::array<std::string_view, 12> kNames = {"symbol", "timeframe",  "open_time", "close_time",
                                                              "open",   "high",       "low",       "close",
                                                              "volume", "tick_count", "is_closed", "revision"};
  EdgeBar found;
  Bar& bar = found.bar;
  Int128 volume = 0;
  Names names(kNames);
  const bool is_whole = FlatObject(json).for_each([&](const Member& member) {
    const auto at = names.meet(member.name);
    if (!at) return false;
    switch (*at) {
      case 0:
        return read_symbol(member, found.symbol);
      case 1: {
        const auto timeframe = member.kind == Member::Kind::kText ? parse_timeframe(member.value) : std::nullopt;
        found.timeframe = timeframe.value_or(Timeframe{});
        return timeframe.has_value();
      }
      case 2:
        return read_second(member, bar.open_time);
      case 3:
        return read_second(member, bar.close_time);
      case 4:
        return read_price(member, bar.open);
      case 5:
        return read_price(member, bar.high);
      case 6:
        return read_price(member, bar.low);
      case 7:
        return read_price(member, bar.close);
      case 8:
        return read_volume(member, volume);
      case 9:
        return read_count(member, bar.tick_count) && bar.tick_count != 0;
      case 10:
        bar.is_closed = member.value == "true";
        return member.kind == Member::Kind::kLiteral && member.value != "null";
      case 11:
        return read_count(member, bar.revision);
      default:
        return true;
    }
  });
  const auto is_within = [&bar](Price price) { return price >= bar.low && price <= bar.high; };
  if (!is_whole || !names.has_first(kNames.size()) || bar.open_time >= bar.close_time || !is_within(bar.open) ||
      !is_within(bar.close)) {
    return std::nullopt;
  }
  bar.first_tick = bar.last_tick = bar.open_time;
  if (volume != static_cast<Int128>(bar.tick_count) * kUnitsPerOne) {
    bar.trade_volume = volume;
    bar.trade_count = 1;
  }
  return found;
}

}  // namespace tickpipe::internal
