#include "shard/bar_builder.h"

#include <algorithm>

#include "model/bar_codec.h"

namespace tickpipe::internal {

BarBuilder::BarBuilder(BarContext& context, const TradingCalendar& calendar, SymbolId symbol)
    : context_(context), calendar_(calendar), symbol_(symbol), series_(context.timeframes.size()) {}

Interval BarBuilder::interval(std::size_t timeframe_index, UnixNanos ts) const {
  return calendar_.interval(context_.timeframes[timeframe_index], ts);
}

void BarBuilder::count(std::size_t timeframe_index, bool& was_counted) {
  if (was_counted) return;
  was_counted = true;
  ++context_.changed[timeframe_index];
}

// --- ticks ----------------------------------------------------------------------------------------------------------

bool BarBuilder::prepare_slow(UnixNanos ts) {
  const Interval base = interval(0, ts);
  if (!is_closed(base)) return true;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Interval above = i == 0 ? base : interval(i, ts);
    if (!is_closed(above)) continue;
    if (!load_closed(i, above)) return false;
  }
  return true;
}

bool BarBuilder::load_closed(std::size_t timeframe_index, const Interval& wanted) {
  Series& series = series_[timeframe_index];
  if (series.closed.find(wanted.open) != nullptr) return true;
  ClosedBar loaded;
  if (context_.history != nullptr) {
    if (const auto stored = context_.history->find_bar(symbol_, context_.timeframes[timeframe_index], wanted.open)) {
      loaded.bar = stored->bar;
      loaded.was_emitted = true;
      loaded.was_counted = stored->position > context_.run_start;
    }
  } else if (wanted.open <= series.forgotten_through) {
    return false;
  }
  if (!loaded.was_emitted) {
    loaded.bar.open_time = wanted.open;
    loaded.bar.close_time = wanted.close;
    loaded.bar.is_closed = true;
  }
  if (++series.looked_at > 4 * ClosedBars::kKeep) {  // refused ticks must not fill the memory
    series.closed.drop_unchanged();
    series.looked_at = 0;
  }
  series.closed.insert(loaded);
  return true;
}

void BarBuilder::add(UnixNanos ts, Price price) {
  if (ts >= current_open_ && ts < current_close_) {
    OpenBar& open = series_[0].open[current_index_];
    open.bar.add(ts, price);
    open.was_changed = true;
    return;
  }
  fold(ts, [ts, price](Bar& bar) { bar.add(ts, price); });
}

void BarBuilder::add_trade(UnixNanos ts, Quantity size) {
  fold(ts, [size](Bar& bar) { bar.add_trade(size); });
}

template <typename Change>
void BarBuilder::fold(UnixNanos ts, Change change) {
  const Interval base = interval(0, ts);
  if (!is_closed(base)) {
    // The bars above exist from now on, though they take this tick only when the base bar closes.
    for (std::size_t i = 1; i < series_.size(); ++i) {
      OpenBar& above = open_bar(i, ts);
      count(i, above.was_counted);
    }
    OpenBar& open = open_bar(0, ts);
    count(0, open.was_counted);
    change(open.bar);
    open.was_changed = true;
    current_open_ = open.bar.open_time;
    current_close_ = open.bar.close_time;
    current_index_ = static_cast<std::size_t>(&open - series_[0].open.data());
    return;
  }
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Interval above = i == 0 ? base : interval(i, ts);
    if (!is_closed(above)) {
      OpenBar& open = open_bar(i, ts);
      count(i, open.was_counted);
      change(open.bar);
      open.was_changed = true;
      continue;
    }
    ClosedBar* closed = series_[i].closed.find(above.open);
    count(i, closed->was_counted);
    change(closed->bar);
    if (!closed->is_dirty) {
      closed->is_dirty = true;
      dirty_.push_back({static_cast<std::uint32_t>(i), above.open});
    }
  }
}

BarBuilder::OpenBar& BarBuilder::open_bar(std::size_t timeframe_index, UnixNanos ts) {
  auto& open = series_[timeframe_index].open;
  for (auto it = open.rbegin(); it != open.rend(); ++it) {
    if (ts >= it->bar.open_time && ts < it->bar.close_time) return *it;
  }
  const Interval wanted = interval(timeframe_index, ts);
  const auto later = [](const OpenBar& b, UnixNanos t) { return b.bar.open_time < t; };
  const auto position = std::lower_bound(open.begin(), open.end(), wanted.open, later);
  OpenBar fresh;
  fresh.bar.open_time = wanted.open;
  fresh.bar.close_time = wanted.close;
  next_close_ = std::min(next_close_, wanted.close);
  current_open_ = kEndOfTime;  // indices have moved
  current_close_ = kNoTime;
  return *open.insert(position, fresh);
}

// --- closing --------------------------------------------------------------------------------------------------------

void BarBuilder::close_slow(UnixNanos time) {
  closed_through_ = std::max(closed_through_, time);
  close_open_bars(time, true);
}

