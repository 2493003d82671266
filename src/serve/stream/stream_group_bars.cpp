// What a StreamGroup does with bars.

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.h"
#include "serve/stream/stream_group.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// Closed bars of one feed that are kept for slow clients.
constexpr std::size_t kMaxClosedBars = 16'384;
/// About what a message of a bar takes.
constexpr std::size_t kBarMessageBytes = 256;

}  // namespace

BarFeed* StreamGroup::bar_feed(SymbolId symbol, std::uint32_t timeframe_index) const {
  return symbol.value < bars_.size() && timeframe_index < bars_[symbol.value].size()
             ? bars_[symbol.value][timeframe_index].get()
             : nullptr;
}

BarSubscription* StreamGroup::find_bars(const StreamReceiver& client, SymbolId symbol, std::uint32_t timeframe_index) {
  for (const auto& subscription : client.bars) {
    if (subscription->symbol == symbol && subscription->timeframe_index == timeframe_index) return subscription.get();
  }
  return nullptr;
}

BarFeed& StreamGroup::activate_bars(SymbolId symbol, std::uint32_t timeframe_index) {
  if (BarFeed* const feed = bar_feed(symbol, timeframe_index)) return *feed;
  hub_.interest().raise(symbol, Interest::kBars);
  if (symbol.value >= bars_.size()) bars_.resize(symbol.value + std::size_t{1});
  auto& of_symbol = bars_[symbol.value];
  if (of_symbol.empty()) of_symbol.resize(parts().market.timeframes().size());
  BarFeed& feed = *(of_symbol[timeframe_index] = std::make_unique<BarFeed>());
  feed.symbol = symbol;
  feed.timeframe_index = timeframe_index;
  feed.newest_number = feed.dropped_number = bar_number_;
  return feed;
}

void StreamGroup::take_bars(const StreamBatch& batch) {
  for (const BarEvent& event : batch.bars) {
    BarFeed* const feed = bar_feed(event.symbol, event.timeframe_index);
    if (feed == nullptr) continue;
    feed->closed.push_back({.number = ++bar_number_, .bar = event.bar, .messages = {}});
    feed->newest_number = bar_number_;
    ++feed->open_version;
    if (feed->closed.size() > kMaxClosedBars) {
      feed->dropped_number = feed->closed.front().number;
      feed->closed.pop_front();
    }
    wake(*feed);
  }
  for (const SymbolId symbol : batch.changed_bars) {
    if (symbol.value >= bars_.size()) continue;
    for (const auto& feed : bars_[symbol.value]) {
      if (!feed) continue;
      ++feed->open_version;
      wake(*feed);
    }
  }
}

void StreamGroup::wake(BarFeed& feed) {
  for (BarSubscription* const subscription : feed.idle) make_ready(*subscription);
  feed.idle.clear();
}

void StreamGroup::make_ready(BarSubscription& subscription) {
  subscription.state = SubscriptionState::kReady;
  subscription.client->ready_bars.push_back(&subscription);
  enqueue(*subscription.client);
}

void StreamGroup::subscribe_bars(StreamReceiver& client, SymbolId symbol, std::uint32_t timeframe_index,
                                 bool is_wildcard) {
  if (BarSubscription* const old = find_bars(client, symbol, timeframe_index)) {
    if (is_wildcard && !old->is_wildcard) return;
    remove_bars(client, *old);
  }
  BarFeed& feed = activate_bars(symbol, timeframe_index);
  ++feed.subscribers;
  auto& subscription = *client.bars.emplace_back(std::make_unique<BarSubscription>());
  subscription.client = &client;
  subscription.symbol = symbol;
  subscription.timeframe_index = timeframe_index;
  subscription.is_wildcard = is_wildcard;
  subscription.position = feed.newest_number;
  read_bar_snapshot(subscription);
}

