#include "redis/redis_audit.h"

#include <algorithm>

#include "core/safe_text.h"
#include "redis/redis_commands.h"
#include "redis/redis_keys.h"
#include "redis/redis_reply.h"

namespace tickpipe::internal {
namespace {

/// How long lost keys count for the state.
constexpr std::chrono::minutes kLossCounts{1};
constexpr std::size_t kKeysAtOnce = 2'000;
constexpr std::size_t kLostAtOnce = 64;
/// A latest quote that is gone although it was written more recently than this did not expire.
constexpr std::chrono::minutes kLatestIsThereFor{59};

/// What is counted of a symbol: its quotes, its latest quote, then its bars by timeframe.
constexpr std::size_t kTicksAt = 0;
constexpr std::size_t kLatestAt = 1;
constexpr std::size_t kBarsAt = 2;

/// The value of `field` in the answer to INFO.
std::string info_field(const std::string& info, std::string_view field) {
  const std::string start = std::string(field) + ":";
  const std::size_t at = info.find(start);
  if (at == std::string::npos) return {};
  return info.substr(at + start.size(), info.find('\r', at) - at - start.size());
}

}  // namespace

std::uint32_t RedisAudit::symbols_at_once() const {
  const std::size_t keys_of_symbol = kBarsAt + parts_.market.timeframes().size();
  return static_cast<std::uint32_t>(std::max<std::size_t>(1, kKeysAtOnce / keys_of_symbol));
}

void RedisAudit::look_at_all(RedisConnection& connection) {
  const std::uint32_t count = symbol_count();
  for (std::uint32_t i = 0; i < count; i += symbols_at_once()) {
    look_at(connection, SymbolId{i}, SymbolId{std::min(i + symbols_at_once(), count)});
  }
}

void RedisAudit::look_further(RedisConnection& connection) {
  if (next_ >= symbol_count()) next_ = 0;
  const std::uint32_t last = std::min(next_ + symbols_at_once(), symbol_count());
  look_at(connection, SymbolId{next_}, SymbolId{last});
  next_ = last;
  write_lost_again(connection);
}

void RedisAudit::look_at(RedisConnection& connection, SymbolId first, SymbolId last) {
  const std::size_t counts_of_symbol = kBarsAt + parts_.market.timeframes().size();
  std::vector<SymbolId> ids;
  RedisCommands commands;
  std::string key;
  for (std::uint32_t i = first.value; i < last.value; ++i) {
    if (!parts_.is_present(SymbolId{i})) continue;
    ids.push_back(SymbolId{i});
    const std::string name(parts_.symbols.name(SymbolId{i}).view());
    commands.add("ZCARD", std::string(redis_keys::kTicks) + name);
    commands.add("EXISTS", std::string(redis_keys::kLatest) + name);
    for (const Timeframe timeframe : parts_.market.timeframes()) {
      redis_keys::bars_key(name, timeframe.name(), key);
      commands.add("ZCARD", key);
    }
  }
  if (ids.empty()) return;
  connection.exchange(commands, [&](std::size_t index, RedisReply&& reply) {
    const bool is_replaced = reply.is_error("WRONGTYPE");
    take_count(ids[index / counts_of_symbol], index % counts_of_symbol, is_replaced ? 0 : reply.integer);
  });
}

/// Compares how many members a key has with what is known of it; what is not known with what there is.
void RedisAudit::take_count(SymbolId id, std::size_t which, std::int64_t members) {
  RedisWork::Symbol& of = parts_.work.symbol(id);
  if (which == kLatestAt) {
    const bool was_never_written = of.latest_written_at == SteadyClock::time_point{};
    if (members != 0) return;
    if (was_never_written) parts_.work.touch_latest(id);
    if (!was_never_written && SteadyClock::now() - of.latest_written_at < kLatestIsThereFor) note_lost(id);
    return;
  }
  std::int64_t& seen = which == kTicksAt ? of.ticks_seen : of.bars_seen[which - kBarsAt];
  if (seen != RedisWork::kUnknown) {
    if (members < seen) note_lost(id);
    return;
  }
  seen = members;
  if (which != kTicksAt) {
    if (members < static_cast<std::int64_t>(redis_keys::kBarsKept)) parts_.work.rewrite_bars(id, which - kBarsAt);
    return;
  }
  const auto most = static_cast<std::int64_t>(parts_.kept_ticks);
  const auto accepted = static_cast<std::int64_t>(parts_.market.snapshot(id).newest_seq);
  if (members < std::min(most, accepted)) parts_.work.rewrite_ticks(id);
}

void RedisAudit::note_lost(SymbolId id) {
  lost_keys_.fetch_add(1, std::memory_order_relaxed);
  if (std::find(lost_.begin(), lost_.end(), id) == lost_.end()) lost_.push_back(id);
  lost_at_ = SteadyClock::now();
}

/// A few at a time: where there is too little memory each key that is written drives another one out.
void RedisAudit::write_lost_again(RedisConnection& connection) {
  if (lost_.empty()) return;
  RedisCommands commands;
  commands.add("INFO", "memory");
  const std::string policy = info_field(connection.call(commands).text, "maxmemory_policy");
  const bool is_evicting = !policy.empty() && policy != "noeviction";
  cause_ = is_evicting ? "Redis evicts keys (maxmemory-policy " + safe_text(policy) +
                             "); raise its maxmemory, they are written again"
                       : "keys were removed from Redis; they are written again";
  parts_.log.warn("Redis", cause_ + ": " + std::to_string(lost_.size()) + " symbols");
  const std::size_t count = std::min(lost_.size(), kLostAtOnce);
  for (std::size_t i = 0; i < count; ++i) parts_.work.rewrite_all(lost_[i]);
  lost_.erase(lost_.begin(), lost_.begin() + static_cast<std::ptrdiff_t>(count));
}

std::string RedisAudit::cause() const {
  const bool counts = lost_at_ != SteadyClock::time_point{} && SteadyClock::now() - lost_at_ < kLossCounts;
  return counts ? cause_ : std::string();
}

}  // namespace tickpipe::internal
