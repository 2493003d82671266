#include "redis/edge_source.h"

#include <pthread.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/safe_text.h"
#include "redis/redis_keys.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kComponent = "Redis";

constexpr std::chrono::seconds kSecond{1};
/// Something comes at least once a second, as the subscriber pings.
constexpr std::chrono::seconds kSilence{10};
constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr std::chrono::milliseconds kMarkInterval{100};
/// Waiting for no time at all would not look at the socket.
constexpr std::chrono::microseconds kLeastWait{100};
/// Symbols whose keys are read at once: those of one take up to a megabyte.
constexpr std::size_t kReadAtOnce = 8;
constexpr std::size_t kMessagesAtOnce = 4096;

/// Errors of single keys, such as a wrong type, are like an empty key.
std::vector<std::string> texts_of(RedisReply& reply) {
  std::vector<std::string> texts;
  texts.reserve(reply.elements.size());
  for (RedisReply& one : reply.elements) texts.push_back(std::move(one.text));
  return texts;
}

}  // namespace

EdgeSource::EdgeSource(Options options, const CalendarRules& calendars, EdgeListener& listener, Log& log)
    : options_(std::move(options)),
      calendars_(calendars),
      listener_(listener),
      log_(log),
      connector_(options_.redis),
      random_(std::random_device{}()) {}

EdgeSource::~EdgeSource() { stop(); }

void EdgeSource::start() {
  thread_ = std::jthread([this] {
    pthread_setname_np(pthread_self(), "redis");
    loop();
  });
}

void EdgeSource::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  bell_.ring();
  connector_.interrupt();
  thread_.join();
}

// --- the thread -----------------------------------------------------------------------------------------------------

void EdgeSource::loop() {
  while (!is_stopping()) {
    try {
      connect();
      follow();
    } catch (const RedisError& error) {
      failed(error.what());
    }
    subscriber_.reset();
    commands_.reset();
    bell_.wait_for(retry_at_ - SteadyClock::now(), [this] { return is_stopping(); });
  }
}

void EdgeSource::connect() {
  commands_ = connector_.open(RedisConnector::For::kReading, "tickpipe-edge");
  subscriber_ = connector_.open(RedisConnector::For::kReading, "tickpipe-edge-subscriber");
  if (!(commands_->endpoint() == subscriber_->endpoint())) {
    throw RedisError("another master was named while connecting; trying again");
  }
  RedisCommands commands;
  commands.add("SUBSCRIBE", redis_keys::kQuotesChannel, redis_keys::kBarsChannel, redis_keys::kRewrittenChannel);
  subscriber_->send(commands);
  for (int channels = 0; channels < 3; ++channels) {
    const auto reply = subscriber_->receive(options_.redis.connection.idle_timeout);
    if (!reply) throw RedisError("Redis at " + to_string(subscriber_->endpoint()) + ": no answer to SUBSCRIBE");
    if (reply->is_error()) throw RedisError("Redis refuses SUBSCRIBE: " + safe_text(reply->text, 128));
  }
  connections_.fetch_add(1, std::memory_order_relaxed);
  heard_at_ = SteadyClock::now();
}

void EdgeSource::follow() {
  while (!is_stopping()) {
    const auto mark = wait_for_mark();
    if (!mark) return;
    begin(*mark);
    while (!is_stopping() && step()) {
    }
    intake_.reset();  // what it held may be of another epoch; all of it is in the keys
  }
}

/// Keys are of no use while a node writes all of them.
std::optional<RedisMark> EdgeSource::wait_for_mark() {
  std::vector<EdgeIntake::Keys> none;
  while (!is_stopping()) {
    RedisMark mark = read({}, none);
    if (!mark.epoch.empty()) return mark;
    set_degraded("tickpipe:sink is absent: no node writes here, or one is still writing its keys");
    heard_at_ = SteadyClock::now();
    receive_messages();  // they will be in the keys
    bell_.wait_for(kMarkInterval, [this] { return is_stopping(); });
  }
  return std::nullopt;
}

void EdgeSource::begin(const RedisMark& mark) {
  mark_ = mark;
  if (!data_ || data_->epoch != mark.epoch) {
    data_ = std::make_shared<EdgeData>(mark.epoch, options_.data, calendars_);
    is_loaded_ = false;
  }
  intake_ = std::make_unique<EdgeIntake>(*data_, options_.live_tick_age, counters_);
  scan();
  second_at_ = SteadyClock::now() + kSecond;
}

