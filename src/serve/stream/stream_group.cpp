#include "serve/stream/stream_group.h"

#include <algorithm>
#include <utility>

#include "serve/stream/status_message.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// 65,536 quotes with their messages take about 20 MB.
constexpr std::size_t kMaxLoggedTicks = 65'536;
/// Quotes that came after the latest one, and are not: a client that wants all gets them when there are not too many.
constexpr std::uint64_t kMaxLateBefore = 1'000;
/// How long clients have their turns before sockets and new quotes have theirs.
constexpr std::chrono::microseconds kTurn{1000};

/// Takes an element out of a list that notes places, by putting the last one there.
template <typename Subscription>
void remove_from(std::vector<Subscription*>& list, Subscription& subscription) {
  list.back()->place = subscription.place;
  list[subscription.place] = list.back();
  list.pop_back();
}

template <typename T>
void remove_value(std::vector<T>& list, const T& value) {
  list.erase(std::remove(list.begin(), list.end(), value), list.end());
}

}  // namespace

StreamGroup::StreamGroup(StreamHub& hub, std::shared_ptr<IoLoop> loop)
    : hub_(hub),
      loop_(std::move(loop)),
      inbox_(hub.parts().inbox_events),
      encoder_(hub.parts().symbols, hub.parts().lps, hub.parts().market.timeframes(), hub.encoded()),
      scratch_(65'536),
      timer_(*loop_),
      second_(*loop_) {
  each_second();
}

StreamGroup::~StreamGroup() = default;

const StreamParts& StreamGroup::parts() const noexcept { return hub_.parts(); }

// --- clients --------------------------------------------------------------------------------------------------------

void StreamGroup::add(const std::shared_ptr<StreamReceiver>& client) {
  hub_.count_client(1);
  client->slot = clients_.size();
  clients_.push_back(client);
}

void StreamGroup::remove(StreamReceiver& client) {
  hub_.count_client(-1);
  unsubscribe_everything(client);
  if (client.is_queued) flush_queue_.erase(std::find(flush_queue_.begin(), flush_queue_.end(), &client));
  client.is_queued = false;
  clients_.back()->slot = client.slot;
  const auto self = std::exchange(clients_[client.slot], clients_.back());
  clients_.pop_back();
}

void StreamGroup::unsubscribe_everything(StreamReceiver& client) {
  if (client.all_quotes) --wildcards_, hub_.interest().lower_new();
  client.all_quotes.reset();
  for (std::size_t i = 0; i < client.all_bars.size(); ++i) --wildcards_, hub_.interest().lower_new();
  client.all_bars.clear();
  for (const auto& subscription : client.quotes) drop(*subscription);
  client.quotes.clear();
  for (const auto& subscription : client.bars) drop(*subscription);
  client.bars.clear();
  client.ready_quotes.clear();
  client.ready_bars.clear();
  while (!client.waits_for.empty()) stop_waiting_for(client, std::string(client.waits_for.back()));
}

void StreamGroup::shut_down() {
  is_shut_down_ = true;
  const auto clients = clients_;
  for (const auto& client : clients) client->end_gracefully();
}

void StreamGroup::close_all() {
  while (!clients_.empty()) clients_.back()->close();
  timer_.cancel();
  second_.cancel();
}

void StreamGroup::each_second() {
  second_.start(SteadyClock::now() + std::chrono::seconds{1}, [this] { each_second(); });
  const auto now = SteadyClock::now();
  for (std::size_t i = clients_.size(); i > 0; --i) {  // one that closes is replaced by one that had its turn
    if (i <= clients_.size()) std::shared_ptr<StreamReceiver>(clients_[i - 1])->each_second(now);
  }
  publish_status(now);
  while (!wants_backlog_.empty() && backlogs_ < kMaxBacklogs) {
    QuoteSubscription* const next = wants_backlog_.front();
    wants_backlog_.pop_front();
    read_missed_of(*next);
  }
}

void StreamGroup::publish_status(SteadyClock::time_point now) {
  for (const auto& [channel, json] :
       {std::pair{kStatsChannel, &StreamParts::stats_json}, std::pair{kHealthChannel, &StreamParts::health_json}}) {
    std::optional<StatusMessage> message;
    for (const auto& client : std::vector(clients_)) {
      if (client->is_stuck() || !client->wants_status(channel)) continue;
      if (!message) message.emplace(channel, (parts().*json)(), hub_.encoded());
      if (channel == kHealthChannel && !health_.is_due(message->json(), now)) break;
      client->take_status(*message);
    }
  }
}

// --- turns ----------------------------------------------------------------------------------------------------------

void StreamGroup::post(const std::shared_ptr<const StreamBatch>& batch) {
  if (inbox_.push(batch)) {
    loop_->post([group = weak_from_this()] {
      if (const auto self = group.lock()) self->run();
    });
  }
}

void StreamGroup::enqueue(StreamReceiver& client) {
  if (client.is_queued || client.is_stuck()) return;
  client.is_queued = true;
  flush_queue_.push_back(&client);
  if (!is_running_) continue_later();
}

void StreamGroup::continue_later() {
  if (std::exchange(is_scheduled_, true)) return;
  loop_->post([group = weak_from_this()] {
    if (const auto self = group.lock()) {
      self->is_scheduled_ = false;
      self->run();
    }
  });
}

/// New quotes first, then some clients; the rest after sockets were looked at.
void StreamGroup::run() {
  is_running_ = true;
  const bool had_some = take_inbox();
  const auto end = SteadyClock::now() + kTurn;
  while (!flush_queue_.empty()) {
    StreamReceiver* const client = flush_queue_.front();
    flush_queue_.pop_front();
    client->is_queued = false;
    const auto keeps_it = client->shared_from_this();
    client->flush();
    if (SteadyClock::now() >= end) break;
  }
  is_running_ = false;
  // The inbox may have got more meanwhile, and wakes only a group that has found it empty.
  if (had_some || !flush_queue_.empty()) continue_later();
}

bool StreamGroup::is_idle() const {
  const auto is_reading = [](const auto& client) {
    return std::any_of(client->quotes.begin(), client->quotes.end(),
                       [](const auto& one) { return one->state == SubscriptionState::kReading; });
  };
  return flush_queue_.empty() && lanes_.empty() && inbox_.depth() == 0 &&
         std::none_of(clients_.begin(), clients_.end(), is_reading);
}

bool StreamGroup::take_inbox() {
  const StreamInbox::Content content = inbox_.take();
  for (const auto& batch : content.batches) take(batch);
  if (content.has_lost_quotes) {
    hub_.count_lost();
    catch_up_with_view();
  }
  if (content.has_lost_bars) {
    const auto clients = clients_;
    for (const auto& client : clients) {
      if (!client->bars.empty()) client->end_as_too_slow("the server could not keep up with closed bars");
    }
  }
  return !content.batches.empty() || content.has_lost_quotes || content.has_lost_bars;
}

void StreamGroup::take(const std::shared_ptr<const StreamBatch>& batch) {
  if (!batch->new_symbols.empty()) take_new_symbols(*batch);
  if (!batch->ticks.empty()) take_ticks(batch);
  take_bars(*batch);
}

void StreamGroup::take_ticks(const std::shared_ptr<const StreamBatch>& batch) {
  log_.push_back(batch);
  logged_ticks_ += batch->ticks.size();
  for (std::uint32_t i = 0; i < batch->ticks.size(); ++i) {
    const StreamTick& one = batch->ticks[i];
    QuoteFeed* const feed = quote_feed(one.tick.symbol);
    if (feed == nullptr) continue;
    if (one.is_live && one.tick.seq > feed->covered_after) feed->live.push_back({batch.get(), i, one.tick.seq});
    if (one.is_latest && one.tick.seq > feed->latest_seq) {
      feed->latest_batch = batch;
      feed->latest_index = i;
      feed->latest_seq = one.tick.seq;
    }
    wake(*feed);
  }
  trim_log();
}

void StreamGroup::trim_log() {
  while (logged_ticks_ > kMaxLoggedTicks && log_.size() > 1) {
    const auto oldest = std::move(log_.front());
    log_.pop_front();
    logged_ticks_ -= oldest->ticks.size();
    for (const StreamTick& one : oldest->ticks) {
      QuoteFeed* const feed = quote_feed(one.tick.symbol);
      if (feed == nullptr) continue;
      while (!feed->live.empty() && feed->live.front().batch == oldest.get()) {
        feed->covered_after = feed->live.front().seq;
        feed->live.pop_front();
      }
      if (feed->latest_batch == oldest) feed->latest_batch.reset();  // or one quiet symbol holds a whole batch
    }
  }
}

/// After quotes were lost on the way: what is missing is in the view, and in the store.
void StreamGroup::catch_up_with_view() {
  for (std::uint32_t i = 0; i < quotes_.size(); ++i) {
    if (!quotes_[i]) continue;
    QuoteFeed& feed = *quotes_[i];
    const QuoteSnapshot now = parts().market.snapshot(SymbolId{i});
    if (now.newest_seq > feed.covered_after) {
      feed.covered_after = now.newest_seq;
      feed.live.clear();
    }
    if (now.latest.seq > feed.latest_seq) {
      feed.latest_seq = now.latest.seq;
      feed.latest_batch.reset();
    }
    wake(feed);
  }
}

void StreamGroup::take_new_symbols(const StreamBatch& batch) {
  if (waiting_.empty() && wildcards_ == 0) return;
  std::unordered_map<std::uint32_t, std::uint64_t> newest;
  for (const StreamTick& one : batch.ticks) {
    if (one.is_live) newest[one.tick.symbol.value] = one.tick.seq;
  }
  for (const SymbolId symbol : batch.new_symbols) {
    const auto found = newest.find(symbol.value);
    new_symbol_seq_ = found != newest.end() ? found->second : 0;
    take_new_symbol(symbol);
  }
}

void StreamGroup::take_new_symbol(SymbolId symbol) {
  new_symbol_ = symbol;
  const std::string name(parts().symbols.name(symbol).view());
  if (const auto found = waiting_.find(name); found != waiting_.end()) {
    const std::vector<StreamReceiver*> clients = std::move(found->second);
    waiting_.erase(found);
    for (StreamReceiver* const client : clients) {
      hub_.interest().lower_new();
      remove_value(client->waits_for, name);
      client->on_symbol(symbol, name);
    }
  }
  for (std::size_t i = 0; wildcards_ != 0 && i < clients_.size(); ++i) {
    const std::shared_ptr<StreamReceiver> client = clients_[i];
    if (client->all_quotes && find_quotes(*client, symbol) == nullptr) {
      subscribe_quotes(*client, symbol, *client->all_quotes, true);
    }
    for (const std::uint32_t index : client->all_bars) {
      if (find_bars(*client, symbol, index) == nullptr) subscribe_bars(*client, symbol, index, true);
    }
  }
  new_symbol_.reset();
}

std::optional<SymbolId> StreamGroup::find_or_wait(StreamReceiver& client, const Name& symbol) {
  hub_.interest().raise_new();  // before looking: see Interest
  std::string name(symbol.view());
  const auto found = parts().symbols.find(symbol);
  if (found || std::find(client.waits_for.begin(), client.waits_for.end(), name) != client.waits_for.end()) {
    hub_.interest().lower_new();
    return found;
  }
  client.waits_for.push_back(name);
  waiting_[std::move(name)].push_back(&client);
  return std::nullopt;
}

void StreamGroup::stop_waiting_for(StreamReceiver& client, std::string_view symbol) {
  const std::string name(symbol);
  const auto found = waiting_.find(name);
  if (found == waiting_.end()) return;
  const auto at = std::find(found->second.begin(), found->second.end(), &client);
  if (at == found->second.end()) return;
  found->second.erase(at);
  if (found->second.empty()) waiting_.erase(found);
  remove_value(client.waits_for, name);
  hub_.interest().lower_new();
}

// --- subscriptions of quotes ----------------------------------------------------------------------------------------

QuoteFeed* StreamGroup::quote_feed(SymbolId symbol) const {
  return symbol.value < quotes_.size() ? quotes_[symbol.value].get() : nullptr;
}

QuoteFeed& StreamGroup::activate_quotes(SymbolId symbol) {
  if (QuoteFeed* const feed = quote_feed(symbol)) return *feed;
  if (symbol.value >= quotes_.size()) quotes_.resize(symbol.value + std::size_t{1});
  hub_.interest().raise(symbol, Interest::kQuotes);  // before the view is read: see Interest
  const QuoteSnapshot now = parts().market.snapshot(symbol);
  QuoteFeed& feed = *(quotes_[symbol.value] = std::make_unique<QuoteFeed>());
  // The first quotes of a new symbol come with the batch that is being taken. If more were committed by now, some of
  // them may have been left out for want of interest: then all are read.
  if (symbol == new_symbol_ && now.newest_seq == new_symbol_seq_) return feed;
  feed.covered_after = now.newest_seq;
  feed.latest_seq = now.latest.seq;
  return feed;
}

QuoteSubscription* StreamGroup::find_quotes(const StreamReceiver& client, SymbolId symbol) {
  for (const auto& subscription : client.quotes) {
    if (subscription->symbol == symbol) return subscription.get();
  }
  return nullptr;
}

void StreamGroup::subscribe_quotes(StreamReceiver& client, SymbolId symbol, const QuoteOptions& options,
                                   bool is_wildcard) {
  if (QuoteSubscription* const old = find_quotes(client, symbol)) {
    if (is_wildcard && !old->is_wildcard) return;  // what was asked for by name stays as it is
    remove_quotes(client, *old);
  }
  QuoteFeed& feed = activate_quotes(symbol);
  ++feed.subscribers;
  auto& subscription = *client.quotes.emplace_back(std::make_unique<QuoteSubscription>());
  subscription.client = &client;
  subscription.symbol = symbol;
  subscription.is_all = options.is_all;
  subscription.is_wildcard = is_wildcard;
  subscription.interval_ms = options.interval_ms;
  if (options.resume_after) {
    subscription.wants_snapshot = false;
    subscription.is_catching_up = true;
    subscription.position = subscription.last_sent = *options.resume_after;
  } else {
    subscription.is_unrecovered = options.is_unrecovered;
    // Who has waited for a symbol gets it from its first quote on.
    const bool is_from_first = symbol == new_symbol_ && options.is_all;
    subscription.position = is_from_first ? 0 : std::max(feed.latest_seq, feed.covered_after);
    if (!is_from_first && subscription.is_all && feed.latest_seq != 0 && feed.covered_after > feed.latest_seq &&
        feed.covered_after - feed.latest_seq <= kMaxLateBefore) {
      subscription.position = feed.latest_seq;  // late quotes that came after the latest one are sent behind it
      subscription.is_catching_up = true;
    }
    subscription.starts_empty = is_from_first || (subscription.position == 0 && feed.live.empty());
  }
  if (feed.latest_seq == 0 && !subscription.is_catching_up) {
    make_idle(feed, subscription);
  } else {
    make_ready(subscription);
  }
}

void StreamGroup::drop(QuoteSubscription& subscription) {
  QuoteFeed* const feed = quote_feed(subscription.symbol);
  switch (subscription.state) {
    case SubscriptionState::kIdle:
      remove_from(feed->idle, subscription);
      break;
    case SubscriptionState::kInterval:
      remove_from(lanes_[subscription.interval_ms].waiting, subscription);
      break;
    case SubscriptionState::kReady:
      break;  // the client's list is the caller's
    case SubscriptionState::kReading:
      wants_backlog_.erase(std::remove(wants_backlog_.begin(), wants_backlog_.end(), &subscription),
                           wants_backlog_.end());
      break;
  }
  if (subscription.backlog) --backlogs_;
  if (--feed->subscribers != 0) return;
  quotes_[subscription.symbol.value].reset();
  hub_.interest().lower(subscription.symbol, Interest::kQuotes);
}

void StreamGroup::remove_quotes(StreamReceiver& client, QuoteSubscription& subscription) {
  remove_value(client.ready_quotes, &subscription);
  drop(subscription);
  const auto at = std::find_if(client.quotes.begin(), client.quotes.end(),
                               [&](const auto& one) { return one.get() == &subscription; });
  std::swap(*at, client.quotes.back());
  client.quotes.pop_back();
}

bool StreamGroup::unsubscribe_quotes(StreamReceiver& client, SymbolId symbol) {
  QuoteSubscription* const subscription = find_quotes(client, symbol);
  if (subscription == nullptr || subscription->is_wildcard) return false;
  if (client.all_quotes) {
    subscription->is_wildcard = true;  // `*` still covers it
  } else {
    remove_quotes(client, *subscription);
  }
  return true;
}

void StreamGroup::subscribe_all_quotes(StreamReceiver& client, const QuoteOptions& options) {
  if (!client.all_quotes) {
    ++wildcards_;
    hub_.interest().raise_new();
  }
  client.all_quotes = options;
  client.all_quotes->resume_after.reset();
  for (std::uint32_t i = 0; i < parts().symbols.size(); ++i) {
    subscribe_quotes(client, SymbolId{i}, *client.all_quotes, true);
  }
}

bool StreamGroup::unsubscribe_all_quotes(StreamReceiver& client) {
  if (!client.all_quotes) return false;
  client.all_quotes.reset();
  --wildcards_;
  hub_.interest().lower_new();
  for (std::size_t i = client.quotes.size(); i > 0; --i) {
    if (client.quotes[i - 1]->is_wildcard) remove_quotes(client, *client.quotes[i - 1]);
  }
  return true;
}

}  // namespace tickpipe::internal
