#include "serve/stream/stream_hub.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "serve/stream/catch_up.h"
#include "serve/stream/stream_client.h"
#include "serve/stream/stream_group.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint64_t kBeforeStart = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

}  // namespace

StreamHub::StreamHub(StreamParts parts) : parts_(std::move(parts)), live_tick_age_ns_(parts_.live_tick_age.count()) {
  known_.resize(parts_.symbols.size());
  for (std::uint32_t i = 0; i < known_.size(); ++i) {
    known_[i].first_batch = parts_.market.snapshot(SymbolId{i}).newest_seq != 0 ? kBeforeStart : 0;
  }
}

StreamHub::~StreamHub() = default;

// --- on the thread that commits -------------------------------------------------------------------------------------

void StreamHub::on_committed(const EventBatch& batch, Position /*position*/) {
  ++batch_number_;
  if (interest_.is_none()) {
    for (const Tick& tick : batch.ticks) is_new(tick);
    return;
  }
  if (!under_way_) {
    under_way_ = std::make_shared<StreamBatch>();
    earlier_.clear();
  }
  add_ticks(batch, *under_way_);
  add_latest(batch, *under_way_);
  add_bars(batch, *under_way_);
}

void StreamHub::on_commit_end() {
  const auto out = std::exchange(under_way_, nullptr);
  if (!out || out->empty()) return;
  out->committed_at = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) group->post(out);
}

bool StreamHub::is_new(const Tick& tick) {
  if (tick.kind != RecordKind::kQuote) return false;
  if (tick.symbol.value >= known_.size()) known_.resize(tick.symbol.value + std::size_t{1});
  Known& known = known_[tick.symbol.value];
  if (known.first_batch != 0) return false;
  known.first_batch = batch_number_;
  return true;
}

void StreamHub::add_ticks(const EventBatch& batch, StreamBatch& to) {
  const std::chrono::nanoseconds age = live_tick_age();
  for (const Tick& tick : batch.ticks) {
    if (tick.kind != RecordKind::kQuote) continue;
    if (is_new(tick)) to.new_symbols.push_back(tick.symbol);
    if (!is_streamed(tick, age)) continue;
    // Who waits for a new symbol has no subscription yet, and gets all of its first quotes.
    const bool is_awaited = interest_.has_new() && known_[tick.symbol.value].first_batch == batch_number_;
    if (!is_awaited && !interest_.has(tick.symbol, Interest::kQuotes)) continue;
    Known& known = known_[tick.symbol.value];
    earlier_.push_back(known.batch == batch_number_ ? known.newest : kNone);
    known.newest = static_cast<std::uint32_t>(to.ticks.size());
    known.batch = batch_number_;
    to.ticks.push_back({.tick = tick, .is_live = true, .is_latest = false});
  }
}

void StreamHub::add_latest(const EventBatch& batch, StreamBatch& to) {
  for (const Tick& latest : batch.latest) {
    if (latest.seq == 0) continue;
    if (latest.symbol.value >= known_.size()) known_.resize(latest.symbol.value + std::size_t{1});
    const Known& known = known_[latest.symbol.value];
    std::uint32_t at = known.batch == batch_number_ ? known.newest : kNone;
    while (at != kNone && to.ticks[at].tick.seq > latest.seq) at = earlier_[at];
    if (at != kNone && to.ticks[at].tick.seq == latest.seq) {
      to.ticks[at].is_latest = true;
    } else if (interest_.has(latest.symbol, Interest::kQuotes) || interest_.has_new()) {
      to.ticks.push_back({.tick = latest, .is_live = false, .is_latest = true});
      earlier_.push_back(kNone);
    }
  }
}

void StreamHub::add_bars(const EventBatch& batch, StreamBatch& to) const {
  const auto note_change = [&to](SymbolId symbol) {
    if (to.changed_bars.empty() || to.changed_bars.back() != symbol) to.changed_bars.push_back(symbol);
  };
  for (const BarEvent& event : batch.bars) {
    if (!interest_.has(event.symbol, Interest::kBars) && !interest_.has_new()) continue;
    to.bars.push_back(event);
    note_change(event.symbol);
  }
  for (const BarEvent& event : batch.open_bars) {
    if (interest_.has(event.symbol, Interest::kBars) || interest_.has_new()) note_change(event.symbol);
  }
}

// --- groups ---------------------------------------------------------------------------------------------------------

std::shared_ptr<StreamGroup> StreamHub::find_group(const IoLoop& loop) const {
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) {
    if (group->loop().get() == &loop) return group;
  }
  return nullptr;
}

std::shared_ptr<StreamGroup> StreamHub::group_of(const std::shared_ptr<IoLoop>& loop) {
  if (auto group = find_group(*loop)) return group;
  auto group = std::make_shared<StreamGroup>(*this, loop);
  const std::lock_guard lock(mutex_);
  groups_.push_back(group);
  return group;
}

void StreamHub::shut_down(const IoLoop& loop) {
  if (const auto group = find_group(loop)) group->shut_down();
}

void StreamHub::close_clients(const IoLoop& loop) {
  const auto group = find_group(loop);
  if (!group) return;
  group->close_all();
  const std::lock_guard lock(mutex_);
  groups_.erase(std::remove(groups_.begin(), groups_.end(), group), groups_.end());
}

void StreamHub::shut_down_everywhere(const std::shared_ptr<void>& keeps) {
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) group->loop()->post([keeps, group] { group->shut_down(); });
}

void StreamHub::close_everywhere(const std::shared_ptr<void>& keeps) {
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) {
    group->loop()->post([this, keeps, loop = group->loop()] { close_clients(*loop); });
  }
}

StreamHub::Counters StreamHub::counters() const {
  Counters counters;
  counters.clients = clients_.load(std::memory_order_relaxed);
  counters.messages = messages_.load(std::memory_order_relaxed);
  counters.bytes = bytes_.load(std::memory_order_relaxed);
  counters.encoded_ticks = encoded_.ticks.load(std::memory_order_relaxed);
  counters.encoded_missed = encoded_.missed.load(std::memory_order_relaxed);
  counters.encoded_bars = encoded_.bars.load(std::memory_order_relaxed);
  counters.encoded_status = encoded_.status.load(std::memory_order_relaxed);
  counters.lost_quotes = lost_.load(std::memory_order_relaxed);
  counters.inbox_capacity = parts_.inbox_events;
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) {
    counters.inbox_depth = std::max<std::uint64_t>(counters.inbox_depth, group->inbox_depth());
  }
  return counters;
}

LatencySummary StreamHub::latency() const {
  LatencyTotals totals;
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) group->latency().add_to(totals);
  return totals.summary();
}

}  // namespace tickpipe::internal