void EdgeSource::scan() {
  is_scan_due_ = false;
  std::set<std::string> symbols;
  std::string cursor = "0";
  do {
    RedisCommands commands;
    commands.add("SCAN", cursor, "COUNT", 1000);
    const RedisReply reply = commands_->call(commands);
    if (reply.elements.size() != 2) throw RedisError("Redis refuses SCAN: " + safe_text(reply.text, 128));
    cursor = reply.elements[0].text;
    for (const RedisReply& element : reply.elements[1].elements) {
      const std::string_view key = element.text;
      if (key.starts_with(redis_keys::kTicks)) symbols.emplace(key.substr(redis_keys::kTicks.size()));
      if (key.starts_with(redis_keys::kLatest)) symbols.emplace(key.substr(redis_keys::kLatest.size()));
      if (!key.starts_with(redis_keys::kBars)) continue;
      const std::string_view series = key.substr(redis_keys::kBars.size());
      symbols.emplace(series.substr(0, series.rfind(':')));
    }
  } while (cursor != "0" && !is_stopping());
  for (const std::string& symbol : symbols) {
    const auto name = parse_symbol(symbol);
    if (name && name->view() == symbol) intake_->want_everything(symbol);
  }
}

/// Returns whether it may go on; else it is to begin anew.
bool EdgeSource::step() {
  const bool has_messages = receive_messages();
  if (is_scan_due_) scan();
  const auto now = SteadyClock::now();
  const auto wanted = intake_->due(now, kReadAtOnce);
  const bool is_second_over = now >= second_at_;
  if (has_messages || !wanted.empty() || is_second_over) {
    std::vector<EdgeIntake::Keys> keys(wanted.size());
    const RedisMark mark = read(wanted, keys);
    if (mark.epoch != mark_.epoch) {
      log_.warn(kComponent, mark.epoch.empty() ? "the node writes all keys anew" : "the node has another epoch");
      return false;
    }
    mark_ = mark;
    position_.store(mark.position.value, std::memory_order_relaxed);
    for (std::size_t i = 0; i < wanted.size(); ++i) intake_->take_keys(wanted[i], keys[i], now);
  }
  hand_on();
  if (is_second_over) each_second();
  return true;
}

bool EdgeSource::receive_messages() {
  auto until = std::max(second_at_, SteadyClock::now());
  if (intake_) until = std::min(until, intake_->next_due());
  const auto wait = std::max<std::chrono::nanoseconds>(until - SteadyClock::now(), kLeastWait);
  auto message = subscriber_->receive(wait);
  std::size_t count = 0;
  for (; message; ++count) {
    take_message(*message);
    if (count + 1 == kMessagesAtOnce) break;
    message = subscriber_->receive(std::chrono::nanoseconds{0});
  }
  const auto now = SteadyClock::now();
  if (count != 0) heard_at_ = now;
  if (now - heard_at_ > kSilence) {
    throw RedisError("Redis at " + to_string(subscriber_->endpoint()) + ": a subscriber gets no answer to PING");
  }
  return count != 0;
}

void EdgeSource::take_message(const RedisReply& message) {
  if (!intake_ || message.elements.size() != 3 || message.elements[0].text != "message") return;
  const std::string& channel = message.elements[1].text;
  if (channel == redis_keys::kQuotesChannel) intake_->take_quote(message.elements[2].text);
  if (channel == redis_keys::kBarsChannel) intake_->take_bar(message.elements[2].text);
  if (channel == redis_keys::kRewrittenChannel) {
    const std::string& symbol = message.elements[2].text;
    if (symbol == redis_keys::kAllSymbols) is_scan_due_ = true;
    if (symbol != redis_keys::kAllSymbols) intake_->want_everything(symbol);
  }
}

/// Reads keys, those of a symbol as of one moment, and before them what `tickpipe:sink` says.
RedisMark EdgeSource::read(const std::vector<EdgeIntake::Wanted>& wanted, std::vector<EdgeIntake::Keys>& keys) {
  RedisCommands commands;
  commands.add("HMGET", redis_keys::kSink, "epoch", "position");
  std::vector<std::size_t> ends;  // indices of EXEC
  std::string key;
  for (const EdgeIntake::Wanted& one : wanted) {
    const Name name = data_->symbols.name(one.symbol);
    commands.add("MULTI");
    commands.add("GET", key.assign(redis_keys::kLatest).append(name.view()));
    commands.add("ZRANGE", key.assign(redis_keys::kTicks).append(name.view()),
                 one.newest == 0 ? 0 : -static_cast<std::int64_t>(one.newest), -1);
    if (one.with_bars) {
      for (const Timeframe timeframe : data_->view.timeframes()) {
        redis_keys::bars_key(name.view(), timeframe.name(), key);
        commands.add("ZRANGE", key, 0, -1);
      }
    }
    commands.add("EXEC");
    ends.push_back(commands.count() - 1);
  }
  RedisMark mark;
  std::size_t next = 0;
  commands_->exchange(commands, [&](std::size_t index, RedisReply&& reply) {
    if (index == 0) mark = parse_mark(reply);
    if (next == ends.size() || index != ends[next]) return;
    auto& found = reply.elements;
    if (found.size() < 2) throw RedisError("Redis does not show the keys of tickpipe: " + safe_text(reply.text, 128));
    EdgeIntake::Keys& of = keys[next++];
    if (found[0].type == RedisReply::Type::kText) of.latest = std::move(found[0].text);
    of.ticks = texts_of(found[1]);
    for (std::size_t i = 2; i < found.size(); ++i) of.bars.push_back(texts_of(found[i]));
  });
  return mark;
}

