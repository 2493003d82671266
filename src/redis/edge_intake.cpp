#include "redis/edge_intake.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal {
namespace {

/// Others may be among the newest members: of other LPs, or late ones.
constexpr std::size_t kSpareMembers = 16;
/// From so many missing quotes on all members are read at once.
constexpr std::size_t kFewMissing = 200;

constexpr unsigned kNeverLatest = kOutOfOrder | kUnselected;

}  // namespace

EdgeIntake::EdgeIntake(EdgeData& data, std::chrono::nanoseconds live_tick_age, Counters& counters)
    : data_(data), live_tick_age_(live_tick_age), counters_(counters) {
  for (std::uint32_t i = 0; i < data.symbols.size(); ++i) {
    const QuoteSnapshot known = data.view.snapshot(SymbolId{i});
    Symbol& symbol = of(SymbolId{i});
    symbol.last_seq = known.newest_seq;
    symbol.latest = known.latest;
    symbol.is_known = true;
    symbol.is_new = known.newest_seq == 0;
  }
}

EdgeIntake::Symbol& EdgeIntake::of(SymbolId id) {
  if (id.value >= symbols_.size()) symbols_.resize(id.value + std::size_t{1});
  return symbols_[id.value];
}

void EdgeIntake::list(SymbolId id) {
  if (!std::exchange(of(id).is_listed, true)) listed_.push_back(id);
}

// --- names ----------------------------------------------------------------------------------------------------------

std::optional<SymbolId> EdgeIntake::intern(const Name& name) {
  const auto id = data_.symbols.intern(name);
  if (!id) count(counters_.unknown);
  return id;
}

std::optional<Tick> EdgeIntake::intern(const EdgeQuote& quote) {
  const auto symbol = intern(quote.symbol);
  const auto lp = data_.lps.intern(quote.lp);
  if (!lp) count(counters_.unknown);
  if (!symbol || !lp) return std::nullopt;
  Tick tick = quote.tick;
  tick.symbol = *symbol;
  tick.lp = *lp;
  return tick;
}

std::optional<Tick> EdgeIntake::parse_member(std::string_view json, SymbolId symbol) {
  const auto quote = parse_edge_quote(json);
  if (!quote || quote->symbol != data_.symbols.name(symbol)) {
    count(counters_.damaged);
    return std::nullopt;
  }
  return intern(*quote);
}

std::optional<BarEvent> EdgeIntake::parse_bar_event(std::string_view json) {
  const auto bar = parse_edge_bar(json);
  if (!bar) {
    count(counters_.damaged);
    return std::nullopt;
  }
  const auto& timeframes = data_.view.timeframes();
  const auto at = std::find(timeframes.begin(), timeframes.end(), bar->timeframe);
  if (at == timeframes.end()) return std::nullopt;  // one that is not served here
  const auto symbol = intern(bar->symbol);
  if (!symbol) return std::nullopt;
  return BarEvent{*symbol, static_cast<std::uint32_t>(at - timeframes.begin()), bar->bar};
}

// --- messages -------------------------------------------------------------------------------------------------------

void EdgeIntake::take_quote(std::string_view json) {
  count(counters_.messages);
  const auto quote = parse_edge_quote(json);
  if (!quote) return count(counters_.damaged);
  const auto tick = intern(*quote);
  if (!tick) return;
  Symbol& symbol = of(tick->symbol);
  if (!std::exchange(symbol.is_known, true)) want_everything(quote->symbol.view());
  if (tick->seq <= symbol.last_seq) return;
  if (tick->seq == symbol.last_seq + 1 && symbol.waiting.empty()) {
    accept(symbol, *tick);
    if (was_published_as_latest(*tick)) become_latest(symbol, *tick);
    return;
  }
  if (!symbol.waiting.empty() && tick->seq <= symbol.waiting.back().seq) return;
  symbol.waiting.push_back(*tick);
  if (symbol.waiting.size() > kMostWaiting) {
    symbol.waiting.erase(symbol.waiting.begin(), symbol.waiting.begin() + kMostWaiting / 2);
  }
  list(tick->symbol);
}