void StreamGroup::drop(BarSubscription& subscription) {
  BarFeed& feed = *bar_feed(subscription.symbol, subscription.timeframe_index);
  if (subscription.state == SubscriptionState::kIdle) {
    feed.idle.back()->place = subscription.place;
    feed.idle[subscription.place] = feed.idle.back();
    feed.idle.pop_back();
  }
  if (--feed.subscribers != 0) return;
  bars_[subscription.symbol.value][subscription.timeframe_index].reset();
  hub_.interest().lower(subscription.symbol, Interest::kBars);
}

void StreamGroup::remove_bars(StreamReceiver& client, BarSubscription& subscription) {
  auto& ready = client.ready_bars;
  ready.erase(std::remove(ready.begin(), ready.end(), &subscription), ready.end());
  drop(subscription);
  const auto at =
      std::find_if(client.bars.begin(), client.bars.end(), [&](const auto& one) { return one.get() == &subscription; });
  std::swap(*at, client.bars.back());
  client.bars.pop_back();
}

bool StreamGroup::unsubscribe_bars(StreamReceiver& client, SymbolId symbol, std::uint32_t timeframe_index) {
  BarSubscription* const subscription = find_bars(client, symbol, timeframe_index);
  if (subscription == nullptr || subscription->is_wildcard) return false;
  const auto& all = client.all_bars;
  if (std::find(all.begin(), all.end(), timeframe_index) != all.end()) {
    subscription->is_wildcard = true;
  } else {
    remove_bars(client, *subscription);
  }
  return true;
}

void StreamGroup::subscribe_all_bars(StreamReceiver& client, std::uint32_t timeframe_index) {
  if (std::find(client.all_bars.begin(), client.all_bars.end(), timeframe_index) == client.all_bars.end()) {
    client.all_bars.push_back(timeframe_index);
    ++wildcards_;
    hub_.interest().raise_new();
  }
  for (std::uint32_t i = 0; i < parts().symbols.size(); ++i) {
    subscribe_bars(client, SymbolId{i}, timeframe_index, true);
  }
}

bool StreamGroup::unsubscribe_all_bars(StreamReceiver& client, std::uint32_t timeframe_index) {
  const auto at = std::find(client.all_bars.begin(), client.all_bars.end(), timeframe_index);
  if (at == client.all_bars.end()) return false;
  client.all_bars.erase(at);
  --wildcards_;
  hub_.interest().lower_new();
  for (std::size_t i = client.bars.size(); i > 0; --i) {
    BarSubscription& one = *client.bars[i - 1];
    if (one.is_wildcard && one.timeframe_index == timeframe_index) remove_bars(client, one);
  }
  return true;
}

// --- what is sent first ---------------------------------------------------------------------------------------------

namespace {

/// The last closed bar and the open ones. The closed one is read first: one that closes meanwhile is then in neither,
/// and comes as an event.
std::vector<Bar> read_snapshot(const MarketData& market, const BarQuery& query) {
  std::vector<Bar> bars = market.bars(query);
  const std::vector<Bar> open = market.open_bars(query.symbol, query.timeframe);
  bars.insert(bars.end(), open.begin(), open.end());
  return bars;
}

}  // namespace

void StreamGroup::read_bar_snapshot(BarSubscription& subscription) {
  subscription.state = SubscriptionState::kReading;
  subscription.reading = ++readings_;
  BarQuery query;
  query.symbol = subscription.symbol;
  query.timeframe = parts().market.timeframes()[subscription.timeframe_index];
  query.limit = 1;
  query.closed_only = true;
  if (parts().market.bars_in_memory(query)) {
    take_bar_snapshot(subscription, read_snapshot(parts().market, query));
    return;
  }
  try {
    parts().run_in_background([group = weak_from_this(), client = subscription.client->weak_from_this(), query,
                               index = subscription.timeframe_index, number = readings_, &market = parts().market,
                               loop = loop_] {
      std::optional<std::vector<Bar>> bars;
      try {
        bars = read_snapshot(market, query);
      } catch (const Error&) {  // tried again
      }
      loop->post([group, client, query, index, number, bars = std::move(bars)]() mutable {
        const auto to = client.lock();
        const auto self = group.lock();
        if (!to || !self) return;
        BarSubscription* const reading = find_bars(*to, query.symbol, index);
        if (reading == nullptr || reading->state != SubscriptionState::kReading || reading->reading != number) return;
        if (bars) {
          self->take_bar_snapshot(*reading, std::move(*bars));
        } else {
          to->end_as_failed("the store cannot be read");
        }
      });
    });
  } catch (const std::exception&) {
    subscription.client->end_as_failed("too much is being read at the moment");
  }
}

