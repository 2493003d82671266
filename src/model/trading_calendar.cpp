#include "model/trading_calendar.h"

#include <date/tz.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <utility>

#include "core/error.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

using std::chrono::seconds;

constexpr seconds kDay = std::chrono::hours{24};
constexpr seconds kAlignedToUtcBelow = std::chrono::hours{2};
constexpr seconds kNoon = std::chrono::hours{12};
/// 1969-12-29, a Monday; weeks count from here.
constexpr seconds kFirstMonday = -3 * kDay;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_utc(std::string_view zone) { return zone == "UTC" || zone == "Etc/UTC" || zone == "GMT" || zone == "Z"; }

UnixNanos from_seconds(seconds s) { return {s.count() * kNanosPerSecond}; }

}  // namespace

struct TradingCalendar::Impl {
  std::string text;
  seconds close_of_day{};                 ///< local wall-clock time since local midnight
  const date::time_zone* zone = nullptr;  ///< null for UTC; owned by the library's database, which is never reloaded

  /// The instant of a local wall-clock time, given as seconds since local 1970-01-01T00:00.
  [[nodiscard]] seconds to_utc(seconds local) const {
    if (zone == nullptr) return local;
    return zone->to_sys(date::local_seconds{local}, date::choose::earliest).time_since_epoch();
  }
  [[nodiscard]] seconds to_local(seconds utc) const {
    if (zone == nullptr) return utc;
    return zone->to_local(date::sys_seconds{utc}).time_since_epoch();
  }
  /// Some local boundary of `timeframe`; all others are whole steps away.
  [[nodiscard]] seconds anchor(Timeframe timeframe) const {
    if (timeframe != kOneWeek) return close_of_day;
    const bool named_by_closing_date = close_of_day >= kNoon;
    return kFirstMonday + close_of_day - (named_by_closing_date ? kDay : seconds{0});
  }
};

TradingCalendar::TradingCalendar(std::string_view day_close) {
  auto impl = std::make_unique<Impl>();
  const auto fail = [day_close](const std::string& why) {
    throw ConfigError("day_close \"" + safe_text(day_close) + "\": " + why +
                      "; write HH:MM and an IANA time zone, as in \"17:00 America/New_York\"");
  };
  const auto digit = [day_close](std::size_t i) { return std::isdigit(static_cast<unsigned char>(day_close[i])) != 0; };
  if (day_close.size() < 7 || !digit(0) || !digit(1) || day_close[2] != ':' || !digit(3) || !digit(4) ||
      day_close[5] != ' ') {
    fail("not a time of day and a zone");
  }
  const int hour = (day_close[0] - '0') * 10 + (day_close[1] - '0');
  const int minute = (day_close[3] - '0') * 10 + (day_close[4] - '0');
  if (hour > 23 || minute > 59) fail("no such time of day");
  impl->close_of_day = std::chrono::hours{hour} + std::chrono::minutes{minute};

  std::string_view zone = day_close.substr(6);
  zone.remove_prefix(std::min(zone.find_first_not_of(' '), zone.size()));
  if (!is_utc(zone)) {
    try {
      impl->zone = date::locate_zone(std::string(zone));
    } catch (const std::runtime_error&) {
      fail("unknown time zone (or no time zone database: install the package tzdata)");
    }
  }
  impl->text = std::string(day_close.substr(0, 6)).append(is_utc(zone) ? "UTC" : zone);
  impl_ = std::move(impl);
}

TradingCalendar::~TradingCalendar() = default;
TradingCalendar::TradingCalendar(TradingCalendar&&) noexcept = default;
TradingCalendar& TradingCalendar::operator=(TradingCalendar&&) noexcept = default;

const std::string& TradingCalendar::text() const { return impl_->text; }

Interval TradingCalendar::interval(Timeframe timeframe, UnixNanos time) const {
  const std::int64_t step_ns = timeframe.nanos().count();
  if (timeframe.length < kAlignedToUtcBelow) {
    const std::int64_t open = floor_div(time.ns, step_ns) * step_ns;
    return {{open}, {open + step_ns}};
  }
  const std::int64_t step = timeframe.length.count();
  const seconds utc{floor_div(time.ns, kNanosPerSecond)};
  const seconds anchor = impl_->anchor(timeframe);
  const auto boundary = [&](std::int64_t n) { return impl_->to_utc(anchor + seconds{n * step}); };

  // The local clock tells the number of the step; around a DST change it can be one off.
  std::int64_t n = floor_div((impl_->to_local(utc) - anchor).count(), step);
  while (boundary(n) > utc) --n;
  while (boundary(n + 1) <= utc) ++n;
  return {from_seconds(boundary(n)), from_seconds(boundary(n + 1))};
}

bool TradingCalendar::aligned_to(Timeframe timeframe) const {
  if (timeframe.length >= kAlignedToUtcBelow) return true;
  const auto aligned = [&](seconds s) { return s.count() % timeframe.length.count() == 0; };
  if (impl_->zone == nullptr) return aligned(impl_->close_of_day);
  // Rules repeat yearly from the 2030s at the latest, so the years up to 2100 show every offset to come.
  const date::sys_seconds end{date::sys_days{date::year{2100} / 1 / 1}};
  for (date::sys_seconds t{seconds{kFirstTickTime.ns / kNanosPerSecond}}; t < end;) {
    const date::sys_info info = impl_->zone->get_info(t);
    if (!aligned(impl_->close_of_day - info.offset)) return false;
    if (info.end >= end) break;
    if (!aligned(info.end.time_since_epoch())) return false;  // where a skipped boundary would fall
    t = info.end;
  }
  return true;
}

CalendarRules::CalendarRules(std::string_view default_day_close, const std::vector<Rule>& rules)
    : default_(default_day_close) {
  for (const Rule& rule : rules) rules_.emplace_back(rule.match, TradingCalendar(rule.day_close));
}

const TradingCalendar& CalendarRules::for_symbol(std::string_view symbol) const {
  for (const auto& [match, calendar] : rules_) {
    if (glob_match(match, symbol)) return calendar;
  }
  return default_;
}

bool CalendarRules::aligned_to(Timeframe timeframe, std::string* culprit) const {
  const auto check = [&](const TradingCalendar& calendar) {
    if (calendar.aligned_to(timeframe)) return true;
    if (culprit != nullptr) *culprit = calendar.text();
    return false;
  };
  return check(default_) &&
         std::all_of(rules_.begin(), rules_.end(), [&](const auto& rule) { return check(rule.second); });
}

std::string CalendarRules::description() const {
  std::string out = default_.text();
  for (const auto& [match, calendar] : rules_) out += "; " + match + " " + calendar.text();
  return out;
}

bool glob_match(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace tickpipe::internal