/// A node publishes what belongs to the live stream, and whatever becomes the latest quote.
bool EdgeIntake::was_published_as_latest(const Tick& tick) const noexcept {
  if ((tick.flags & kUnselected) != 0) return false;
  return (tick.flags & kOutOfOrder) == 0 || !is_streamed(tick, live_tick_age_);
}

void EdgeIntake::accept(Symbol& symbol, const Tick& tick) {
  symbol.last_seq = tick.seq;
  batch_.ticks.push_back(tick);
  count(counters_.quotes);
}

void EdgeIntake::become_latest(Symbol& symbol, const Tick& tick) {
  symbol.latest = tick;
  if (!std::exchange(symbol.has_new_latest, true)) touched_.push_back(tick.symbol);
}

void EdgeIntake::take_bar(std::string_view json) {
  count(counters_.messages);
  const auto event = parse_bar_event(json);
  if (!event) return;
  Symbol& symbol = of(event->symbol);
  if (!std::exchange(symbol.is_known, true)) want_everything(data_.symbols.name(event->symbol).view());
  take_bar_event(*event);
}

void EdgeIntake::take_bar_event(const BarEvent& event) {
  if (!data_.view.is_news(event)) return;
  (event.bar.is_closed ? batch_.bars : batch_.open_bars).push_back(event);
  count(counters_.bars);
}

// --- keys -----------------------------------------------------------------------------------------------------------

void EdgeIntake::want_everything(std::string_view name) {
  const auto parsed = parse_symbol(name);
  const auto id = parsed ? intern(*parsed) : std::nullopt;
  if (!id) return;
  Symbol& symbol = of(*id);
  symbol.is_known = true;
  if (!std::exchange(symbol.wants_bars, true) && !symbol.was_read) ++unread_;
  symbol.wants_all = true;
  list(*id);
}

/// When the keys of a listed symbol may be read.
EdgeIntake::SteadyClock::time_point EdgeIntake::due_at(const Symbol& symbol) {
  if (symbol.read_at == SteadyClock::time_point{}) return symbol.read_at;
  return symbol.read_at + (symbol.waiting.empty() ? kRereadInterval : kReadInterval);
}

std::vector<EdgeIntake::Wanted> EdgeIntake::due(SteadyClock::time_point now, std::size_t most) const {
  std::vector<Wanted> due;
  const auto add = [&](bool with_waiting) {
    for (const SymbolId id : listed_) {
      const Symbol& symbol = symbols_[id.value];
      if (due.size() >= most) return;
      if (symbol.waiting.empty() == with_waiting) continue;
      if (due_at(symbol) > now) continue;
      const bool are_bars_due = !symbol.was_read || symbol.bars_read_at + kRereadInterval <= now;
      Wanted wanted{.symbol = id, .newest = 0, .with_bars = symbol.wants_bars && are_bars_due};
      if (!symbol.wants_all && !symbol.waiting.empty()) {
        const std::uint64_t missing = symbol.waiting.back().seq - symbol.last_seq;
        if (missing <= kFewMissing) wanted.newest = static_cast<std::size_t>(missing) + kSpareMembers;
      }
      due.push_back(wanted);
    }
  };
  add(true);
  add(false);
  return due;
}

EdgeIntake::SteadyClock::time_point EdgeIntake::next_due() const {
  auto next = SteadyClock::time_point::max();
  for (const SymbolId id : listed_) {
    next = std::min(next, due_at(symbols_[id.value]));
  }
  return next;
}

