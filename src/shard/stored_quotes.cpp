#include "shard/stored_quotes.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxStretches = 32;
/// A stretch reads on until it has this many quotes past the one asked for, ...
constexpr std::size_t kReadAhead = 8192;
/// ... or spans this much time,
constexpr std::chrono::nanoseconds kMaxSpan = std::chrono::hours{6};
/// and starts a little before it, for its delayed neighbours; ever earlier while a file runs backwards in time.
constexpr std::chrono::nanoseconds kLookBehind = std::chrono::seconds{10};
constexpr std::chrono::nanoseconds kLongestLookBehind = std::chrono::hours{1};
/// A stretch that grew by more than this is dropped and read anew.
constexpr std::size_t kMaxAdded = 65536;

StoredQuotes::Entry first_at(UnixNanos ts) {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  return {ts, Price{kLeast}, Price{kLeast}, LpId{0}};
}

/// The last entry of `lp` in a sorted range.
template <typename Iterator>
std::optional<StoredQuotes::Entry> last_of(LpId lp, Iterator begin, Iterator end) {
  while (end != begin) {
    --end;
    if (end->lp == lp) return *end;
  }
  return std::nullopt;
}

}  // namespace

StoredQuotes::StoredQuotes(const History& history) : history_(history), look_behind_(kLookBehind) {}

bool StoredQuotes::contains(SymbolId symbol, const Entry& entry, const Uncommitted& uncommitted) {
  Stretch* stretch = find(symbol, entry.ts);
  if (stretch == nullptr) stretch = &load(symbol, entry.ts, uncommitted);
  return stretch->added.contains(entry) || std::binary_search(stretch->read.begin(), stretch->read.end(), entry);
}

std::optional<StoredQuotes::Entry> StoredQuotes::newest_between(SymbolId symbol, LpId lp, UnixNanos from, UnixNanos ts,
                                                                const Uncommitted& uncommitted) {
  const Stretch* stretch = find(symbol, ts);
  if (stretch == nullptr) stretch = &load(symbol, ts, uncommitted);
  const Entry after = first_at(UnixNanos{ts.ns + 1});
  const auto& read = stretch->read;
  std::optional<Entry> newest = last_of(lp, read.begin(), std::lower_bound(read.begin(), read.end(), after));
  newest = std::max(newest, last_of(lp, stretch->added.begin(), stretch->added.lower_bound(after)));
  if (!newest && from < stretch->from) {  // sparse quotes: look further back than the stretch does
    const auto take = [&](const Entry& entry) {
      if (entry.lp == lp) newest = std::max(newest, std::optional(entry));
    };
    history_.scan(symbol, from, stretch->from, [&](const Tick& tick) {
      take({tick.ts_event, tick.bid, tick.ask, tick.lp});
      return true;
    });
    uncommitted(from, stretch->from, take);
  }
  if (newest && newest->ts < from) newest.reset();
  return newest;
}

void StoredQuotes::add(SymbolId symbol, const Entry& entry) {
  if (entry.ts >= end_) return;
  std::erase_if(stretches_, [&](Stretch& stretch) {
    if (stretch.symbol != symbol || entry.ts < stretch.from || entry.ts >= stretch.to) return false;
    stretch.added.insert(entry);
    return stretch.added.size() > kMaxAdded;
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
  const bool runs_backwards = std::any_of(stretches_.begin(), stretches_.end(), [&](const Stretch& stretch) {
    return stretch.symbol == symbol && ts < stretch.from && stretch.from - ts < kMaxSpan;
  });
  look_behind_ = runs_backwards ? std::min(look_behind_ * 2, kLongestLookBehind) : kLookBehind;

  Stretch fresh;
  fresh.symbol = symbol;
  fresh.from = ts - look_behind_;
  fresh.used = ++uses_;
  std::size_t ahead = 0;
  fresh.to = history_.scan(symbol, fresh.from, ts + kMaxSpan, [&](const Tick& tick) {
    if (tick.ts_event > ts && ++ahead > kReadAhead) return false;
    fresh.read.push_back({tick.ts_event, tick.bid, tick.ask, tick.lp});
    return true;
  });
  std::sort(fresh.read.begin(), fresh.read.end());
  // What is both here and stored by now may be listed twice, which does no harm.
  uncommitted(fresh.from, fresh.to, [&](const Entry& entry) { fresh.added.insert(entry); });

  end_ = std::max(end_, fresh.to);
  if (stretches_.size() < kMaxStretches) return stretches_.emplace_back(std::move(fresh));
  const auto oldest = std::min_element(stretches_.begin(), stretches_.end(),
                                       [](const Stretch& a, const Stretch& b) { return a.used < b.used; });
  *oldest = std::move(fresh);
  return *oldest;
}

}  // namespace tickpipe::internal
