#include "shard/shard_engine.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

/// How far back the predecessor of a late quote is looked for.
constexpr std::chrono::nanoseconds kPredecessorWithin = std::chrono::hours{1};

/// Hands over what the windows of a symbol hold, which includes everything that is not committed yet.
StoredQuotes::Uncommitted uncommitted_of(const SymbolState& symbol) {
  return [&symbol](UnixNanos from, UnixNanos to, const auto& take) {
    for (const LpState& each : symbol.lps) {
      each.window.for_each(from, to, [&](UnixNanos ts, Price bid, Price ask) { take({ts, bid, ask, each.lp}); });
    }
  };
}

}  // namespace

ShardEngine::ShardEngine(ShardRules rules) : rules_(std::move(rules)), gate_(rules_.prices) {
  context_.timeframes = rules_.timeframes;
  context_.history = rules_.history;
  context_.run_start = rules_.run_start;
  context_.changed.assign(rules_.timeframes.size(), 0);
  if (rules_.history != nullptr) stored_.emplace(*rules_.history);
}

SymbolState& ShardEngine::state(SymbolId symbol) {
  const std::size_t index = symbol.value / rules_.shard_count;
  if (index >= symbols_.size()) symbols_.resize(index + 1);
  auto& slot = symbols_[index];
  if (!slot) [[unlikely]] {
    slot = std::make_unique<SymbolState>(symbol, context_, rules_.calendar_of(symbol));
  }
  return *slot;
}

LpState& ShardEngine::lp_state(SymbolState& symbol, LpId lp) const {
  for (LpState& known : symbol.lps) {
    if (known.lp == lp) return known;
  }
  LpState& fresh = symbol.lps.emplace_back();
  fresh.lp = lp;
  fresh.is_selected = rules_.is_selected(lp);
  return fresh;
}

const SymbolState* ShardEngine::find(SymbolId symbol) const noexcept {
  const std::size_t index = symbol.value / rules_.shard_count;
  return index < symbols_.size() ? symbols_[index].get() : nullptr;
}

bool ShardEngine::is_duplicate(SymbolState& symbol, LpState& lp, const Quote& quote) {
  if (lp.window.contains(quote.ts_event, quote.bid, quote.ask)) return true;
  if (!stored_ || quote.ts_event >= lp.window.complete_from()) return false;
  return stored_->contains(symbol.id, {quote.ts_event, quote.bid, quote.ask, quote.lp}, uncommitted_of(symbol));
}

PriceLevel ShardEngine::predecessor(const SymbolState& symbol, const LpState& lp, const Quote& quote) {
  if (!PriceGate::needs_predecessor(quote, lp.prices)) return {};
  const UnixNanos earliest = quote.ts_event - kPredecessorWithin;
  PriceLevel level;
  const auto* const recent = lp.window.newest_at(quote.ts_event);
  if (recent != nullptr && recent->ts >= earliest) level = {recent->ts, recent->bid, recent->ask};
  if (!stored_ || (recent != nullptr && recent->ts >= lp.window.complete_from())) return level;
  const auto stored = stored_->newest_between(symbol.id, quote.lp, earliest, quote.ts_event, uncommitted_of(symbol));
  if (stored) level = {stored->ts, stored->bid, stored->ask};
  return level;
}

void ShardEngine::process(const Quote& quote, EventBatch& batch, std::uint64_t committed) {
  const std::optional<Reason> refused = decide(quote, batch, committed);
  if (refused) refuse(*refused);
  if ((quote.marks & kVerdictMask) != 0) [[unlikely]] {
    // Without either this batch may never be handed over; then what there is to wait for is in the one before.
    const bool is_empty = batch.ticks.empty() && batch.amended.empty();
    const std::uint64_t carried_by = is_empty ? batch.number - 1 : batch.number;
    rules_.verdicts->on_verdict(quote.marks & kVerdictMask, rules_.shard, refused, carried_by);
  }
}

PriceGate::Verdict ShardEngine::judge_price(const Quote& quote, SymbolState& symbol, LpState& lp) {
  if (quote.marks & kLiveQuote) {
    PriceLevel latest;
    if (symbol.latest.seq != 0) latest = {symbol.latest.ts_event, symbol.latest.bid, symbol.latest.ask};
    return gate_.judge_live(quote, lp.prices, latest);
  }
  return gate_.judge_historical(quote, lp.prices, symbol.level, predecessor(symbol, lp, quote));
}

