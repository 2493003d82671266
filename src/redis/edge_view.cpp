#include "redis/edge_view.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

TickPlace place_of(const Tick& tick) noexcept { return {tick.ts_event, tick.seq}; }

/// The first quote that is not before `place`.
template <typename Ticks>
auto lower_bound(Ticks& ticks, const TickPlace& place) {
  // Nearly always at the end.
  if (ticks.empty() || place_of(ticks.back()) < place) return ticks.end();
  return std::lower_bound(ticks.begin(), ticks.end(), place,
                          [](const Tick& tick, const TickPlace& at) { return place_of(tick) < at; });
}

template <typename Bars>
auto lower_bound(Bars& bars, UnixNanos open_time) {
  if (bars.empty() || bars.back().open_time < open_time) return bars.end();
  return std::lower_bound(bars.begin(), bars.end(), open_time,
                          [](const Bar& bar, UnixNanos time) { return bar.open_time < time; });
}

/// Whether `fresh` is a later state of the same bar than `known`.
bool is_later(const Bar& fresh, const Bar& known) noexcept {
  if (fresh.is_closed != known.is_closed) return fresh.is_closed;
  if (fresh.revision != known.revision) return fresh.revision > known.revision;
  return fresh.tick_count >= known.tick_count && fresh != known;
}

}  // namespace

struct EdgeView::Symbol {
  Symbol(SymbolId number, std::size_t timeframe_count) : id(number), series(timeframe_count) {}

  const SymbolId id;
  mutable std::mutex mutex;  ///< guards what follows
  Tick latest;               ///< seq 0 = none
  std::uint64_t newest_seq = 0;
  UnixNanos last_event = kNoTime;
  UnixNanos last_received = kNoTime;
  std::vector<LpActivity> lps;
  std::deque<Tick> ticks;               ///< ascending by place
  std::vector<std::deque<Bar>> series;  ///< by timeframe, ascending by open time

  void note_activity(const Tick& tick) {
    newest_seq = std::max(newest_seq, tick.seq);
    last_event = std::max(last_event, tick.ts_event);
    last_received = std::max(last_received, tick.ts_recv);
    auto lp = std::find_if(lps.begin(), lps.end(), [&](const LpActivity& one) { return one.lp == tick.lp; });
    if (lp == lps.end()) lp = lps.insert(lps.end(), LpActivity{.lp = tick.lp});
    ++lp->tick_count;
    lp->last_event = std::max(lp->last_event, tick.ts_event);
    lp->last_received = std::max(lp->last_received, tick.ts_recv);
  }
};

EdgeView::EdgeView(Options options) : options_(std::move(options)) {}
EdgeView::~EdgeView() = default;

EdgeView::Symbol* EdgeView::find(SymbolId symbol) const {
  const std::shared_lock lock(mutex_);
  return symbol.value < symbols_.size() ? symbols_[symbol.value].get() : nullptr;
}

EdgeView::Symbol& EdgeView::find_or_make(SymbolId symbol) {
  if (Symbol* const known = find(symbol)) return *known;
  const std::lock_guard lock(mutex_);
  if (symbols_.size() <= symbol.value) symbols_.resize(symbol.value + std::size_t{1});
  symbols_[symbol.value] = std::make_unique<Symbol>(symbol, options_.timeframes.size());
  return *symbols_[symbol.value];
}

// --- taking in ------------------------------------------------------------------------------------------------------

void EdgeView::apply(const EventBatch& batch) {
  changes_.clear();
  const auto list = [this](const auto& elements, Part part) {
    for (std::size_t i = 0; i < elements.size(); ++i) changes_.push_back({elements[i].symbol, part, i});
  };
  list(batch.ticks, Part::kTick);
  list(batch.amended, Part::kAmended);
  list(batch.latest, Part::kLatest);
  list(batch.bars, Part::kBar);
  list(batch.open_bars, Part::kOpenBar);
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.symbol < b.symbol; });
  for (std::size_t i = 0; i < changes_.size();) {
    const SymbolId symbol = changes_[i].symbol;
    Symbol& of = find_or_make(symbol);
    const std::lock_guard lock(of.mutex);
    for (; i < changes_.size() && changes_[i].symbol == symbol; ++i) change(of, batch, changes_[i]);
    if (of.last_event > newest_event()) newest_event_ns_.store(of.last_event.ns, std::memory_order_relaxed);
  }
}

void EdgeView::change(Symbol& of, const EventBatch& batch, const Change& change) {
  const auto put_bar = [&](const BarEvent& event) {
    auto& bars = of.series[event.timeframe_index];
    const auto at = lower_bound(bars, event.bar.open_time);
    if (at != bars.end() && at->open_time == event.bar.open_time) {
      if (is_later(event.bar, *at)) *at = event.bar;
      return;
    }
    bars.insert(at, event.bar);
    if (bars.size() > options_.kept_bars) bars.pop_front();
  };
  switch (change.part) {
    case Part::kTick:
      of.note_activity(batch.ticks[change.index]);
      return put_tick(of, batch.ticks[change.index]);
    case Part::kAmended: {
      const Tick& tick = batch.amended[change.index];
      const auto at = lower_bound(of.ticks, place_of(tick));
      if (at != of.ticks.end() && place_of(*at) == place_of(tick)) {
        *at = tick;
      } else {
        of.note_activity(tick);
        put_tick(of, tick);
      }
      return;
    }
    case Part::kLatest:
      of.latest = batch.latest[change.index];
      return;
    case Part::kBar:
      return put_bar(batch.bars[change.index]);
    case Part::kOpenBar:
      return put_bar(batch.open_bars[change.index]);
  }
}

