#include "publish/market_view.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "publish/history_reader.h"

namespace tickpipe::internal {

MarketView::MarketView(Options options)
    : options_(std::move(options)), hot_limit_(options_.hot_ticks), budget_(options_.max_cached_bars_bytes) {}

SymbolView& MarketView::view_of(SymbolId symbol) {
  return table_.find_or_make(symbol, options_.timeframes.size(), hot_limit_.load(std::memory_order_relaxed));
}

void MarketView::restore(const SymbolStart& start) {
  SymbolView& view = view_of(start.symbol);
  const std::lock_guard lock(view.mutex);
  view.latest = start.latest;
  view.hot.start_after(start.seq, start.newest);
  view.is_hot_filled = options_.history == nullptr || start.seq == 0;
  view.last_event = start.newest;
  view.lps = start.lps;
  for (const LpActivity& lp : start.lps) view.last_received = std::max(view.last_received, lp.last_received);
  for (const BarEvent& event : start.open_bars) view.series[event.timeframe_index].put_open(event.bar);
  newest_event_ns_.store(std::max(newest_event().ns, start.newest.ns), std::memory_order_relaxed);
}

// --- following commits ----------------------------------------------------------------------------------------------

void MarketView::on_committed(const EventBatch& batch, Position /*position*/) {
  ++group_number_;
  groups_.clear();
  group(batch.ticks, kTicks);
  group(batch.bars, kClosedBars);
  group(batch.open_bars, kOpenBars);
  group(batch.latest, kLatest);
  for (const Group& one : groups_) {
    apply(one, batch);
    if (budget_.is_exceeded()) keep_within_budget();
  }
  for (const Tick& tick : batch.amended) {
    SymbolView& view = view_of(tick.symbol);
    const std::lock_guard lock(view.mutex);
    view.hot.amend(tick);
    if (view.late_while_filling) view.amended_while_filling.push_back(tick);
  }
}

template <typename Elements>
void MarketView::group(const Elements& elements, List list) {
  auto& next = next_[list];
  if (next.size() < elements.size()) next.resize(elements.size());
  for (std::uint32_t i = 0; i < elements.size(); ++i) {
    Chain& chain = group_of(elements[i].symbol).chains[list];
    if (chain.count++ == 0) {
      chain.first = i;
    } else {
      next[chain.last] = i;
    }
    chain.last = i;
  }
}

MarketView::Group& MarketView::group_of(SymbolId symbol) {
  SymbolView& view = view_of(symbol);
  if (view.group_number != group_number_) {
    view.group_number = group_number_;
    view.group = static_cast<std::uint32_t>(groups_.size());
    groups_.emplace_back().view = &view;
  }
  return groups_[view.group];
}

template <typename Visit>
void MarketView::follow(const Group& group, List list, Visit visit) const {
  const Chain& chain = group.chains[list];
  for (std::uint32_t i = chain.first, left = chain.count; left > 0; --left) {
    visit(i);
    if (left > 1) i = next_[list][i];
  }
}

void MarketView::apply(const Group& group, const EventBatch& batch) {
  SymbolView& view = *group.view;
  std::uint64_t quotes = 0;
  const std::lock_guard lock(view.mutex);
  apply_hot_limit(view);
  const std::size_t hot_bytes = view.hot.bytes();
  follow(group, kTicks, [&](std::uint32_t i) {
    const Tick& tick = batch.ticks[i];
    if (tick.kind != RecordKind::kQuote) return;
    view.add_quote(tick);
    ++quotes;
  });
  note_hot_bytes(hot_bytes, view.hot.bytes());
  follow(group, kLatest, [&](std::uint32_t i) { view.latest = batch.latest[i]; });
  follow(group, kOpenBars, [&](std::uint32_t i) {
    const BarEvent& event = batch.open_bars[i];
    view.series[event.timeframe_index].put_open(event.bar);
  });
  follow(group, kClosedBars, [&](std::uint32_t i) {
    const BarEvent& event = batch.bars[i];
    view.series[event.timeframe_index].put_closed(event.bar, options_.history == nullptr);
    settle(view, event.timeframe_index);
  });
  quotes_seen_.fetch_add(quotes, std::memory_order_relaxed);
  if (view.last_event > newest_event()) newest_event_ns_.store(view.last_event.ns, std::memory_order_relaxed);
}

// --- what is in memory ----------------------------------------------------------------------------------------------

std::optional<Tick> MarketView::latest(SymbolId symbol) const {
  const SymbolView* view = table_.find(symbol);
  if (view == nullptr) return std::nullopt;
  const std::lock_guard lock(view->mutex);
  if (view->latest.seq == 0) return std::nullopt;
  return view->latest;
}

QuoteSnapshot MarketView::snapshot(SymbolId symbol) const {
  const SymbolView* view = table_.find(symbol);
  if (view == nullptr) return {};
  const std::lock_guard lock(view->mutex);
  return {.latest = view->latest, .newest_seq = view->hot.newest_seq()};
}

std::vector<SymbolActivity> MarketView::activity() const {
  std::vector<SymbolActivity> all;
  all.reserve(table_.size());
  table_.for_each([&](const SymbolView& view) {
    const std::lock_guard lock(view.mutex);
    all.push_back(view.activity());
  });
  return all;
}

std::size_t MarketView::memory_bytes() const noexcept {
  const std::size_t of_bars = options_.timeframes.size() * (sizeof(BarSeries) + 2 * sizeof(Bar));
  return hot_bytes_.load(std::memory_order_relaxed) + budget_.bytes() + table_.size() * (sizeof(SymbolView) + of_bars);
}

Interval MarketView::interval(SymbolId symbol, Timeframe timeframe, UnixNanos time) const {
  return options_.calendar_of(symbol).interval(timeframe, time);
}

// --- ticks ----------------------------------------------------------------------------------------------------------

void MarketView::set_hot_ticks(std::size_t count) {
  hot_limit_.store(count, std::memory_order_relaxed);
  table_.for_each([&](SymbolView& view) {
    const std::lock_guard lock(view.mutex);
    apply_hot_limit(view);
  });
}

void MarketView::apply_hot_limit(SymbolView& view) const {
  const std::size_t limit = hot_limit_.load(std::memory_order_relaxed);
  if (view.hot.limit() == limit) return;
  const std::size_t bytes = view.hot.bytes();
  if (limit > view.hot.limit() && view.hot.complete_from() != kFirstPlace) {
    view.is_hot_filled = options_.history == nullptr;
  }
  view.hot.set_limit(limit);
  note_hot_bytes(bytes, view.hot.bytes());
}

HotTicks::Request MarketView::hot_request(const SymbolView& view, const TickQuery& query) const {
  HotTicks::Request request;
  TickRange& range = request.range;
  range.begin = {query.from, 0};
  range.end = {std::min(query.to, UnixNanos{std::max(view.last_event, kFirstTickTime).ns + 1}), 0};
  if (query.after && query.newest_first) range.end = std::min(range.end, *query.after);
  if (query.after && !query.newest_first) range.begin = std::max(range.begin, next_place(*query.after));
  range.max_seq = std::min(query.max_seq, view.hot.newest_seq());
  request.newest_first = query.newest_first;
  request.limit = std::min(query.limit, std::numeric_limits<std::size_t>::max() - 1);
  request.is_all_there_is = options_.history == nullptr;
  return request;
}

bool MarketView::ticks_in_memory(const TickQuery& query) const {
  const SymbolView* view = table_.find(query.symbol);
  if (view == nullptr) return true;
  const std::lock_guard lock(view->mutex);
  return view->hot.can_answer(hot_request(*view, query));
}

TickPage MarketView::ticks(const TickQuery& query) const {
  TickPage page;
  SymbolView* view = table_.find(query.symbol);
  if (view == nullptr) return page;
  page.ticks.reserve(std::min(query.limit, hot_limit_.load(std::memory_order_relaxed)));

  Lock lock(view->mutex);
  const HotTicks::Request request = hot_request(*view, query);
  page.max_seq = request.range.max_seq;
  if (view->hot.answer(request, page.ticks, page.has_more)) return page;
  if (!view->is_hot_filled) {
    lock.unlock();
    fill_hot(*view);
    lock.lock();
    if (view->hot.answer(request, page.ticks, page.has_more)) return page;
  }
  // As dense as the newest ones, with some to spare.
  const std::size_t known = std::max<std::size_t>(view->hot.size(), 1);
  const double spacing_ns =
      static_cast<double>(std::max<std::int64_t>(view->hot.span().count(), 1'000'000)) / static_cast<double>(known);
  lock.unlock();
  const double window_ns = std::clamp(2 * spacing_ns * (static_cast<double>(request.limit) + 1), 1e9, 1e15);

  const std::size_t count = request.limit + 1;
  page.ticks = request.newest_first ? read_newest(*options_.history, query.symbol, request.range, count,
                                                  std::chrono::nanoseconds{static_cast<std::int64_t>(window_ns)})
                                    : read_oldest(*options_.history, query.symbol, request.range, count);
  page.has_more = page.ticks.size() == count;
  if (page.has_more) page.ticks.pop_back();
  return page;
}

void MarketView::fill_hot(SymbolView& view) const {
  constexpr std::chrono::minutes kFirstWindow{10};
  const std::lock_guard filling(fill_mutex(view));
  Lock lock(view.mutex);
  if (view.is_hot_filled) return;
  const TickPlace place = view.hot.complete_from();
  const std::size_t limit = view.hot.limit();
  const std::size_t wanted = limit - view.hot.size() + 1;  // one more tells whether that is all
  // What is committed from here on is taken in by on_committed(), so the store is read up to the newest seq only.
  const TickRange below{kFirstPlace, place, view.hot.newest_seq()};
  view.late_while_filling.emplace();
  lock.unlock();

  std::vector<Tick> found;
  try {
    found = read_newest(*options_.history, view.symbol, below, wanted, kFirstWindow);
  } catch (...) {
    lock.lock();
    view.late_while_filling.reset();
    view.amended_while_filling.clear();
    throw;
  }
  std::reverse(found.begin(), found.end());

  lock.lock();
  const std::size_t bytes = view.hot.bytes();
  view.hot.fill_below(place, found, found.size() < wanted);
  for (const Tick& tick : *view.late_while_filling) view.hot.add(tick);
  for (const Tick& tick : view.amended_while_filling) view.hot.amend(tick);
  view.late_while_filling.reset();
  view.amended_while_filling.clear();
  view.is_hot_filled = view.hot.limit() <= limit;
  note_hot_bytes(bytes, view.hot.bytes());
}

// --- bars -----------------------------------------------------------------------------------------------------------

std::optional<std::size_t> MarketView::index_of(Timeframe timeframe) const {
  const auto& known = options_.timeframes;
  const auto it = std::find(known.begin(), known.end(), timeframe);
  if (it == known.end()) return std::nullopt;
  return static_cast<std::size_t>(it - known.begin());
}

std::vector<Bar> MarketView::shown_open(const SymbolView& view, std::size_t timeframe_index,
                                        const BarQuery& query) const {
  if (query.closed_only) return {};
  return view.shown_open(timeframe_index, query, options_.calendar_of);
}

std::vector<Bar> MarketView::open_bars(SymbolId symbol, Timeframe timeframe) const {
  const SymbolView* view = table_.find(symbol);
  const auto index = index_of(timeframe);
  if (view == nullptr || !index) return {};
  BarQuery query;
  query.symbol = symbol;
  query.timeframe = timeframe;
  const std::lock_guard lock(view->mutex);
  return shown_open(*view, *index, query);
}

std::optional<Bar> MarketView::active_bar(SymbolId symbol, Timeframe timeframe) const {
  const std::vector<Bar> open = open_bars(symbol, timeframe);
  if (open.empty()) return std::nullopt;
  return open.back();
}

bool MarketView::bars_in_memory(const BarQuery& query) const {
  const SymbolView* view = table_.find(query.symbol);
  const auto index = index_of(query.timeframe);
  if (view == nullptr || !index) return true;
  const std::lock_guard lock(view->mutex);
  return view->series[*index].can_answer({query.from, query.to, query.limit}, shown_open(*view, *index, query),
                                         options_.history == nullptr);
}

std::vector<Bar> MarketView::bars(const BarQuery& query) const {
  std::vector<Bar> found;
  SymbolView* view = table_.find(query.symbol);
  const auto index = index_of(query.timeframe);
  if (view == nullptr || !index) return found;
  BarSeries& series = view->series[*index];
  found.reserve(std::min(query.limit, BarSeries::kMaxClosed));

  const BarRange range{query.from, query.to, query.limit};
  const bool is_all_there_is = options_.history == nullptr;
  Lock lock(view->mutex);
  // The open ones are taken before the store is read: one that closes meanwhile is then there twice, and not missing.
  std::vector<Bar> open = shown_open(*view, *index, query);
  bool is_answered = series.answer(range, open, is_all_there_is, found);
  const bool must_fill = !is_answered && !series.is_cached();
  if (must_fill) {
    lock.unlock();
    lock = fill_bars(*view, *index);
    open = shown_open(*view, *index, query);
    is_answered = series.answer(range, open, is_all_there_is, found);
  }
  if (series.budget) budget_.touch(*series.budget);
  lock.unlock();
  if (must_fill) keep_within_budget();
  if (!is_answered) found = stored_bars(query, open);
  std::reverse(found.begin(), found.end());
  return found;
}

MarketView::Lock MarketView::fill_bars(SymbolView& view, std::size_t timeframe_index) const {
  const std::lock_guard filling(fill_mutex(view));
  BarSeries& series = view.series[timeframe_index];
  Lock lock(view.mutex);
  if (series.is_cached()) return lock;
  series.begin_fill();
  lock.unlock();

  std::vector<Bar> stored;
  bool is_all = true;
  try {
    options_.history->scan_bars(view.symbol, options_.timeframes[timeframe_index], kNoTime, kEndOfTime, true,
                                [&](const Bar& bar) {
                                  if (bar.tick_count != 0) stored.push_back(bar);
                                  is_all = stored.size() <= BarSeries::kMaxClosed;
                                  return is_all;
                                });
  } catch (...) {
    lock.lock();
    series.cancel_fill();
    throw;
  }

  lock.lock();
  series.fill_cache(stored, is_all);
  settle(view, timeframe_index);
  return lock;
}

std::vector<Bar> MarketView::stored_bars(const BarQuery& query, const std::vector<Bar>& shown_open) const {
  std::vector<Bar> closed;
  options_.history->scan_bars(query.symbol, query.timeframe, query.from, query.to, true, [&](const Bar& bar) {
    if (bar.tick_count != 0) closed.push_back(bar);
    return closed.size() < query.limit;
  });
  std::vector<Bar> found;
  auto next = closed.begin();
  merge_newest_first(
      shown_open, [&]() -> const Bar* { return next == closed.end() ? nullptr : &*next++; },
      [&](const Bar& bar) {
        found.push_back(bar);
        return found.size() < query.limit;
      });
  return found;
}

void MarketView::settle(SymbolView& view, std::size_t timeframe_index) const {
  BarSeries& series = view.series[timeframe_index];
  const std::size_t bytes = series.cached_bytes();
  if (!series.budget) {
    if (bytes != 0) series.budget = budget_.enter({&view, timeframe_index, bytes});
  } else if (bytes == 0) {
    budget_.leave(*series.budget);
    series.budget.reset();
  } else if ((*series.budget)->bytes != bytes) {
    budget_.resize(*series.budget, bytes);
  }
}

void MarketView::keep_within_budget() const {
  while (const auto victim = budget_.take_victim()) {
    const std::lock_guard lock(victim->symbol->mutex);
    BarSeries& series = victim->symbol->series[victim->timeframe_index];
    if (options_.history != nullptr) {
      series.drop_cache();
    } else {
      series.halve_cache();
    }
    settle(*victim->symbol, victim->timeframe_index);
  }
}

}  // namespace tickpipe::internal