std::optional<Reason> ShardEngine::decide(const Quote& quote, EventBatch& batch, std::uint64_t committed) {
  SymbolState& symbol = state(quote.symbol);
  if (symbol.sealed_days.contains(quote.ts_event)) [[unlikely]] {
    return Reason::kTooOld;
  }
  LpState& lp = lp_state(symbol, quote.lp);
  const bool is_live = (quote.marks & kLiveQuote) != 0;
  std::uint8_t flags = is_live ? 0 : kHistorical;
  bool in_bars = lp.is_selected;
  try {
    if (rules_.deduplicate && quote.ts_event <= lp.greatest && (quote.marks & kReceiveTimed) == 0 &&
        is_duplicate(symbol, lp, quote)) {
      on_duplicate(quote, symbol, lp, batch, committed);
      return Reason::kDuplicate;
    }
    // What may fail to read the store comes before anything changes.
    if (in_bars && is_live) {
      const UnixNanos base_end = symbol.bars.closed_base_end(quote.ts_event);
      if (base_end != kEndOfTime && symbol.newest - base_end > rules_.bar_revision_window) {
        flags |= kLateForBars;
        in_bars = false;
      }
    }
    if (in_bars && (is_bar_removed(symbol, quote.ts_event) || !symbol.bars.prepare(quote.ts_event))) {
      flags |= kLateForBars;
      in_bars = false;
    }
    switch (judge_price(quote, symbol, lp)) {
      case PriceGate::Verdict::kGood:
        break;
      case PriceGate::Verdict::kSpike:
        flags |= kSpike;
        break;
      case PriceGate::Verdict::kNewLevel:
        flags |= kSpike | kNewLevel;
        break;
      case PriceGate::Verdict::kRefusedImplausible:
        note_unsaved(symbol);  // the streak counts on after a restart
        return Reason::kImplausiblePrice;
      case PriceGate::Verdict::kRefusedSpike:
        note_unsaved(symbol);
        return Reason::kSpike;
    }
  } catch (const Error& error) {
    const std::lock_guard lock(history_failure_mutex_);
    history_failure_ = {error.what(), std::chrono::steady_clock::now()};
    return Reason::kStoreUnavailable;
  }

  if (rules_.flag_out_of_order && quote.ts_event < lp.newest) flags |= kOutOfOrder;
  if (!lp.is_selected) flags |= kUnselected;
  if (lp.after_gap) flags |= kAfterGap;
  const Tick& tick = batch.ticks.emplace_back(Tick{.ts_event = quote.ts_event,
                                                   .ts_recv = quote.ts_recv,
                                                   .bid = quote.bid,
                                                   .ask = quote.ask,
                                                   .bid_size = quote.bid_size,
                                                   .ask_size = quote.ask_size,
                                                   .seq = symbol.seq + 1,
                                                   .symbol = quote.symbol,
                                                   .lp = quote.lp,
                                                   .flags = flags});
  symbol.apply(lp, tick, rules_.live_tick_age);
  if (rules_.deduplicate) {
    lp.window.insert(quote.ts_event, quote.bid, quote.ask, batch.number, committed, rules_.dedup_window);
    if (stored_ && quote.ts_event < stored_->end()) {
      stored_->add(symbol.id, {quote.ts_event, quote.bid, quote.ask, quote.lp});
    }
  }
  if (in_bars) {
    const std::size_t before = symbol.bars.dirty_count();
    symbol.bars.add(quote.ts_event, rules_.bar_price(quote.bid, quote.ask));
    symbol.bars.close_through(symbol.watermark());
    note_changed_bars(symbol, before);
  } else if ((flags & kLateForBars) && stored_) {
    if (late_in_flight_.size() >= sweep_late_at_) {
      std::erase_if(late_in_flight_, [&](const InFlightLateQuote& late) { return late.batch <= committed; });
      sweep_late_at_ = std::max(kSweepLateAt, 2 * late_in_flight_.size());
    }
    late_in_flight_.push_back({batch.number, tick});
  }
  note_unsaved(symbol);
  note_touched(symbol);
  ++accepted_since_checkpoint_;
  bump(counters_.accepted);
  if ((flags & (kOutOfOrder | kSpike | kLateForBars)) != 0) [[unlikely]] {
    if (flags & kOutOfOrder) bump(counters_.out_of_order);
    if (flags & kSpike) bump(counters_.spikes);
    if (flags & kLateForBars) bump(counters_.late_for_bars);
  }
  return std::nullopt;
}