void EdgeView::put_tick(Symbol& of, const Tick& tick) const {
  of.ticks.insert(lower_bound(of.ticks, place_of(tick)), tick);
  if (of.ticks.size() > options_.kept_ticks) of.ticks.pop_front();
}

bool EdgeView::holds(const Tick& tick) const {
  const Symbol* const of = find(tick.symbol);
  if (of == nullptr) return false;
  const std::lock_guard lock(of->mutex);
  const auto at = lower_bound(of->ticks, place_of(tick));
  return at != of->ticks.end() && *at == tick;
}

bool EdgeView::keeps(const Tick& tick) const {
  const Symbol* const of = find(tick.symbol);
  if (of == nullptr) return true;
  const std::lock_guard lock(of->mutex);
  return of->ticks.size() < options_.kept_ticks || place_of(tick) > place_of(of->ticks.front());
}

bool EdgeView::is_news(const BarEvent& event) const {
  const Symbol* const of = find(event.symbol);
  if (of == nullptr) return true;
  const std::lock_guard lock(of->mutex);
  const auto& bars = of->series[event.timeframe_index];
  const auto at = lower_bound(bars, event.bar.open_time);
  if (at != bars.end() && at->open_time == event.bar.open_time) return is_later(event.bar, *at);
  return bars.size() < options_.kept_bars || at != bars.begin();
}

// --- quotes ---------------------------------------------------------------------------------------------------------

std::optional<Tick> EdgeView::latest(SymbolId symbol) const {
  const Tick latest = snapshot(symbol).latest;
  if (latest.seq == 0) return std::nullopt;
  return latest;
}

QuoteSnapshot EdgeView::snapshot(SymbolId symbol) const {
  const Symbol* const of = find(symbol);
  if (of == nullptr) return {};
  const std::lock_guard lock(of->mutex);
  return {.latest = of->latest, .newest_seq = of->newest_seq};
}

std::size_t EdgeView::symbol_count() const {
  const std::shared_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(symbols_.begin(), symbols_.end(), [](const auto& one) { return one != nullptr; }));
}

std::vector<SymbolActivity> EdgeView::activity() const {
  std::vector<SymbolActivity> all;
  const std::shared_lock lock(mutex_);
  for (const auto& of : symbols_) {
    if (!of) continue;
    const std::lock_guard symbol_lock(of->mutex);
    all.push_back({.symbol = of->id,
                   .tick_count = of->newest_seq,
                   .last_event = of->last_event,
                   .last_received = of->last_received,
                   .lps = of->lps});
  }
  return all;
}

TickPage EdgeView::ticks(const TickQuery& query) const {
  TickPage page;
  const Symbol* const of = find(query.symbol);
  if (of == nullptr) return page;
  const std::lock_guard lock(of->mutex);
  page.max_seq = std::min(query.max_seq, of->newest_seq);
  TickPlace begin{query.from, 0};
  TickPlace end{query.to, 0};
  if (query.after && query.newest_first) end = std::min(end, *query.after);
  if (query.after && !query.newest_first) begin = std::max(begin, {query.after->ts_event, query.after->seq + 1});
  if (begin >= end) return page;
  const auto first = lower_bound(of->ticks, begin);
  const auto last = lower_bound(of->ticks, end);
  const auto collect = [&](auto from, auto to) {
    for (; from != to; ++from) {
      if (from->seq > page.max_seq) continue;
      if (page.ticks.size() == query.limit) {
        page.has_more = true;
        return;
      }
      page.ticks.push_back(*from);
    }
  };
  if (query.newest_first) {
    collect(std::make_reverse_iterator(last), std::make_reverse_iterator(first));
  } else {
    collect(first, last);
  }
  return page;
}

// --- bars -----------------------------------------------------------------------------------------------------------

std::optional<std::size_t> EdgeView::index_of(Timeframe timeframe) const {
  const auto& known = options_.timeframes;
  const auto at = std::find(known.begin(), known.end(), timeframe);
  if (at == known.end()) return std::nullopt;
  return static_cast<std::size_t>(at - known.begin());
}

std::vector<Bar> EdgeView::bars(const BarQuery& query) const {
  std::vector<Bar> found;
  const Symbol* const of = find(query.symbol);
  const auto index = index_of(query.timeframe);
  if (of == nullptr || !index || query.from >= query.to) return found;
  const std::lock_guard lock(of->mutex);
  const auto& bars = of->series[*index];
  const auto first = lower_bound(bars, query.from);
  for (auto at = lower_bound(bars, query.to); at != first && found.size() < query.limit;) {
    --at;
    if (!query.closed_only || at->is_closed) found.push_back(*at);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<Bar> EdgeView::open_bars(SymbolId symbol, Timeframe timeframe) const {
  std::vector<Bar> open;
  const Symbol* const of = find(symbol);
  const auto index = index_of(timeframe);
  if (of == nullptr || !index) return open;
  const std::lock_guard lock(of->mutex);
  for (const Bar& bar : of->series[*index]) {
    if (!bar.is_closed) open.push_back(bar);
  }
  return open;
}

std::optional<Bar> EdgeView::active_bar(SymbolId symbol, Timeframe timeframe) const {
  const std::vector<Bar> open = open_bars(symbol, timeframe);
  if (open.empty()) return std::nullopt;
  return open.back();
}

Interval EdgeView::interval(SymbolId symbol, Timeframe timeframe, UnixNanos time) const {
  return options_.calendar_of(symbol).interval(timeframe, time);
}

}  // namespace tickpipe::internal
