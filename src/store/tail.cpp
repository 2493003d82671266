#include "store/tail.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal {
namespace {

const Tail::Records* records_of(const Tail::Run& run, SymbolId symbol) {
  if (symbol.value >= run.by_symbol.size() || run.by_symbol[symbol.value].ticks.empty()) return nullptr;
  return &run.by_symbol[symbol.value];
}

/// Those among which all with from <= ts_event < to are.
std::span<const StoredTick> narrowed(const Tail::Records& records, UnixNanos from, UnixNanos to) {
  const auto& ticks = records.ticks;
  if (!records.is_ascending) return ticks;
  const auto is_before = [](const StoredTick& each, UnixNanos time) { return each.tick.ts_event < time; };
  const auto begin = std::lower_bound(ticks.begin(), ticks.end(), from, is_before);
  return {begin, std::lower_bound(begin, ticks.end(), std::max(from, to), is_before)};
}

/// The place of the quote with that seq; null when it is not there. A trade or gap marker repeats the seq of a quote.
const StoredTick* find_quote(const std::vector<StoredTick>& ticks, std::uint64_t seq) {
  auto it = std::lower_bound(ticks.begin(), ticks.end(), seq,
                             [](const StoredTick& each, std::uint64_t wanted) { return each.tick.seq < wanted; });
  for (; it != ticks.end() && it->tick.seq == seq; ++it) {
    if (it->tick.kind == RecordKind::kQuote) return &*it;
  }
  return nullptr;
}

}  // namespace

Tail::Run& Tail::newest() {
  const bool is_closed = std::exchange(is_newest_closed_, false);
  if (runs_.empty() || is_closed) runs_.push_back(std::make_shared<Run>());
  return *runs_.back();
}

void Tail::add(Position position, std::span<const Tick> ticks) {
  Run& run = newest();
  if (run.first.value == 0) run.first = position;
  run.last = position;
  for (const Tick& tick : ticks) {
    if (tick.symbol.value >= run.by_symbol.size()) run.by_symbol.resize(tick.symbol.value + std::size_t{1});
    auto& [of_symbol, is_ascending] = run.by_symbol[tick.symbol.value];
    if (of_symbol.empty()) {
      run.symbols.push_back(tick.symbol);
    } else if (tick.ts_event < of_symbol.back().tick.ts_event) {
      is_ascending = false;
    }
    of_symbol.push_back({tick, position});
  }
  run.weight += ticks.size();
}

void Tail::add_rest(Position position, const LogEntry& entry) {
  LogEntry& rest = runs_.back()->rest;
  rest.bars.insert(rest.bars.end(), entry.bars.begin(), entry.bars.end());
  rest.closes.insert(rest.closes.end(), entry.closes.begin(), entry.closes.end());
  rest.close_positions.resize(rest.closes.size(), position);
  rest.amended.insert(rest.amended.end(), entry.amended.begin(), entry.amended.end());
  rest.amended_positions.resize(rest.amended.size(), position);
  // An entry without anything counts too: it takes room in the log.
  runs_.back()->weight += 1 + entry.bars.size() + entry.closes.size() + entry.amended.size();
}

void Tail::amend(std::span<const Tick> amended) {
  for (const Tick& tick : amended) {
    for (const auto& run : runs_) {
      if (records_of(*run, tick.symbol) == nullptr) continue;
      auto& ticks = run->by_symbol[tick.symbol.value].ticks;
      const StoredTick* found = find_quote(ticks, tick.seq);
      if (found != nullptr) ticks[static_cast<std::size_t>(found - ticks.data())].tick.flags = tick.flags;
    }
  }
}

const Tick* Tail::find(SymbolId symbol, std::uint64_t seq) const {
  for (const auto& run : runs_) {
    const Records* records = records_of(*run, symbol);
    if (records == nullptr) continue;
    if (const StoredTick* found = find_quote(records->ticks, seq)) return &found->tick;
  }
  return nullptr;
}

void Tail::copy(SymbolId symbol, UnixNanos from, UnixNanos to, std::vector<Tick>& out) const {
  for (const auto& run : runs_) {
    const Records* records = records_of(*run, symbol);
    if (records == nullptr) continue;
    for (const auto& [tick, position] : narrowed(*records, from, to)) {
      if (tick.ts_event >= from && tick.ts_event < to) out.push_back(tick);
    }
  }
}

bool Tail::has(SymbolId symbol, UnixNanos from, UnixNanos to) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& run) {
    const Records* records = records_of(*run, symbol);
    if (records == nullptr) return false;
    const auto among = narrowed(*records, from, to);
    return std::any_of(among.begin(), among.end(),
                       [&](const StoredTick& each) { return each.tick.ts_event >= from && each.tick.ts_event < to; });
  });
}

}  // namespace tickpipe::internal