void ShardEngine::on_duplicate(const Quote& quote, SymbolState& symbol, LpState& lp, EventBatch& batch,
                               std::uint64_t committed) {
  const bool is_live = (quote.marks & kLiveQuote) != 0;
  if (!is_live && symbol.late_ticks != 0 && stored_) fold_late_quote(quote, symbol, batch, committed);
  // It was accepted once: it ends a streak, and where a file is loaded again the levels go along.
  const bool had_streak = lp.prices.streak != nullptr;
  lp.prices.streak.reset();
  bool has_moved = false;
  if (!is_live) {
    has_moved |= PriceGate::accept_historical(lp.prices.level, quote.ts_event, quote.bid, quote.ask);
    has_moved |= PriceGate::accept_historical(symbol.level, quote.ts_event, quote.bid, quote.ask);
  }
  if (had_streak || has_moved) note_unsaved(symbol);
}

void ShardEngine::fold_late_quote(const Quote& quote, SymbolState& symbol, EventBatch& batch, std::uint64_t committed) {
  if (is_bar_removed(symbol, quote.ts_event)) return;
  const auto is_it = [&quote](const Tick& tick) {
    return tick.symbol == quote.symbol && tick.lp == quote.lp && tick.ts_event == quote.ts_event &&
           tick.bid == quote.bid && tick.ask == quote.ask && (tick.flags & kLateForBars);
  };
  // It is in this batch, in one that is on its way to the store, or stored.
  Tick* const here = [&]() -> Tick* {
    const auto found = std::find_if(batch.ticks.begin(), batch.ticks.end(), is_it);
    return found == batch.ticks.end() ? nullptr : &*found;
  }();
  std::optional<Tick> earlier;
  if (here == nullptr) {
    for (const InFlightLateQuote& late : late_in_flight_) {
      if (late.batch > committed && is_it(late.tick)) earlier = late.tick;
    }
    if (!earlier) {
      rules_.history->scan(symbol.id, quote.ts_event, UnixNanos{quote.ts_event.ns + 1}, [&](const Tick& tick) {
        if (is_it(tick)) earlier = tick;
        return !earlier;
      });
    }
    const auto was_amended = [&](const Tick& tick) { return tick.symbol == symbol.id && tick.seq == earlier->seq; };
    if (!earlier || std::any_of(batch.amended.begin(), batch.amended.end(), was_amended)) return;
  }
  if (!symbol.bars.prepare(quote.ts_event)) return;
  if (here != nullptr) {
    here->flags = static_cast<std::uint8_t>(here->flags & ~kLateForBars);
    std::erase_if(late_in_flight_, [&](const InFlightLateQuote& late) { return is_it(late.tick); });
  } else {
    earlier->flags = static_cast<std::uint8_t>((earlier->flags & ~kLateForBars) | kFoldedLater);
    batch.amended.push_back(*earlier);
    std::erase_if(late_in_flight_, [&](const InFlightLateQuote& late) { return late.tick.seq == earlier->seq; });
  }
  --symbol.late_ticks;
  const std::size_t before = symbol.bars.dirty_count();
  symbol.bars.add(quote.ts_event, rules_.bar_price(quote.bid, quote.ask));
  note_changed_bars(symbol, before);
  note_unsaved(symbol);
  note_touched(symbol);
}

void ShardEngine::note_changed_bars(SymbolState& symbol, std::size_t before) {
  const std::size_t after = symbol.bars.dirty_count();
  if (after == before) return;
  changed_bars_ += after - before;
  if (symbol.has_changed_bars) return;
  symbol.has_changed_bars = true;
  with_changed_bars_.push_back(&symbol);
}

void ShardEngine::note_unsaved(SymbolState& symbol) {
  if (symbol.has_unsaved_changes) return;
  symbol.has_unsaved_changes = true;
  unsaved_.push_back(&symbol);
}

