#include "feed/sim_stream.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "feed/fx_week.h"
#include "feed/hashing.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint64_t kTimeSalt = 0x71C5;

}  // namespace

SimMarket::SimMarket(const SimOptions& options, std::chrono::nanoseconds min_period) : has_sessions_(options.sessions) {
  if (options.symbols.empty()) {
    for (const std::string_view symbol : default_sim_symbols()) {
      symbols_.push_back(sim_symbol(*parse_symbol(symbol), options.seed));
    }
  } else {
    for (const Name& symbol : options.symbols) symbols_.push_back(sim_symbol(symbol, options.seed));
  }
  double total = 0;
  double at_weekends = 0;
  for (const SimSymbol& symbol : symbols_) {
    total += symbol.weight;
    if (!symbol.rests_at_weekends) at_weekends += symbol.weight;
  }
  const auto period_ns = [&](double weight, double all) -> std::int64_t {
    if (options.rate <= 0) return 0;
    const double mean_ns = static_cast<double>(kNanosPerSecond) * all / (weight * options.rate);
    return std::max<std::int64_t>({1, min_period.count(), std::llround(mean_ns)});
  };
  for (const SimSymbol& symbol : symbols_) {
    periods_.push_back({.all_open_ns = period_ns(symbol.weight, total),
                        .weekend_ns = symbol.rests_at_weekends ? 0 : period_ns(symbol.weight, at_weekends)});
  }
}

SimStream::SimStream(const SimMarket& market, UnixNanos from)
    : SimStream(market, std::vector<UnixNanos>(market.symbols().size(), from)) {}

SimStream::SimStream(const SimMarket& market, const std::vector<UnixNanos>& from) : market_(market) {
  paths_.reserve(market.symbols().size());
  for (std::uint32_t i = 0; i < market.symbols().size(); ++i) {
    paths_.emplace_back(market.symbols()[i]);
    const UnixNanos first = first_tick(i, from[i]);
    if (first != kEndOfTime) heap_.emplace_back(first, i);
  }
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>{});
}

SimQuote SimStream::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
  Due& due = heap_.back();
  const SimQuote quote{due.first, due.second, paths_[due.second].at(due.first)};
  due.first = first_tick(due.second, {due.first.ns + 1});
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
  return quote;
}

UnixNanos SimStream::first_tick(std::uint32_t symbol, UnixNanos from) {
  const SimMarket::Periods& periods = market_.periods_[symbol];
  if (periods.all_open_ns == 0) return kEndOfTime;
  const std::uint64_t key = combine_hash(market_.symbols()[symbol].key, kTimeSalt);
  while (true) {
    const Segment& segment = segment_at(from);
    const std::int64_t period_ns = segment.all_open ? periods.all_open_ns : periods.weekend_ns;
    if (period_ns != 0) {
      std::int64_t number = from.ns / period_ns;
      const auto time_of = [&](std::int64_t tick) {
        return UnixNanos{tick * period_ns + below(combine_hash(key, static_cast<std::uint64_t>(tick)), period_ns)};
      };
      UnixNanos time = time_of(number);
      if (time < from) time = time_of(++number);
      if (time < segment.end) return time;
    }
    from = segment.end;
  }
}

const SimStream::Segment& SimStream::segment_at(UnixNanos time) {
  if (time >= segment_.begin && time < segment_.end) return segment_;
  if (!market_.has_sessions_) {
    segment_ = {kNoTime, kEndOfTime, true};
    return segment_;
  }
  const FxWeek week = fx_week_at(time);
  segment_ = time < week.close ? Segment{week.open, week.close, true} : Segment{week.close, week.next_open, false};
  return segment_;
}

}  // namespace tickpipe::internal