void EdgeSource::hand_on() {
  EventBatch& batch = intake_->finish();
  if (!batch.empty() || !batch.latest.empty() || !batch.open_bars.empty()) {
    data_->view.apply(batch);
    if (is_loaded_) listener_.on_committed(batch, mark_.position);
    intake_->clear_batch();
  }
  if (!intake_->is_complete()) return;
  if (!is_loaded_) {
    is_loaded_ = true;
    loads_.fetch_add(1, std::memory_order_relaxed);
    log_.info(kComponent, "Loaded " + std::to_string(data_->view.symbol_count()) + " symbols of epoch " +
                              safe_text(data_->epoch) + " at position " + std::to_string(mark_.position.value));
    listener_.on_loaded(data_);
  }
  went_well();
}

void EdgeSource::each_second() {
  second_at_ = SteadyClock::now() + kSecond;
  RedisCommands commands;
  commands.add("PING");
  subscriber_->send(commands);
  const auto tell = [this](const std::atomic<std::uint64_t>& counter, std::uint64_t& told, const char* what) {
    const std::uint64_t now = counter.load(std::memory_order_relaxed);
    if (now != told) log_.warn(kComponent, std::to_string(now - std::exchange(told, now)) + what);
  };
  tell(counters_.lost, told_lost_,
       " quotes passed unseen: loaded history, or messages that got lost, and not among the newest of their symbol");
  tell(counters_.damaged, told_damaged_, " messages or members are not what a node writes; they were skipped");
}

// --- state ----------------------------------------------------------------------------------------------------------

void EdgeSource::failed(const std::string& cause) {
  if (is_stopping()) return;
  backoff_ = std::clamp(backoff_ * 2, kFirstPause, kLongestPause);
  const auto jitter = std::uniform_int_distribution<std::int64_t>(0, backoff_.count() / 2)(random_);
  retry_at_ = SteadyClock::now() + backoff_ - std::chrono::milliseconds{jitter};
  intake_.reset();  // what it held is read again
  set_degraded(cause);
}

void EdgeSource::set_degraded(const std::string& cause) {
  {
    const std::lock_guard lock(status_mutex_);
    if (degraded_.empty()) degraded_since_ = SteadyClock::now();
    if (degraded_ == cause) return;
    degraded_ = cause;
  }
  log_.warn(kComponent, safe_text(cause, 512));
}

void EdgeSource::went_well() {
  backoff_ = std::chrono::milliseconds{0};
  {
    const std::lock_guard lock(status_mutex_);
    if (degraded_.empty()) return;
    degraded_.clear();
  }
  log_.info(kComponent, "Connected to " + to_string(commands_->endpoint()) + ": in step with position " +
                            std::to_string(mark_.position.value));
}

SinkStatus EdgeSource::status() const {
  SinkStatus status;
  status.name = "edge";
  const auto count = [&status](const char* name, const std::atomic<std::uint64_t>& value) {
    status.counters.emplace_back(name, value.load(std::memory_order_relaxed));
  };
  count("quotes", counters_.quotes);
  count("bars", counters_.bars);
  count("messages", counters_.messages);
  count("messages_damaged", counters_.damaged);
  count("quotes_refilled", counters_.refilled);
  count("gaps", counters_.gaps);
  count("quotes_lost", counters_.lost);
  count("names_refused", counters_.unknown);
  count("connections_made", connections_);
  count("loads", loads_);
  status.position = position_.load(std::memory_order_relaxed);
  const std::lock_guard lock(status_mutex_);
  status.detail = degraded_;
  status.is_degraded = !degraded_.empty();
  if (status.is_degraded) status.lag = SteadyClock::now() - degraded_since_;
  return status;
}

}  // namespace tickpipe::internal