void ShardEngine::note_touched(SymbolState& symbol) {
  if (!rules_.tell_readers || symbol.is_touched) return;
  symbol.is_touched = true;
  touched_.push_back(&symbol);
}

void ShardEngine::close_symbol(SymbolState& symbol, UnixNanos time, EventBatch& batch) {
  const std::size_t before = symbol.bars.dirty_count();
  symbol.bars.close_through(time);
  batch.closes.push_back({symbol.id, symbol.seq, time});
  note_changed_bars(symbol, before);
  note_unsaved(symbol);
  note_touched(symbol);
}

void ShardEngine::close_through(UnixNanos time, EventBatch& batch) {
  for (const auto& symbol : symbols_) {
    if (symbol && symbol->bars.next_close() <= time) close_symbol(*symbol, time, batch);
  }
}

void ShardEngine::close_by_clock(UnixNanos now, std::chrono::nanoseconds grace, EventBatch& batch) {
  const UnixNanos time = now - grace;
  for (const auto& symbol : symbols_) {
    if (symbol && symbol->bars.next_close() <= time && symbol->follows_clock(now)) close_symbol(*symbol, time, batch);
  }
}

void ShardEngine::set_thresholds(const ShardThresholds& thresholds) {
  gate_ = PriceGate(thresholds.prices);
  rules_.prices = thresholds.prices;
  rules_.live_tick_age = thresholds.live_tick_age;
  rules_.bar_revision_window = thresholds.bar_revision_window;
}

void ShardEngine::seal(SymbolId symbol, std::int32_t day, EventBatch& batch) {
  state(symbol).sealed_days.add(day);
  batch.sealed.push_back({symbol, day, true});
}

void ShardEngine::unseal(SymbolId symbol, std::int32_t day, EventBatch& batch) {
  state(symbol).sealed_days.remove(day);
  batch.sealed.push_back({symbol, day, false});
}

void ShardEngine::give_up_bars(SymbolId symbol, UnixNanos end) {
  UnixNanos& removed_through = state(symbol).bars_removed_through;
  removed_through = std::max(removed_through, end);
}

void ShardEngine::complete(EventBatch& batch, std::uint64_t committed, bool force_checkpoint) {
  for (SymbolState* symbol : with_changed_bars_) {
    symbol->bars.emit_changes(batch, committed);
    symbol->has_changed_bars = false;
  }
  with_changed_bars_.clear();
  changed_bars_ = 0;
  bump(counters_.bar_events, batch.bars.size());
  for (SymbolState* symbol : touched_) {
    symbol->is_touched = false;
    symbol->bars.emit_open_bars(batch);
    if (symbol->latest.seq != symbol->published_latest) {
      symbol->published_latest = symbol->latest.seq;
      batch.latest.push_back(symbol->latest);
    }
  }
  touched_.clear();

  if (!checkpoint_due() && !(force_checkpoint && rules_.history != nullptr && !unsaved_.empty())) return;
  if (rules_.checkpoint_round != nullptr) {
    // The restart begins at the oldest checkpoint of any shard, so when one is due the others write theirs too.
    if (accepted_since_checkpoint_ >= rules_.checkpoint_every) rules_.checkpoint_round->fetch_add(1);
    seen_round_ = rules_.checkpoint_round->load();
  }
  for (SymbolState* symbol : unsaved_) {
    SymbolSnapshot& snapshot = batch.snapshots.emplace_back();
    snapshot.symbol = symbol->id;
    symbol->encode(snapshot.bytes);
    symbol->has_unsaved_changes = false;
  }
  unsaved_.clear();
  accepted_since_checkpoint_ = 0;
  batch.is_checkpoint = true;
}

bool ShardEngine::checkpoint_due() const noexcept {
  if (rules_.history == nullptr || unsaved_.empty()) return false;
  if (accepted_since_checkpoint_ >= rules_.checkpoint_every) return true;
  return rules_.checkpoint_round != nullptr && rules_.checkpoint_round->load(std::memory_order_relaxed) != seen_round_;
}

void ShardEngine::for_each_symbol(const std::function<void(const SymbolState&)>& take) const {
  for (const auto& symbol : symbols_) {
    if (symbol) take(*symbol);
  }
}

}  // namespace tickpipe::internal
