#include "redis/redis_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/safe_text.h"
#include "model/market_json.h"
#include "redis/redis_keys.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kTransactionBytes = std::size_t{512} * 1024;
constexpr std::size_t kMessageBytes = std::size_t{512} * 1024;
constexpr std::size_t kMembersOfCommand = 512;

/// Keeps the newest quotes of each key, and tells how many these are. Redis orders members of one millisecond by their
/// text; those that go are chosen here by time and seq instead.
constexpr std::string_view kTrim = R"lua(
local keep = tonumber(ARGV[1])
local function place(member)
  return string.match(member, '"timestamp":"([^"]+)"') or '', tonumber(string.match(member, '"seq":(%d+)')) or 0
end
local function older(a, b)
  local at, aseq = place(a)
  local bt, bseq = place(b)
  if at ~= bt then return at < bt end
  return aseq < bseq
end
local cards = {}
for i, key in ipairs(KEYS) do
  local card = redis.call('ZCARD', key)
  if card > keep then
    local edge = redis.call('ZRANGE', key, card - keep, card - keep, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. edge)
    card = redis.call('ZCARD', key)
    if card > keep then
      local tied = redis.call('ZRANGEBYSCORE', key, edge, edge)
      table.sort(tied, older)
      for j = 1, card - keep do redis.call('ZREM', key, tied[j]) end
      card = keep
    end
  end
  cards[i] = card
end
return cards
)lua";

std::int64_t to_ms(UnixNanos time) noexcept {
  // Downwards, also before 1970.
  const std::int64_t ms = time.ns / kNanosPerMilli;
  return time.ns % kNanosPerMilli < 0 ? ms - 1 : ms;
}

std::int64_t to_seconds(UnixNanos time) noexcept { return time.ns / kNanosPerSecond; }

}  // namespace

RedisMark parse_mark(const RedisReply& reply) {
  if (reply.is_error("WRONGTYPE")) return {};
  if (reply.is_error()) throw RedisRefusal("Redis does not show tickpipe:sink: " + safe_text(reply.text, 128));
  if (reply.elements.size() != 2) return {};
  const std::string& digits = reply.elements[1].text;
  RedisMark mark{reply.elements[0].text, {}};
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), mark.position.value);
  const bool is_whole = ec == std::errc{} && end == digits.data() + digits.size();
  return is_whole && !mark.epoch.empty() ? mark : RedisMark{};
}

RedisWriter::RedisWriter(const Parts& parts) : parts_(parts), symbol_names_(parts.symbols), lp_names_(parts.lps) {
  for (const Timeframe timeframe : parts_.market.timeframes()) timeframe_names_.push_back(timeframe.name());
}

// --- keys -----------------------------------------------------------------------------------------------------------

RedisWriter::Outcome RedisWriter::write_keys(RedisConnection& connection, RedisWork& work, const RedisMark& mark,
                                             bool with_open_bars) {
  connection_ = &connection;
  outcome_ = {};
  open_bars_.clear();
  trimmed_.clear();
  announced_.clear();
  processed_.clear();
  transaction_.clear();
  transaction_.command().add("HMGET", redis_keys::kSink, "epoch", "position");
  transaction_.on_reply([this](RedisReply&& reply) { outcome_.seen = parse_mark(reply); });
  // Before what is read from the market data, which may be newer.
  write_listed_bars(work);
  for (const SymbolId id : work.dirty()) {
    write_quotes(work, id);
    const RedisWork::Symbol& of = work.symbol(id);
    for (std::size_t i = 0; i < timeframe_names_.size(); ++i) {
      if (of.rewrites_bars[i] != 0) write_series(work, id, i);
    }
    processed_.push_back(id);
    flush_if_large(work);
  }
  // Behind the closed ones, as what is read now may be closed since.
  if (with_open_bars) {
    for (const SymbolId id : work.dirty()) {
      if (work.symbol(id).has_open_bars) write_open_bars(work, id);
      flush_if_large(work);
    }
  }
  RedisCommands& commands = transaction_.command();
  commands.add("HSET", redis_keys::kSink, "epoch", mark.epoch, "position", mark.position.value);
  if (work.announces_all()) commands.add("PUBLISH", redis_keys::kRewrittenChannel, redis_keys::kAllSymbols);
  flush(work);
  return std::move(outcome_);
}

