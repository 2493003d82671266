#include "pipeline/retention.h"

#include <algorithm>

#include "core/error.h"
#include "core/utc_day.h"

namespace tickpipe::internal {

RetentionLimits RetentionLimits::of(const PipelineConfig& config) {
  constexpr std::chrono::hours kDay{24};
  return {.ticks = kDay * config.warm_data_retention_days, .bars = kDay * config.bar_retention_days};
}

void Retention::open() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
}

void Retention::close() {
  closing_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  is_open_ = false;
  closing_.store(false, std::memory_order_relaxed);
}

Maintenance::CleanupResult Retention::apply(const RetentionLimits& limits, UnixNanos now) {
  const std::lock_guard lock(mutex_);
  Maintenance::CleanupResult result;
  if (!is_open_) return result;
  throw_if_failing();

  const UnixNanos tick_limit = RetentionLimits::limit(limits.ticks, now);
  Days unsealed;
  Days due = find_due(tick_limit, unsealed);
  tell(Step::kLooked);
  set_sealed(due, true);
  tell(Step::kSealed);
  const auto stays =
      std::stable_partition(due.begin(), due.end(), [&](const Day& day) { return is_due(day, tick_limit); });
  unsealed.insert(unsealed.end(), stays, due.end());
  due.erase(stays, due.end());
  set_sealed(unsealed, false);
  result.removed_ticks = remove(due);
  if (limits.bars.count() != 0) result.removed_bars = remove_bars(RetentionLimits::limit(limits.bars, now));
  return result;
}

Retention::Days Retention::find_due(UnixNanos limit, Days& unsealed) {
  const RetentionAccess& stored = parts_.store.retention();
  Days due;
  const std::size_t symbols = parts_.symbols.size();
  for (std::size_t i = 0; i < symbols; ++i) {
    const SymbolId symbol{static_cast<std::uint32_t>(i)};
    const std::vector<std::int32_t> sealed = stored.sealed_days(symbol);
    for (const std::int32_t day : stored.days_with_ticks(symbol, limit)) {
      if (closing_.load(std::memory_order_relaxed)) return {};
      if (is_due({symbol, day}, limit)) {
        due.push_back({symbol, day});
      } else if (std::binary_search(sealed.begin(), sealed.end(), day)) {
        unsealed.push_back({symbol, day});
      }
    }
    // Days that were due under a shorter retention, when a crash came before they were removed.
    for (const std::int32_t day : sealed) {
      if (start_of_utc_day(day + 1) > limit && stored.has_ticks(symbol, day)) unsealed.push_back({symbol, day});
    }
  }
  return due;
}

bool Retention::is_due(const Day& day, UnixNanos limit) {
  DayContent& content = looked_at_[day];
  if (content.last_received <= limit) parts_.store.retention().look_at(day.symbol, day.day, content);
  return content.last_received <= limit;
}

void Retention::set_sealed(const Days& days, bool is_sealed) {
  if (days.empty()) return;
  const std::size_t shards = parts_.shards.size();
  for (std::size_t i = 0; i < shards; ++i) {
    const auto is_here = [&](const Day& day) { return day.symbol.value % shards == i; };
    if (std::none_of(days.begin(), days.end(), is_here)) continue;
    parts_.shards[i]->run_and_commit([&](ShardEngine& engine, EventBatch& batch) {
      for (const Day& day : days) {
        if (!is_here(day)) continue;
        is_sealed ? engine.seal(day.symbol, day.day, batch) : engine.unseal(day.symbol, day.day, batch);
      }
    });
  }
  throw_if_failing();
}

std::uint64_t Retention::remove(const Days& days) {
  if (days.empty()) return 0;
  parts_.checkpoint_round.fetch_add(1);
  for (const auto& shard : parts_.shards) shard->run_and_commit([](ShardEngine&, EventBatch&) {});
  throw_if_failing();
  tell(Step::kCheckpointed);
  const Position checkpoint = parts_.store.checkpoint();
  std::uint64_t removed = 0;
  for (const Day& day : days) {
    if (closing_.load(std::memory_order_relaxed)) break;
    const auto content = looked_at_.find(day);
    if (content->second.newest > checkpoint) continue;  // a restart would miss them
    parts_.store.retention().remove_ticks(day.symbol, day.day);
    removed += content->second.quotes;
    looked_at_.erase(content);
  }
  return removed;
}

std::uint64_t Retention::remove_bars(UnixNanos limit) {
  RetentionAccess& stored = parts_.store.retention();
  std::vector<SymbolId> symbols;
  for (std::size_t i = 0, end = parts_.symbols.size(); i < end; ++i) {
    const SymbolId symbol{static_cast<std::uint32_t>(i)};
    if (stored.has_bars(symbol, limit)) symbols.push_back(symbol);
  }
  if (symbols.empty()) return 0;
  // Corrections that are on their way to the store are committed first, or they would bring bars back.
  for (std::size_t i = 0; i < parts_.shards.size(); ++i) {
    parts_.shards[i]->run_and_commit([&](ShardEngine& engine, EventBatch&) {
      for (const SymbolId symbol : symbols) {
        if (symbol.value % parts_.shards.size() == i) engine.give_up_bars(symbol, limit);
      }
    });
  }
  throw_if_failing();
  std::uint64_t removed = 0;
  for (const SymbolId symbol : symbols) {
    if (closing_.load(std::memory_order_relaxed)) break;
    removed += stored.remove_bars(symbol, limit);
  }
  return removed;
}

// Once the committer has given up, what it is handed counts as done without being stored.
void Retention::throw_if_failing() const {
  if (std::string failure = parts_.committer.failure(); !failure.empty()) throw Error(failure);
}

}  // namespace tickpipe::internal
