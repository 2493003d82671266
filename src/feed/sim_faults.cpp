#include "feed/sim_faults.h"

#include <algorithm>

#include "feed/hashing.h"

namespace tickpipe::internal {
namespace {

enum Roll : std::uint64_t { kDrop = 1, kDuplicate, kDuplicateDelay, kDelay, kDelayLength, kGarble, kGarbleKind, kMute };

constexpr std::int64_t kMaxDuplicateDelayNs = kNanosPerSecond;
constexpr std::int64_t kAbsurdFactor = 10;

bool falls(std::uint64_t hash, double share) noexcept { return unit_interval(hash) < share; }

}  // namespace

SimFaults::SimFaults(const SimOptions& options, const SimMarket& market)
    : options_(options),
      market_(market),
      any_(options.drop_share > 0 || options.duplicate_share > 0 || options.garble_share > 0 ||
           options.delay_share > 0 || options.mute_share > 0),
      sound_(market.symbols().size()) {}

void SimFaults::pass(const SimQuote& quote, std::vector<Emission>& out) {
  if (!any_) {
    out.push_back({quote, std::nullopt});
    return;
  }
  release(quote.time, out);
  if (is_muted(quote) || falls(roll(quote, kDrop), options_.drop_share)) return;
  UnixNanos due = quote.time;
  if (falls(roll(quote, kDelay), options_.delay_share)) {
    due.ns += 1 + below(roll(quote, kDelayLength), options_.delay.count());
    hold(due, quote);
  } else {
    emit(quote, out);
  }
  if (!falls(roll(quote, kDuplicate), options_.duplicate_share)) return;
  const std::uint64_t how = roll(quote, kDuplicateDelay);
  if (how % 2 != 0) due.ns += below(how, kMaxDuplicateDelayNs);
  if (due > quote.time) {
    hold(due, quote);
  } else {
    emit(quote, out);
  }
}

void SimFaults::release(UnixNanos until, std::vector<Emission>& out) {
  while (next_time() <= until && !held_.empty()) {
    std::pop_heap(held_.begin(), held_.end(), later);
    emit(held_.back().quote, out);
    held_.pop_back();
  }
}

bool SimFaults::later(const Held& a, const Held& b) noexcept {
  return a.due != b.due ? a.due > b.due : a.number > b.number;
}

void SimFaults::hold(UnixNanos due, const SimQuote& quote) {
  held_.push_back({due, ++held_count_, quote});
  std::push_heap(held_.begin(), held_.end(), later);
}

void SimFaults::emit(const SimQuote& quote, std::vector<Emission>& out) {
  Emission emission{quote, std::nullopt};
  if (!falls(roll(quote, kGarble), options_.garble_share)) {
    sound_[quote.symbol] = true;
    out.push_back(emission);
    return;
  }
  SimPrices& prices = emission.quote.prices;
  switch (below(roll(quote, kGarbleKind), 4)) {
    case 0:
      if (sound_[quote.symbol]) {
        sound_[quote.symbol] = false;
        prices.bid.units *= kAbsurdFactor;
        prices.ask.units *= kAbsurdFactor;
        break;
      }
      [[fallthrough]];
    case 1:
      prices.bid = {};
      emission.fault = Reason::kBadPrice;
      break;
    case 2:
      std::swap(prices.bid, prices.ask);
      emission.fault = Reason::kCrossed;
      break;
    default:
      emission.fault = Reason::kMalformed;
  }
  out.push_back(emission);
}

std::uint64_t SimFaults::roll(const SimQuote& quote, std::uint64_t what) const noexcept {
  const std::uint64_t key = combine_hash(market_.symbols()[quote.symbol].key, what);
  return combine_hash(key, static_cast<std::uint64_t>(quote.time.ns));
}

bool SimFaults::is_muted(const SimQuote& quote) const noexcept {
  if (options_.mute_share <= 0) return false;
  const std::uint64_t key = combine_hash(market_.symbols()[quote.symbol].key, kMute);
  const std::int64_t length_ns = options_.mute.count();
  const std::int64_t stretch = (quote.time.ns + below(key, length_ns)) / length_ns;
  return falls(combine_hash(key, static_cast<std::uint64_t>(stretch)), options_.mute_share);
}

}  // namespace tickpipe::internal
