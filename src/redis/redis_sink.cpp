#include "redis/redis_sink.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/safe_text.h"
#include "redis/redis_keys.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kComponent = "Redis";

/// Under load a round takes what came in this time: fewer and larger commands.
constexpr std::chrono::milliseconds kRoundInterval{5};
constexpr std::chrono::seconds kOpenBarsInterval{1};
constexpr std::chrono::seconds kSaveInterval{1};
/// How often commits are looked at while Redis is away.
constexpr std::chrono::milliseconds kPollWhileAway{50};
constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::chrono::seconds kTolerableLag{10};
constexpr std::size_t kMaxListedBars = 100'000;

}  // namespace

RedisSink::RedisSink(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      connector_(options_.redis),
      backlog_({.live_tick_age = options_.live_tick_age, .is_wanted = [this](SymbolId id) { return is_wanted(id); }},
               bell_),
      writer_({.market = parts_.market,
               .symbols = parts_.symbols,
               .lps = parts_.lps,
               .kept_ticks = options_.kept_ticks,
               .live_tick_age = options_.live_tick_age}),
      work_(options_.kept_ticks, parts_.market.timeframes().size(), kMaxListedBars),
      audit_({.market = parts_.market,
              .symbols = parts_.symbols,
              .work = work_,
              .log = parts_.log,
              .is_present = [this](SymbolId id) { return is_present(id); },
              .kept_ticks = options_.kept_ticks}),
      taken_(parts_.start),
      random_(std::random_device{}()) {}

RedisSink::~RedisSink() { stop(std::chrono::milliseconds{0}); }

bool RedisSink::is_wanted(SymbolId id) const {
  if (options_.symbols.empty()) return true;
  const Name name = parts_.symbols.name(id);
  return std::find(options_.symbols.begin(), options_.symbols.end(), name) != options_.symbols.end();
}

bool RedisSink::is_present(SymbolId id) const { return parts_.market.snapshot(id).newest_seq != 0 && is_wanted(id); }

void RedisSink::start() {
  // What the runs before have committed went over their channels, or never will.
  for (std::uint32_t i = 0; i < parts_.symbols.size(); ++i) {
    work_.symbol(SymbolId{i}).published_seq = parts_.market.snapshot(SymbolId{i}).newest_seq;
  }
  if (const auto left = parts_.load_position()) {
    saved_ = *left;
    const std::lock_guard lock(status_mutex_);
    complete_to_ = *left;
  }
  thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), "redis");
    loop();
    end();
    has_ended_.store(true, std::memory_order_release);
    ended_bell_.ring();
  });
}

void RedisSink::stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  bell_.ring();
  const bool has_ended = ended_bell_.wait_for(grace, [this] { return has_ended_.load(std::memory_order_acquire); });
  if (!has_ended) connector_.interrupt();
  thread_.join();
}

// --- the thread -----------------------------------------------------------------------------------------------------

void RedisSink::loop() {
  while (!is_stopping()) {
    const auto now = SteadyClock::now();
    const bool can_write = connection_ && now >= retry_at_;
    bell_.wait_for(next_due() - now, [&] { return is_stopping() || (can_write && !backlog_.empty()); });
    if (can_write) bell_.wait_for(round_ended_ + kRoundInterval - SteadyClock::now(), [this] { return is_stopping(); });
    if (!is_stopping()) step(false);
  }
}

RedisSink::SteadyClock::time_point RedisSink::next_due() const {
  const auto now = SteadyClock::now();
  if (!connection_ || now < retry_at_) return std::min(now + kPollWhileAway, std::max(retry_at_, now));
  auto due = audit_at_;
  if (work_.has_work()) due = now;
  if (work_.has_open_bars()) due = std::min(due, open_bars_at_);
  if (saved_ < written_.position) due = std::min(due, saved_at_ + kSaveInterval);
  return due;
}

void RedisSink::end() {
  retry_at_ = {};
  while (!backlog_.empty() || work_.has_work() || work_.has_open_bars()) {
    if (!step(true)) break;
  }
  save_position();
  if (!work_.has_work() && backlog_.empty() && connection_) return;
  parts_.log.warn(kComponent, "ended behind: Redis holds what was committed up to position " +
                                  std::to_string(status().position) + " of " + std::to_string(taken_.value) +
                                  "; the next start completes it");
}

bool RedisSink::step(bool is_last) {
  try {
    take_delivery();
    if (!connection_) {
      if (SteadyClock::now() < retry_at_) return false;
      connect();
    }
    if (SteadyClock::now() < retry_at_) return false;
    bool is_due = work_.has_work();
    if (SteadyClock::now() >= audit_at_) {
      audit();
      is_due = work_.has_work() || written_.position < taken_;  // commits without anything for Redis count too
    }
    is_due |= written_.epoch != parts_.epoch;  // without any quote too: who reads the keys learns that this is all
    const bool are_open_bars_due = work_.has_open_bars() && (is_last || SteadyClock::now() >= open_bars_at_);
    if (is_due || are_open_bars_due) round(is_last);
    went_well();
    return true;
  } catch (const RedisRefusal& error) {
    failed(error.what(), false);
  } catch (const RedisError& error) {
    failed(error.what(), true);
  } catch (const Error& error) {
    failed(std::string("market data cannot be read: ") + error.what(), false);
  }
  return false;
}

