#include "publish/hot_ticks.h"

#include <algorithm>

namespace tickpipe::internal {

HotTicks::HotTicks(SymbolId symbol, std::size_t limit) : symbol_(symbol), ticks_(limit), sizes_(limit) {}

void HotTicks::start_after(std::uint64_t newest_seq, UnixNanos newest) {
  newest_seq_ = newest_seq;
  if (newest_seq != 0) complete_from_ = {{newest.ns + 1}, 0};
}

bool HotTicks::add(const Tick& tick) {
  newest_seq_ = std::max(newest_seq_, tick.seq);
  const TickPlace at = place_of(tick);
  if (at < complete_from_) return false;
  if (ticks_.is_full()) {
    if (ticks_.empty() || at < place(ticks_[0])) {
      complete_above(at);
      return true;
    }
    drop_oldest(1);
  }
  // Quotes come nearly in order.
  constexpr std::size_t kNear = 8;
  std::size_t i = ticks_.size();
  for (std::size_t steps = 0; i > 0 && place(ticks_[i - 1]) > at; --i) {
    if (++steps > kNear) {
      i = index_of(at);
      break;
    }
  }
  insert(i, tick);
  return true;
}

void HotTicks::amend(const Tick& tick) {
  const TickPlace at = place_of(tick);
  const std::size_t i = index_of(at);
  if (i < ticks_.size() && place(ticks_[i]) == at) ticks_[i].flags = tick.flags;
}

void HotTicks::fill_below(const TickPlace& place, std::span<const Tick> older, bool is_all) {
  if (complete_from_ != place) return;  // full of newer ones meanwhile
  const std::size_t kept = std::min(ticks_.limit() - ticks_.size(), older.size());
  ticks_.reserve(ticks_.size() + kept);
  for (std::size_t k = 1; k <= kept; ++k) insert(0, older[older.size() - k]);
  if (kept < older.size()) {
    complete_above(place_of(older[older.size() - kept - 1]));
  } else if (is_all) {
    complete_from_ = kFirstPlace;
    is_below_known_ = false;
  } else if (kept != 0) {
    complete_from_ = place_of(older.front());
    is_below_known_ = false;
  }
}

void HotTicks::set_limit(std::size_t limit) {
  if (ticks_.size() > limit) drop_oldest(ticks_.size() - limit);
  ticks_.set_limit(limit);
  sizes_.set_limit(limit);
}

bool HotTicks::can_answer(const Request& request) const { return find(request).is_proven; }

bool HotTicks::answer(const Request& request, std::vector<Tick>& out, bool& has_more) const {
  const Found found = find(request);
  if (!found.is_proven) return false;
  has_more = found.has_more;
  std::size_t wanted = request.limit;
  for (std::size_t k = 0; k < found.last - found.first && wanted > 0; ++k) {
    const std::size_t i = request.newest_first ? found.last - 1 - k : found.first + k;
    if (full_seq(ticks_[i].seq_low) > request.range.max_seq) continue;
    out.push_back(tick_at(i));
    --wanted;
  }
  return true;
}

HotTicks::Found HotTicks::find(const Request& request) const {
  const TickRange& range = request.range;
  Found found;
  const bool is_complete = request.is_all_there_is || range.is_empty() || range.begin >= complete_from_;
  if (!is_complete && (!request.newest_first || range.end <= complete_from_)) return found;
  found.first = index_of(range.begin);
  found.last = std::max(found.first, index_of(range.end));
  std::size_t count = found.last - found.first;
  if (range.max_seq < newest_seq_) {
    count = 0;
    for (std::size_t i = found.first; i < found.last && count <= request.limit; ++i) {
      if (full_seq(ticks_[i].seq_low) <= range.max_seq) ++count;
    }
  }
  found.has_more = count > request.limit;
  found.is_proven = is_complete || found.has_more;
  if (!found.is_proven && is_below_known_ && count == request.limit) {
    const TickPlace below{complete_from_.ts_event, complete_from_.seq - 1};
    found.is_proven = found.has_more = range.contains(below);
  }
  return found;
}

std::chrono::nanoseconds HotTicks::span() const noexcept {
  if (ticks_.empty()) return std::chrono::nanoseconds{0};
  return ticks_[ticks_.size() - 1].ts_event - ticks_[0].ts_event;
}

std::size_t HotTicks::index_of(const TickPlace& at) const {
  return ticks_.partition_point([&](const HotTick& tick) { return place(tick) < at; });
}

Tick HotTicks::tick_at(std::size_t i) const {
  const HotTick& hot = ticks_[i];
  Tick tick;
  tick.ts_event = hot.ts_event;
  tick.ts_recv = hot.ts_recv;
  tick.bid = hot.bid;
  tick.ask = hot.ask;
  if (has_sizes_) {
    tick.bid_size = sizes_[i].bid;
    tick.ask_size = sizes_[i].ask;
  }
  tick.seq = full_seq(hot.seq_low);
  tick.symbol = symbol_;
  tick.lp = hot.lp;
  tick.flags = hot.flags;
  return tick;
}

void HotTicks::insert(std::size_t i, const Tick& tick) {
  if (!has_sizes_ && (tick.bid_size != kNoQuantity || tick.ask_size != kNoQuantity)) {
    has_sizes_ = true;
    sizes_.reserve(ticks_.size() + 1);
    while (sizes_.size() < ticks_.size()) sizes_.insert(sizes_.size(), {kNoQuantity, kNoQuantity});
  }
  ticks_.insert(i, {.ts_event = tick.ts_event,
                    .ts_recv = tick.ts_recv,
                    .bid = tick.bid,
                    .ask = tick.ask,
                    .seq_low = static_cast<std::uint32_t>(tick.seq),
                    .lp = tick.lp,
                    .flags = tick.flags});
  if (has_sizes_) sizes_.insert(i, {tick.bid_size, tick.ask_size});
}

void HotTicks::drop_oldest(std::size_t count) {
  complete_above(place(ticks_[count - 1]));
  ticks_.drop_front(count);
  if (has_sizes_) sizes_.drop_front(count);
}

void HotTicks::complete_above(const TickPlace& place) {
  complete_from_ = next_place(place);
  is_below_known_ = complete_from_.ts_event == place.ts_event;
}

}  // namespace tickpipe::internal