void RedisWriter::write_quotes(RedisWork& work, SymbolId id) {
  RedisWork::Symbol& of = work.symbol(id);
  std::vector<Tick> all;
  if (of.rewrites_ticks) {
    TickQuery query;
    query.symbol = id;
    query.limit = parts_.kept_ticks;
    all = parts_.market.ticks(query).ticks;
  }
  const std::vector<Tick>& ticks = of.rewrites_ticks ? all : of.ticks;
  key_.assign(redis_keys::kTicks).append(symbol_name(id));
  RedisCommands& commands = transaction_.command();
  bool is_told = !of.rewrites_ticks;
  if (of.rewrites_ticks) {
    commands.add("DEL", key_);
    of.ticks_seen = 0;
  }
  for (std::size_t i = 0; i < ticks.size();) {
    const std::size_t members = std::min(kMembersOfCommand, ticks.size() - i);
    commands.begin(2 + 2 * members);
    commands.argument("ZADD");
    commands.argument(key_);
    for (const std::size_t end = i + members; i < end; ++i) {
      commands.argument(to_ms(ticks[i].ts_event));
      commands.argument(quote_json(ticks[i], 0));
      is_told &= is_streamed(ticks[i], parts_.live_tick_age);
    }
  }
  if (!is_told) announce(id);
  counters_.ticks.fetch_add(ticks.size(), std::memory_order_relaxed);
  if (!ticks.empty()) trimmed_.push_back(id);
  if (!of.has_new_quotes) return;
  if (const auto latest = parts_.market.latest(id)) {
    key_.assign(redis_keys::kLatest).append(symbol_name(id));
    commands.add("SET", key_, quote_json(*latest, 0), "EX", redis_keys::kLatestLife.count());
    of.latest_written_at = std::chrono::steady_clock::now();
  }
}

void RedisWriter::write_series(RedisWork& work, SymbolId id, std::size_t timeframe_index) {
  const SeriesKey series{id, static_cast<std::uint32_t>(timeframe_index)};
  BarQuery query;
  query.symbol = id;
  query.timeframe = parts_.market.timeframes()[timeframe_index];
  query.limit = redis_keys::kBarsKept;
  const std::vector<Bar> bars = parts_.market.bars(query);
  redis_keys::bars_key(symbol_name(id), timeframe_names_[timeframe_index], key_);
  RedisCommands& commands = transaction_.command();
  commands.add("DEL", key_);
  work.symbol(id).bars_seen[timeframe_index] = 0;
  announce(id);
  if (bars.empty()) return;
  commands.begin(2 + 2 * bars.size());
  commands.argument("ZADD");
  commands.argument(key_);
  for (const Bar& bar : bars) {
    commands.argument(to_seconds(bar.open_time));
    commands.argument(bar_json(series, bar));
  }
  counters_.bars.fetch_add(bars.size(), std::memory_order_relaxed);
  end_series(work, series);
  flush_if_large(work);
}

void RedisWriter::put_bar(const SeriesKey& series, const Bar& bar) {
  redis_keys::bars_key(symbol_name(series.symbol), timeframe_names_[series.timeframe_index], key_);
  RedisCommands& commands = transaction_.command();
  const std::int64_t at = to_seconds(bar.open_time);
  commands.add("ZREMRANGEBYSCORE", key_, at, at);
  commands.add("ZADD", key_, at, bar_json(series, bar));
  counters_.bars.fetch_add(1, std::memory_order_relaxed);
}

/// Behind the bars of a series, whose key is in key_.
void RedisWriter::end_series(RedisWork& work, const SeriesKey& series) {
  RedisCommands& commands = transaction_.command();
  commands.add("ZREMRANGEBYRANK", key_, 0, -1 - static_cast<std::int64_t>(redis_keys::kBarsKept));
  commands.add("EXPIRE", key_, redis_keys::kBarsLife.count());
  commands.add("ZCARD", key_);
  transaction_.on_reply([this, &work, series](RedisReply&& reply) {
    std::int64_t& seen = work.symbol(series.symbol).bars_seen[series.timeframe_index];
    if (seen != RedisWork::kUnknown && reply.integer < seen) outcome_.lost.push_back(series.symbol);
    seen = reply.integer;
  });
}

void RedisWriter::write_listed_bars(RedisWork& work) {
  std::optional<SeriesKey> series;
  for (const auto& [key, state] : work.bars()) {
    const SeriesKey of{key.symbol, key.timeframe_index};
    if (series && !(*series == of)) {
      end_series(work, *series);
      flush_if_large(work);
    }
    put_bar(of, state.bar);
    if (state.is_published) announce(key.symbol);
    series = of;
  }
  if (series) end_series(work, *series);
}

void RedisWriter::write_open_bars(RedisWork& work, SymbolId id) {
  for (std::uint32_t i = 0; i < timeframe_names_.size(); ++i) {
    const SeriesKey series{id, i};
    const std::vector<Bar> bars = parts_.market.open_bars(id, parts_.market.timeframes()[i]);
    for (const Bar& bar : bars) {
      put_bar(series, bar);
      open_bars_.emplace_back(series, bar);
    }
    if (!bars.empty()) end_series(work, series);
  }
}

void RedisWriter::trim_quotes(RedisWork& work) {
  if (trimmed_.empty()) return;
  RedisCommands& commands = transaction_.command();
  commands.begin(4 + trimmed_.size());
  commands.argument("EVAL");
  commands.argument(kTrim);
  commands.argument(trimmed_.size());
  for (const SymbolId id : trimmed_) {
    key_.assign(redis_keys::kTicks).append(symbol_name(id));
    commands.argument(std::string_view(key_));
  }
  commands.argument(parts_.kept_ticks);
  transaction_.on_reply([this, &work, ids = std::exchange(trimmed_, {})](RedisReply&& reply) {
    for (std::size_t i = 0; i < ids.size() && i < reply.elements.size(); ++i) {
      std::int64_t& seen = work.symbol(ids[i]).ticks_seen;
      const std::int64_t now = reply.elements[i].integer;
      if (seen != RedisWork::kUnknown && now < seen) outcome_.lost.push_back(ids[i]);
      seen = now;
    }
    if (reply.is_error()) outcome_.lost.insert(outcome_.lost.end(), ids.begin(), ids.end());
  });
}

