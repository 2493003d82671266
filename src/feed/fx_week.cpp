#include "feed/fx_week.h"

#include <chrono>

namespace tickpipe::internal {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::March;
using std::chrono::nanoseconds;
using std::chrono::November;
using std::chrono::Sunday;
using std::chrono::sys_days;
using std::chrono::year_month_day;

/// 17:00 in New York on `date`.
UnixNanos five_pm(sys_days date) noexcept {
  const auto year = year_month_day(date).year();
  const bool is_dst = date >= sys_days(year / March / Sunday[2]) && date < sys_days(year / November / Sunday[1]);
  return {nanoseconds(date.time_since_epoch() + hours{is_dst ? 21 : 22}).count()};
}

}  // namespace

FxWeek fx_week_at(UnixNanos time) noexcept {
  const sys_days date(std::chrono::floor<days>(nanoseconds{time.ns}));
  sys_days sunday = date - (std::chrono::weekday(date) - Sunday);
  if (time < five_pm(sunday)) sunday -= days{7};
  return {five_pm(sunday), five_pm(sunday + days{5}), five_pm(sunday + days{7})};
}

}  // namespace tickpipe::internal
