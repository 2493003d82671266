#include "publish/history_reader.h"

#include <algorithm>

namespace tickpipe::internal {
namespace {

/// The last `limit` of what was pushed.
class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}

  void push(const Tick& tick) {
    if (ticks_.size() < limit_) {
      ticks_.push_back(tick);
      return;
    }
    ticks_[next_] = tick;
    next_ = next_ + 1 == limit_ ? 0 : next_ + 1;
  }
  void move_newest_first_to(std::vector<Tick>& out) const {
    for (std::size_t k = 0; k < ticks_.size(); ++k) {
      out.push_back(ticks_[(next_ + ticks_.size() - 1 - k) % ticks_.size()]);
    }
  }

 private:
  std::size_t limit_;
  std::size_t next_ = 0;  ///< the oldest, once full
  std::vector<Tick> ticks_;
};

UnixNanos first_time(const TickRange& range) { return std::max(range.begin.ts_event, kFirstTickTime); }

UnixNanos end_time(const TickRange& range) {
  if (range.end.ts_event >= kEndOfTickTime) return kEndOfTickTime;
  return {range.end.ts_event.ns + (range.end.seq != 0 ? 1 : 0)};
}

}  // namespace

std::vector<Tick> read_oldest(const History& history, SymbolId symbol, const TickRange& range, std::size_t count) {
  std::vector<Tick> found;
  const UnixNanos from = first_time(range);
  const UnixNanos to = end_time(range);
  if (count == 0 || range.is_empty() || from >= to) return found;
  history.scan(symbol, from, to, [&](const Tick& tick) {
    if (range.contains(place_of(tick))) found.push_back(tick);
    return found.size() < count;
  });
  return found;
}

std::vector<Tick> read_newest(const History& history, SymbolId symbol, const TickRange& range, std::size_t count,
                              std::chrono::nanoseconds first_window) {
  constexpr std::size_t kLeastBudget = 16'384;
  std::vector<Tick> found;
  if (range.is_empty()) return found;
  const UnixNanos floor = first_time(range);
  UnixNanos top = end_time(range);
  std::int64_t window_ns = std::max<std::int64_t>(first_window.count(), 1);
  while (found.size() < count && top > floor) {
    const std::int64_t left_ns = (top - floor).count();
    UnixNanos from = window_ns < left_ns ? UnixNanos{top.ns - window_ns} : floor;
    const std::size_t wanted = count - found.size();
    const std::size_t budget = std::max(kLeastBudget, 4 * std::min(wanted, kLeastBudget << 20));
    for (;;) {
      // After a quiet stretch a window is long and may hold very many quotes: then only the end of it is read.
      const bool may_narrow = top.ns - from.ns > 1;
      Tail tail(wanted);
      std::size_t scanned = 0;
      UnixNanos reached = top;
      history.scan(symbol, from, top, [&](const Tick& tick) {
        if (++scanned > budget && may_narrow) {
          reached = tick.ts_event;
          return false;
        }
        if (range.contains(place_of(tick))) tail.push(tick);
        return true;
      });
      if (reached == top) {
        tail.move_newest_first_to(found);
        break;
      }
      from.ns = std::max(from.ns + 1, reached.ns + (top.ns - reached.ns) / 2);
    }
    window_ns = top.ns - from.ns;
    window_ns = window_ns < left_ns / 4 ? window_ns * 4 : left_ns;
    top = from;
  }
  return found;
}

}  // namespace tickpipe::internal