void BarBuilder::close_open_bars(UnixNanos time, bool keep) {
  current_open_ = kEndOfTime;
  current_close_ = kNoTime;
  next_close_ = kEndOfTime;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    auto& open = series_[i].open;
    std::size_t closing = 0;
    for (; closing < open.size() && open[closing].bar.close_time <= time; ++closing) {
      OpenBar& closed = open[closing];
      if (i == 0) {
        for (std::size_t above = 1; above < series_.size(); ++above) {
          OpenBar& parent = open_bar(above, closed.bar.open_time);
          parent.bar.add(closed.bar);
          parent.was_changed = true;
        }
      }
      if (!keep) continue;
      closed.bar.is_closed = true;
      count(i, closed.was_counted);
      series_[i].closed.insert({.bar = closed.bar, .is_dirty = true, .was_counted = closed.was_counted});
      dirty_.push_back({static_cast<std::uint32_t>(i), closed.bar.open_time});
    }
    open.erase(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(closing));
    if (!open.empty()) next_close_ = std::min(next_close_, open.front().bar.close_time);
  }
}

void BarBuilder::emit_changes(EventBatch& batch, std::uint64_t committed) {
  for (const Dirty& dirty : dirty_) {
    ClosedBar& closed = *series_[dirty.timeframe_index].closed.find(dirty.open_time);
    if (closed.was_emitted) ++closed.bar.revision;
    closed.was_emitted = true;
    closed.is_dirty = false;
    closed.batch = batch.number;
    batch.bars.push_back({symbol_, dirty.timeframe_index, closed.bar});
  }
  if (dirty_.empty()) return;
  dirty_.clear();
  for (Series& series : series_) {
    const UnixNanos forgotten = series.closed.trim(committed);
    series.forgotten_through = std::max(series.forgotten_through, forgotten);
  }
}

void BarBuilder::emit_open_bars(EventBatch& batch) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    for (OpenBar& open : series_[i].open) {
      if (!open.was_changed) continue;
      open.was_changed = false;
      batch.open_bars.push_back({symbol_, static_cast<std::uint32_t>(i), open.bar});
    }
  }
}

void BarBuilder::append_open_bars(std::vector<BarEvent>& out) const {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    for (const OpenBar& open : series_[i].open) out.push_back({symbol_, static_cast<std::uint32_t>(i), open.bar});
  }
}

std::vector<Bar> BarBuilder::open_bars(std::size_t timeframe_index) const {
  std::vector<Bar> bars;
  for (const OpenBar& open : series_[timeframe_index].open) bars.push_back(open.bar);
  if (timeframe_index == 0) return bars;
  for (const OpenBar& base : series_[0].open) {
    for (Bar& bar : bars) {
      if (base.bar.open_time >= bar.open_time && base.bar.open_time < bar.close_time) bar.add(base.bar);
    }
  }
  return bars;
}

// --- restart --------------------------------------------------------------------------------------------------------

template <typename Change>
void BarBuilder::replay_fold(UnixNanos ts, Change change) {
  const bool base_is_closed = is_closed(interval(0, ts));
  for (std::size_t i = 0; i < series_.size(); ++i) {
    if (is_closed(interval(i, ts))) continue;  // the store has it, with this tick
    OpenBar& open = open_bar(i, ts);
    open.was_counted = false;
    if (i == 0 || base_is_closed) change(open.bar);
  }
}

void BarBuilder::replay(UnixNanos ts, Price price) {
  replay_fold(ts, [ts, price](Bar& bar) { bar.add(ts, price); });
}

void BarBuilder::replay_trade(UnixNanos ts, Quantity size) {
  replay_fold(ts, [size](Bar& bar) { bar.add_trade(size); });
}

void BarBuilder::replay_close_through(UnixNanos time) {
  if (time <= closed_through_) return;
  closed_through_ = time;
  if (time >= next_close_) close_open_bars(time, false);
}

void BarBuilder::encode(ByteWriter& out) const {
  out.i64(closed_through_.ns);
  out.varint(series_.size());
  for (std::size_t i = 0; i < series_.size(); ++i) {
    out.varint(static_cast<std::uint64_t>(context_.timeframes[i].length.count()));
    out.varint(series_[i].open.size());
    for (const OpenBar& open : series_[i].open) encode_bar(out, open.bar);
  }
}

void BarBuilder::decode(ByteReader& in) {
  closed_through_.ns = in.i64();
  next_close_ = kEndOfTime;
  const std::uint64_t series_count = in.varint();
  for (std::uint64_t n = 0; n < series_count && in.ok(); ++n) {
    const Timeframe timeframe{std::chrono::seconds{static_cast<std::int64_t>(in.varint())}};
    const auto known = std::find(context_.timeframes.begin(), context_.timeframes.end(), timeframe);
    const auto i = static_cast<std::size_t>(known - context_.timeframes.begin());
    const std::uint64_t open_count = in.varint();
    for (std::uint64_t k = 0; k < open_count && in.ok(); ++k) {
      const Bar bar = decode_bar(in);
      if (i >= series_.size()) continue;
      series_[i].open.push_back({.bar = bar, .was_counted = false, .was_changed = false});
      next_close_ = std::min(next_close_, bar.close_time);
    }
  }
}

}  // namespace tickpipe::internal