void RedisWriter::announce(SymbolId id) {
  if (announced_.empty() || announced_.back() != id) announced_.push_back(id);
}

void RedisWriter::flush(RedisWork& work) {
  trim_quotes(work);
  for (const SymbolId id : std::exchange(announced_, {})) {
    transaction_.command().add("PUBLISH", redis_keys::kRewrittenChannel, symbol_name(id));
  }
  counters_.bytes.fetch_add(transaction_.bytes(), std::memory_order_relaxed);
  transaction_.run(*connection_);
  for (const SymbolId id : std::exchange(processed_, {})) work.settle(id);
}

void RedisWriter::flush_if_large(RedisWork& work) {
  if (transaction_.bytes() >= kTransactionBytes) flush(work);
}

// --- channels -------------------------------------------------------------------------------------------------------

void RedisWriter::publish(RedisConnection& connection, std::span<const Tick> ticks, std::span<const Tick> latest,
                          RedisWork& work) {
  messages_.clear();
  const auto send_if_large = [&] {
    if (messages_.bytes().size() >= kMessageBytes) send_messages(connection);
  };
  for (const Tick& tick : ticks) {
    if (!is_streamed(tick, parts_.live_tick_age)) continue;
    publish_quote(tick, work.symbol(tick.symbol));
    send_if_large();
  }
  for (const Tick& tick : latest) publish_quote(tick, work.symbol(tick.symbol));
  for (const SymbolId id : work.dirty()) {
    RedisWork::Symbol& of = work.symbol(id);
    if (!of.publishes_latest) continue;
    if (const auto newest = parts_.market.latest(id)) publish_quote(*newest, of);
    send_if_large();
  }
  for (auto& [key, state] : work.bars()) {
    if (std::exchange(state.is_published, true)) continue;
    const SeriesKey series{key.symbol, key.timeframe_index};
    publish_bar(series, bar_json(series, state.bar));
    send_if_large();
  }
  for (const auto& [series, bar] : open_bars_) {
    publish_bar(series, bar_json(series, bar));
    send_if_large();
  }
  send_messages(connection);
}

void RedisWriter::publish_quote(const Tick& tick, RedisWork::Symbol& of) {
  if (tick.seq <= of.published_seq) return;
  const std::uint64_t skipped = tick.seq - of.published_seq - 1;
  const std::string_view json = quote_json(tick, skipped);
  key_.assign(redis_keys::kQuotesOf).append(symbol_name(tick.symbol));
  messages_.add("PUBLISH", redis_keys::kQuotesChannel, json);
  messages_.add("PUBLISH", key_, json);
  of.published_seq = tick.seq;
  counters_.conflated.fetch_add(skipped, std::memory_order_relaxed);
  counters_.messages.fetch_add(1, std::memory_order_relaxed);
}

void RedisWriter::publish_bar(const SeriesKey& series, std::string_view json) {
  redis_keys::bars_key(symbol_name(series.symbol), timeframe_names_[series.timeframe_index], key_);
  messages_.add("PUBLISH", redis_keys::kBarsChannel, json);
  messages_.add("PUBLISH", key_, json);
  counters_.messages.fetch_add(1, std::memory_order_relaxed);
}

void RedisWriter::send_messages(RedisConnection& connection) {
  if (messages_.empty()) return;
  counters_.bytes.fetch_add(messages_.bytes().size(), std::memory_order_relaxed);
  RedisReply refusal;
  connection.exchange(messages_, [&refusal](std::size_t, RedisReply&& reply) {
    if (reply.is_error()) refusal = std::move(reply);
  });
  messages_.clear();
  if (refusal.is_error()) throw RedisRefusal("Redis refuses to publish: " + safe_text(refusal.text, 128));
}

// --- text -----------------------------------------------------------------------------------------------------------

std::string_view RedisWriter::quote_json(const Tick& tick, std::uint64_t skipped) {
  json_.clear();
  json_.literal("{");
  write_quote_members(json_, tick, symbol_name(tick.symbol), lp_names_[tick.lp].view());
  write_size_members(json_, tick);
  write_flags_member(json_, tick);
  if (skipped != 0) {
    json_.literal(R"("skipped":)");
    json_.number(skipped);
    json_.literal(",");
  }
  json_.close('}');
  return json_.view();
}

std::string_view RedisWriter::bar_json(const SeriesKey& series, const Bar& bar) {
  json_.clear();
  json_.literal(R"({"symbol":")");
  json_.raw(symbol_name(series.symbol));
  json_.literal(R"(","timeframe":")");
  json_.raw(timeframe_names_[series.timeframe_index]);
  json_.literal(R"(",)");
  write_bar_members(json_, bar);
  json_.close('}');
  return json_.view();
}

}  // namespace tickpipe::internal