void RedisSink::take_delivery() {
  delivery_.clear();
  backlog_.take(delivery_);
  taken_ = std::max(taken_, delivery_.position);
  if (delivery_.empty()) return;
  work_.add(delivery_, connection_ != nullptr && SteadyClock::now() >= retry_at_);
  const std::lock_guard lock(status_mutex_);
  if (!behind_since_) behind_since_ = delivery_.since;
}

void RedisSink::round(bool is_last) {
  const bool with_open_bars = work_.has_open_bars() && (is_last || SteadyClock::now() >= open_bars_at_);
  const RedisMark mark{parts_.epoch, taken_};
  const RedisMark expected = written_;
  const bool was_certain = std::exchange(is_certain_, false);
  const RedisWriter::Outcome outcome = writer_.write_keys(*connection_, work_, mark, with_open_bars);
  written_ = mark;
  is_certain_ = true;
  writer_.publish(*connection_, delivery_.ticks, delivery_.latest, work_);
  work_.clear_written(with_open_bars);
  round_ended_ = SteadyClock::now();
  if (with_open_bars) open_bars_at_ = round_ended_ + kOpenBarsInterval;
  if (was_certain && outcome.seen != expected) {
    parts_.log.warn(kComponent, "somebody else wrote or removed keys; looking at what is missing");
    take_over(outcome.seen);
    audit_.look_at_all(*connection_);  // finds what `outcome` says too
    return;
  }
  for (const SymbolId id : outcome.lost) audit_.note_lost(id);
}

void RedisSink::connect() {
  connection_ = connector_.open(RedisConnector::For::kWriting, "tickpipe-sink");
  connections_.fetch_add(1, std::memory_order_relaxed);
  try {
    take_over(read_mark());
    audit_.look_at_all(*connection_);
    audit_at_ = SteadyClock::now() + options_.audit_interval;
  } catch (...) {
    connection_.reset();  // a take-over is made whole or again: nothing may be written on top of half of one
    throw;
  }
  for (std::uint32_t i = 0; i < parts_.symbols.size(); ++i) {
    const SymbolId id{i};
    if (is_present(id)) work_.touch_open_bars(id);
  }
}

RedisMark RedisSink::read_mark() {
  RedisCommands commands;
  commands.add("HMGET", redis_keys::kSink, "epoch", "position");
  return parse_mark(connection_->call(commands));
}

void RedisSink::take_over(const RedisMark& found) {
  if (found.epoch != parts_.epoch || found.position > taken_) {
    rebuild();
    return;
  }
  const bool is_known = is_certain_ && found == written_;
  written_ = found;
  is_certain_ = true;
  if (is_known) return;
  // Who wrote this may have ended before it told the channels; and what is written now, they are not told.
  work_.announce_all();
  work_.forget_seen();
  if (found.position == taken_) return;
  std::optional<ChangesSince> changes;
  try {
    changes = parts_.changes_since(found.position);
  } catch (const Error&) {
    // What is listed instead, all of it, is read from the market data until that can be read.
  }
  if (!changes) {
    for (std::uint32_t i = 0; i < parts_.symbols.size(); ++i) {
      if (is_present(SymbolId{i})) work_.rewrite_all(SymbolId{i});
    }
    return;
  }
  for (const SymbolId id : changes->symbols) {
    if (is_present(id)) work_.rewrite_ticks(id);
  }
  for (const BarEvent& event : changes->bars) {
    if (is_present(event.symbol)) work_.add_bar(event, true);
  }
}

void RedisSink::rebuild() {
  parts_.log.info(kComponent, "writing all keys of this epoch");
  rebuilds_.fetch_add(1, std::memory_order_relaxed);
  is_certain_ = false;
  // Listed first: it is still to be done if Redis refuses what follows.
  work_.forget_seen();
  for (std::uint32_t i = 0; i < parts_.symbols.size(); ++i) {
    if (is_present(SymbolId{i})) work_.rewrite_all(SymbolId{i});
  }
  RedisTransaction transaction;
  transaction.command().add("DEL", redis_keys::kSink);
  transaction.run(*connection_);
  written_ = {};
  is_certain_ = true;
  remove_foreign_keys();
}