void EdgeIntake::take_keys(const Wanted& wanted, const Keys& keys, SteadyClock::time_point now) {
  std::vector<Tick> members;
  members.reserve(keys.ticks.size());
  for (const std::string& json : keys.ticks) {
    if (const auto tick = parse_member(json, wanted.symbol)) members.push_back(*tick);
  }
  std::sort(members.begin(), members.end(), [](const Tick& a, const Tick& b) { return a.seq < b.seq; });
  members.erase(
      std::unique(members.begin(), members.end(), [](const Tick& a, const Tick& b) { return a.seq == b.seq; }),
      members.end());  // whoever writes to Redis may have put it there twice
  Symbol& symbol = of(wanted.symbol);
  if (!take_ticks(symbol, std::vector<Tick>(members), wanted.newest == 0)) {
    symbol.wants_all = true;  // at once: what waits goes first
    return;
  }
  take_latest(symbol, wanted.symbol, keys, members);
  for (const auto& series : keys.bars) {
    for (const std::string& json : series) {
      const auto event = parse_bar_event(json);
      if (event && event->symbol == wanted.symbol) take_bar_event(*event);
    }
  }
  if (wanted.newest == 0) symbol.wants_all = false;
  symbol.read_at = now;
  if (wanted.with_bars) {
    symbol.wants_bars = false;
    symbol.bars_read_at = now;
    if (!std::exchange(symbol.was_read, true)) --unread_;
  }
  if (symbol.wants_all || symbol.wants_bars || !symbol.waiting.empty()) return;
  symbol.is_listed = false;
  listed_.erase(std::remove(listed_.begin(), listed_.end(), wanted.symbol), listed_.end());
}

/// Takes in what is new of `members`, ascending by seq, and of what waits. False, and nothing done, when some are
/// missing that may be among the members that were not read.
bool EdgeIntake::take_ticks(Symbol& symbol, std::vector<Tick>&& members, bool are_all) {
  const auto by_seq = [](const Tick& a, const Tick& b) { return a.seq < b.seq; };
  const auto old_end = std::partition_point(members.begin(), members.end(),
                                            [&](const Tick& tick) { return tick.seq <= symbol.last_seq; });
  std::vector<Tick> fresh;
  std::set_union(old_end, members.end(), symbol.waiting.begin(), symbol.waiting.end(), std::back_inserter(fresh),
                 by_seq);
  std::uint64_t missing = 0;
  std::uint64_t gaps = 0;
  std::uint64_t expected = symbol.last_seq + 1;
  for (const Tick& tick : fresh) {
    if (tick.seq != expected && expected != 1) {  // before the first one there is nothing that anybody could miss
      ++gaps;
      missing += tick.seq - expected;
    }
    expected = tick.seq + 1;
  }
  if (gaps != 0 && !are_all) return false;
  if (gaps != 0) {
    count(counters_.gaps, gaps);
    count(counters_.lost, missing);
  }
  std::size_t came = 0;
  for (const Tick& tick : fresh) {
    const bool was_told = std::binary_search(symbol.waiting.begin(), symbol.waiting.end(), tick, by_seq);
    if (was_told) ++came;
    accept(symbol, tick);
    if (was_told && was_published_as_latest(tick)) become_latest(symbol, tick);
  }
  if (!symbol.is_new) count(counters_.refilled, fresh.size() - came);
  symbol.is_new = false;
  symbol.waiting.clear();
  // Flags of old quotes change; and history that was loaded before newer quotes came has never been told.
  for (auto at = members.begin(); at != old_end; ++at) {
    if (!data_.view.holds(*at) && data_.view.keeps(*at)) batch_.amended.push_back(*at);
  }
  return true;
}

/// The key expires; the newest quote that may be the latest is it then.
void EdgeIntake::take_latest(Symbol& symbol, SymbolId id, const Keys& keys, const std::vector<Tick>& members) {
  if (keys.latest) {
    const auto latest = parse_member(*keys.latest, id);
    if (latest && latest->seq >= symbol.latest.seq && *latest != symbol.latest) become_latest(symbol, *latest);
    return;
  }
  if (symbol.latest.seq != 0) return;
  const Tick* newest = nullptr;
  for (const Tick& tick : members) {
    if ((tick.flags & kNeverLatest) != 0) continue;
    if (newest == nullptr || TickPlace{tick.ts_event, tick.seq} > TickPlace{newest->ts_event, newest->seq}) {
      newest = &tick;
    }
  }
  if (newest != nullptr) become_latest(symbol, *newest);
}

EventBatch& EdgeIntake::finish() {
  for (const SymbolId id : std::exchange(touched_, {})) {
    of(id).has_new_latest = false;
    batch_.latest.push_back(of(id).latest);
  }
  return batch_;
}

}  // namespace tickpipe::internal
