#include "redis/redis_backlog.h"

#include <algorithm>
#include <utility>

namespace tickpipe::internal {

void RedisBacklog::Delivery::clear() noexcept {
  ticks.clear();
  bars.clear();
  latest.clear();
  changed.clear();
  amended.clear();
  overrun.clear();
}

bool RedisBacklog::is_wanted(SymbolId symbol) {
  if (symbol.value >= wanted_.size()) wanted_.resize(symbol.value + std::size_t{1});
  std::uint8_t& wanted = wanted_[symbol.value];
  if (wanted == 0) wanted = options_.is_wanted(symbol) ? 2 : 1;
  return wanted == 2;
}

void RedisBacklog::on_committed(const EventBatch& batch, Position position) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) waiting_.since = std::chrono::steady_clock::now();
  waiting_.position = position;
  add_ticks(batch);
  add_bars(batch);
}

void RedisBacklog::on_commit_end() {
  if (!empty()) bell_.ring();
}

void RedisBacklog::add_ticks(const EventBatch& batch) {
  const std::size_t most = std::max({waiting_.ticks.size() + batch.ticks.size(), waiting_.changed.size(),
                                     waiting_.latest.size(), waiting_.amended.size()});
  if (most > options_.max_ticks) overrun();
  for (const Tick& tick : batch.ticks) {
    if (tick.kind == RecordKind::kQuote && is_wanted(tick.symbol)) waiting_.ticks.push_back(tick);
  }
  const auto note = [this](SymbolId symbol, std::vector<SymbolId>& in) {
    if (is_wanted(symbol) && (in.empty() || in.back() != symbol)) in.push_back(symbol);
  };
  for (const Tick& tick : batch.latest) {
    if (tick.seq != 0 && !is_streamed(tick, options_.live_tick_age) && is_wanted(tick.symbol)) {
      waiting_.latest.push_back(tick);
    }
  }
  for (const BarEvent& event : batch.open_bars) note(event.symbol, waiting_.changed);
  for (const Tick& tick : batch.amended) note(tick.symbol, waiting_.amended);
}

void RedisBacklog::add_bars(const EventBatch& batch) {
  if (waiting_.bars.size() + batch.bars.size() > options_.max_bars) overrun();
  for (const BarEvent& event : batch.bars) {
    if (is_wanted(event.symbol)) waiting_.bars.push_back(event);
  }
}

/// Forgets what the quotes and bars are, and remembers whose they were.
void RedisBacklog::overrun() {
  is_overrun_.assign(wanted_.size(), 0);
  const auto note = [this](SymbolId symbol) {
    if (symbol.value >= is_overrun_.size()) is_overrun_.resize(symbol.value + std::size_t{1});
    is_overrun_[symbol.value] = 1;
  };
  for (const SymbolId symbol : waiting_.overrun) note(symbol);
  for (const SymbolId symbol : waiting_.changed) note(symbol);
  for (const Tick& tick : waiting_.latest) note(tick.symbol);
  for (const SymbolId symbol : waiting_.amended) note(symbol);
  for (const Tick& tick : waiting_.ticks) note(tick.symbol);
  for (const BarEvent& event : waiting_.bars) note(event.symbol);
  const auto since = waiting_.since;
  waiting_.clear();
  waiting_.since = since;
  for (std::uint32_t i = 0; i < is_overrun_.size(); ++i) {
    if (is_overrun_[i] != 0) waiting_.overrun.push_back(SymbolId{i});
  }
}

void RedisBacklog::take(Delivery& delivery) {
  const std::lock_guard lock(mutex_);
  delivery.position = waiting_.position;
  std::swap(delivery, waiting_);
  waiting_.position = delivery.position;
}

bool RedisBacklog::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

Position RedisBacklog::newest() const {
  const std::lock_guard lock(mutex_);
  return waiting_.position;
}

std::size_t RedisBacklog::depth() const {
  const std::lock_guard lock(mutex_);
  return waiting_.ticks.size() + waiting_.bars.size();
}

}  // namespace tickpipe::internal
