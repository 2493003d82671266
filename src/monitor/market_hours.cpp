#include "monitor/market_hours.h"

#include <algorithm>
#include <array>

#include "model/timeframe.h"

namespace tickpipe::internal {
namespace {

constexpr Timeframe kOneDay{std::chrono::hours{24}};
/// The clocks of New York change on Sundays at 02:00, when the market is closed: the open part of a week never varies.
constexpr std::chrono::nanoseconds kOpenPerWeek = std::chrono::hours{5 * 24};
constexpr std::chrono::nanoseconds kHalfWeek = std::chrono::hours{84};

constexpr std::array<std::string_view, 44> kCurrencies = {
    "AED", "ARS", "AUD", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNH", "CNY", "COP", "CZK", "DKK", "EUR",
    "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "KWD", "MXN", "MYR", "NOK", "NZD", "PEN",
    "PHP", "PLN", "QAR", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "VND", "ZAR",
};
constexpr std::array<std::string_view, 4> kMetals = {"XAU", "XAG", "XPD", "XPT"};

template <typename List>
bool contains(const List& list, std::string_view code) noexcept {
  return std::find(list.begin(), list.end(), code) != list.end();
}
bool is_currency(std::string_view code) noexcept {
  return std::binary_search(kCurrencies.begin(), kCurrencies.end(), code);
}

}  // namespace

MarketHours::MarketHours() : calendar_("17:00 America/New_York") {}

bool MarketHours::has_weekend(std::string_view symbol) noexcept {
  constexpr std::string_view kSeparators = "/-_.";
  const bool separated = symbol.size() == 7 && kSeparators.find(symbol[3]) != std::string_view::npos;
  if (symbol.size() != 6 && !separated) return false;
  const std::string_view base = symbol.substr(0, 3);
  return is_currency(symbol.substr(symbol.size() - 3)) && (is_currency(base) || contains(kMetals, base));
}

bool MarketHours::is_open(std::string_view symbol, UnixNanos time) const {
  return !has_weekend(symbol) || time < week_of(time).friday_close;
}

std::chrono::nanoseconds MarketHours::open_time_between(std::string_view symbol, UnixNanos from, UnixNanos to) const {
  from = std::clamp(from, kFirstTickTime, kEndOfTickTime);
  to = std::clamp(to, kFirstTickTime, kEndOfTickTime);
  if (to <= from) return {};
  if (!has_weekend(symbol)) return to - from;
  const auto open_since = [](const Week& week, UnixNanos time) {
    return std::min(time, week.friday_close) - week.open;
  };
  const Week last = week_of(to);
  if (from >= last.open) return open_since(last, to) - open_since(last, from);
  const Week first = find_week(from);
  // A week with a change of the clocks is an hour off, so that the number of weeks is rounded.
  const auto weeks = (last.open - first.open + kHalfWeek) / kOneWeek.nanos();
  return weeks * kOpenPerWeek + open_since(last, to) - open_since(first, from);
}

MarketHours::Week MarketHours::find_week(UnixNanos time) const {
  const Interval week = calendar_.interval(kOneWeek, time);
  const Interval sunday = calendar_.interval(kOneDay, {week.close.ns - 1});
  const Interval saturday = calendar_.interval(kOneDay, {sunday.open.ns - 1});
  return {week.open, saturday.open, week.close};
}

MarketHours::Week MarketHours::week_of(UnixNanos time) const {
  const std::lock_guard lock(mutex_);
  if (time < last_.open || time >= last_.end) last_ = find_week(time);
  return last_;
}

}  // namespace tickpipe::internal