/// Keys of tickpipe's names that this server would not write.
void RedisSink::remove_foreign_keys() {
  const auto is_ours = [this](std::string_view text) {
    const auto name = parse_symbol(text);
    if (!name || name->view() != text) return false;
    const auto id = parts_.symbols.find(*name);
    return id && is_present(*id);
  };
  const auto is_foreign = [&](std::string_view key) {
    if (key.starts_with(redis_keys::kLatest)) return !is_ours(key.substr(redis_keys::kLatest.size()));
    if (key.starts_with(redis_keys::kTicks)) return !is_ours(key.substr(redis_keys::kTicks.size()));
    if (!key.starts_with(redis_keys::kBars)) return false;
    const std::string_view series = key.substr(redis_keys::kBars.size());
    const std::size_t colon = series.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto timeframe = parse_timeframe(series.substr(colon + 1));
    const auto& known = parts_.market.timeframes();
    return !timeframe || std::find(known.begin(), known.end(), *timeframe) == known.end() ||
           !is_ours(series.substr(0, colon));
  };
  std::string cursor = "0";
  do {
    RedisCommands commands;
    commands.add("SCAN", cursor, "COUNT", 1000);
    const RedisReply reply = connection_->call(commands);
    if (reply.elements.size() != 2) return;
    cursor = reply.elements[0].text;
    std::vector<std::string_view> foreign;
    for (const RedisReply& key : reply.elements[1].elements) {
      if (is_foreign(key.text)) foreign.push_back(key.text);
    }
    if (foreign.empty()) continue;
    commands.clear();
    commands.begin(1 + foreign.size());
    commands.argument("UNLINK");
    for (const std::string_view key : foreign) commands.argument(key);
    connection_->call(commands);
  } while (cursor != "0");
}

// --- keys that vanish -----------------------------------------------------------------------------------------------

/// Whether it is `tickpipe:sink` as it was left, and the keys of some symbols.
void RedisSink::audit() {
  const RedisMark found = read_mark();
  if (found != written_) {
    parts_.log.warn(kComponent, "somebody else wrote or removed keys; looking at what is missing");
    take_over(found);
    audit_.look_at_all(*connection_);
  }
  audit_.look_further(*connection_);
  audit_at_ = SteadyClock::now() + options_.audit_interval;
}

// --- state ----------------------------------------------------------------------------------------------------------

void RedisSink::failed(const std::string& cause, bool is_connection_lost) {
  if (is_connection_lost) connection_.reset();
  work_.forget_quotes();
  backoff_ = std::clamp(backoff_ * 2, kFirstPause, kLongestPause);
  const auto jitter = std::uniform_int_distribution<std::int64_t>(0, backoff_.count() / 2)(random_);
  retry_at_ = SteadyClock::now() + backoff_ - std::chrono::milliseconds{jitter};
  set_degraded(cause);
}

void RedisSink::set_degraded(const std::string& cause) {
  {
    const std::lock_guard lock(status_mutex_);
    if (degraded_ == cause) return;
    degraded_ = cause;
  }
  parts_.log.warn(kComponent, safe_text(cause, 512));
}

void RedisSink::went_well() {
  backoff_ = std::chrono::milliseconds{0};
  bool was_degraded = false;
  const std::string cause = audit_.cause();
  {
    const std::lock_guard lock(status_mutex_);
    was_degraded = !degraded_.empty();
    degraded_ = cause;
    complete_to_ = work_.has_work() ? written_.position : taken_;
    if (!work_.has_work()) behind_since_.reset();
  }
  if (was_degraded && cause.empty()) {
    parts_.log.info(kComponent, "Connected to " + to_string(connection_->endpoint()) +
                                    ": keys hold everything up to position " + std::to_string(written_.position.value));
  }
  if (SteadyClock::now() >= saved_at_ + kSaveInterval) save_position();
}

void RedisSink::save_position() {
  saved_at_ = SteadyClock::now();
  if (saved_ == written_.position || written_.epoch != parts_.epoch) return;
  try {
    parts_.save_position(written_.position);
    saved_ = written_.position;
  } catch (const Error&) {
    // The disk fails, which the store tells. What Redis says of itself is what counts at the next start.
  }
}

SinkStatus RedisSink::status() const {
  SinkStatus status;
  status.name = "redis";
  const RedisWriter::Counters& counters = writer_.counters();
  const auto count = [&status](const char* name, const std::atomic<std::uint64_t>& value) {
    status.counters.emplace_back(name, value.load(std::memory_order_relaxed));
  };
  count("ticks_written", counters.ticks);
  count("bars_written", counters.bars);
  count("messages_published", counters.messages);
  count("quotes_conflated", counters.conflated);
  count("bytes_sent", counters.bytes);
  count("connections_made", connections_);
  count("rebuilds", rebuilds_);
  count("keys_lost", audit_.lost_keys());
  const Position newest = backlog_.newest();
  const std::lock_guard lock(status_mutex_);
  status.position = complete_to_.value;
  if (newest > complete_to_) status.lag_commits = newest.value - complete_to_.value;
  if (behind_since_) status.lag = SteadyClock::now() - *behind_since_;
  status.detail = degraded_;
  if (status.detail.empty() && status.lag > kTolerableLag) {
    status.detail = "Redis takes less than comes in: it is " +
                    std::to_string(std::chrono::duration_cast<std::chrono::seconds>(status.lag).count()) + " s behind";
  }
  status.is_degraded = !status.detail.empty();
  return status;
}

}  // namespace tickpipe::internal