void StreamGroup::take_bar_snapshot(BarSubscription& subscription, std::vector<Bar>&& bars) {
  if (!bars.empty() && bars.front().is_closed) {
    subscription.snapshot_open_time = bars.front().open_time;
    subscription.snapshot_revision = bars.front().revision;
  }
  subscription.snapshot = std::move(bars);
  subscription.open_version = bar_feed(subscription.symbol, subscription.timeframe_index)->open_version;
  make_ready(subscription);
}

// --- what is sent ---------------------------------------------------------------------------------------------------

bool StreamGroup::collect_bars(StreamReceiver& client, BarSubscription& subscription, const Output& output) {
  BarFeed& feed = *bar_feed(subscription.symbol, subscription.timeframe_index);
  const StreamFormat format = client.message_format().value();
  const auto form = static_cast<std::size_t>(format);
  if (!subscription.snapshot.empty()) {
    MessageExtras first;
    first.is_snapshot = true;
    for (const Bar& bar : std::exchange(subscription.snapshot, {})) {
      std::string message;
      encoder_.bar(feed.symbol, feed.timeframe_index, bar, format, message);
      append_with_extras(output.text, message, format, first);
    }
  }
  if (subscription.position < feed.dropped_number) {
    client.end_as_too_slow("more closed bars are unsent than are kept");
    return false;
  }
  auto next = std::upper_bound(feed.closed.begin(), feed.closed.end(), subscription.position,
                               [](std::uint64_t number, const BarFeed::Closed& one) { return number < one.number; });
  for (; next != feed.closed.end(); ++next) {
    if (output.is_full()) return false;
    subscription.position = next->number;
    const Bar& bar = next->bar;
    if (bar.open_time == subscription.snapshot_open_time && bar.revision <= subscription.snapshot_revision) continue;
    std::string& message = next->messages[form];
    if (message.empty()) encoder_.bar(feed.symbol, feed.timeframe_index, bar, format, message);
    output.text.append(message);
    hub_.count_sent(1);
  }
  if (subscription.open_version != feed.open_version) {
    if (feed.encoded_version[form] != feed.open_version) {
      feed.open_messages[form].clear();
      const Timeframe timeframe = parts().market.timeframes()[feed.timeframe_index];
      for (const Bar& bar : parts().market.open_bars(feed.symbol, timeframe)) {
        encoder_.bar(feed.symbol, feed.timeframe_index, bar, format, feed.open_messages[form]);
      }
      feed.encoded_version[form] = feed.open_version;
    }
    output.text.append(feed.open_messages[form]);
    subscription.open_version = feed.open_version;
    hub_.count_sent(1);
  }
  subscription.state = SubscriptionState::kIdle;
  subscription.place = feed.idle.size();
  feed.idle.push_back(&subscription);
  if (feed.idle.size() == feed.subscribers) feed.closed.clear();
  return true;
}

std::size_t StreamGroup::unsent_bar_bytes(const StreamReceiver& client) const {
  std::size_t bars = 0;
  for (const BarSubscription* const one : client.ready_bars) {
    for (const BarFeed::Closed& closed : bar_feed(one->symbol, one->timeframe_index)->closed) {
      if (closed.number > one->position) ++bars;
    }
  }
  return bars * kBarMessageBytes;
}

}  // namespace tickpipe::internal
