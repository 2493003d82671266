#include "shard/stored_quotes.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tickpipe {
namespace {

constexpr std::size_t kMaxStretches = 32;
/// A stretch reads on until it has this many quotes past the one asked for, ...
constexpr std::size_t kReadAhead = 8192;
/// ... or spans this much time,
constexpr std::chrono::nanoseconds kMaxSpan = std::chrono::hours{6};
/// and starts a little before it, for its delayed neighbours.
constexpr std::chrono::nanoseconds kLookBehind = std::chrono::seconds{10};
/// A stretch that grew beyond this is dropped and read anew.
constexpr std::size_t kMaxEntries = 65536;

bool earlier(const StoredQuotes::Entry& a, const StoredQuotes::Entry& b) { return a.ts < b.ts; }

}  // namespace

bool StoredQuotes::contains(SymbolId symbol, const Entry& entry, const Uncommitted& uncommitted) {
  Stretch* stretch = find(symbol, entry.ts);
  if (stretch == nullptr) stretch = &load(symbol, entry.ts, uncommitted);
  const auto [first, last] = std::equal_range(stretch->entries.begin(), stretch->entries.end(), entry, earlier);
  return std::find(first, last, entry) != last;
}

void StoredQuotes::add(SymbolId symbol, const Entry& entry) {
  if (entry.ts >= end_) return;
  std::erase_if(stretches_, [&](Stretch& stretch) {
    if (stretch.symbol != symbol || entry.ts < stretch.from || entry.ts >= stretch.to) return false;
    insert(stretch, entry);
    return stretch.entries.size() > kMaxEntries;
  });
}

StoredQuotes::Stretch* StoredQuotes::find(SymbolId symbol, UnixNanos ts) {
  for (Stretch& stretch : stretches_) {
    if (stretch.symbol != symbol || ts < stretch.from || ts >= stretch.to) continue;
    stretch.used = ++uses_;
    return &stretch;
  }
  return nullptr;
}

StoredQuotes::Stretch& StoredQuotes::load(SymbolId symbol, UnixNanos ts, const Uncommitted& uncommitted) {
  Stretch fresh{.symbol = symbol, .from = ts - kLookBehind, .to = ts + kMaxSpan, .used = ++uses_, .entries = {}};
  std::size_t ahead = 0;
  fresh.to = history_.scan(symbol, fresh.from, fresh.to, [&](const Tick& tick) {
    if (tick.ts_event > ts && ++ahead > kReadAhead) return false;
    fresh.entries.push_back({tick.ts_event, tick.bid, tick.ask, tick.lp});
    return true;
  });
  // What is both here and stored by now may be listed twice, which does no harm.
  uncommitted(fresh.from, fresh.to, [&](const Entry& entry) { insert(fresh, entry); });

  end_ = std::max(end_, fresh.to);
  if (stretches_.size() < kMaxStretches) return stretches_.emplace_back(std::move(fresh));
  const auto oldest = std::min_element(stretches_.begin(), stretches_.end(),
                                       [](const Stretch& a, const Stretch& b) { return a.used < b.used; });
  *oldest = std::move(fresh);
  return *oldest;
}

void StoredQuotes::insert(Stretch& stretch, const Entry& entry) {
  const auto position = std::upper_bound(stretch.entries.begin(), stretch.entries.end(), entry, earlier);
  stretch.entries.insert(position, entry);
}

}  // namespace tickpipe
