// What a StreamGroup sends of quotes, and how it reads what a client has missed.

#include <algorithm>
#include <exception>
#include <utility>

#include "core/error.h"
#include "serve/stream/stream_group.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

/// What is to be said with the quote `seq`, which is sent next.
MessageExtras next_extras(QuoteSubscription& subscription, std::uint64_t seq) {
  MessageExtras extras;
  extras.is_snapshot = std::exchange(subscription.wants_snapshot, false);
  extras.is_unrecovered = std::exchange(subscription.is_unrecovered, false);
  if (!extras.is_snapshot) extras.skipped = seq - subscription.last_sent - 1;
  subscription.last_sent = seq;
  return extras;
}

}  // namespace

void StreamGroup::collect(StreamReceiver& client, std::string& out, std::size_t max_bytes) {
  collected_at_ = {};
  const std::size_t start = out.size();
  const auto collect_from = [&](auto& ready, auto collect_one) {
    std::size_t done = 0;
    while (done < ready.size() && out.size() - start < max_bytes && collect_one(*ready[done])) ++done;
    ready.erase(ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(done));
  };
  Output output{out, start + max_bytes};
  collect_from(client.ready_bars, [&](BarSubscription& one) { return collect_bars(client, one, output); });
  collect_from(client.ready_quotes, [&](QuoteSubscription& one) { return collect_quotes(client, one, output); });
  if (collected_at_ != SteadyClock::time_point{}) latency_.record(SteadyClock::now() - collected_at_);
}

/// Returns false while more is to be sent when there is room.
bool StreamGroup::collect_quotes(StreamReceiver& client, QuoteSubscription& subscription, const Output& output) {
  QuoteFeed& feed = *quote_feed(subscription.symbol);
  if (subscription.backlog && !collect_backlog(client, subscription, output)) return false;
  const bool from_first = subscription.is_all && subscription.starts_empty;
  // After a gap the client may have the latest quote already: then the next one says so.
  if (subscription.wants_snapshot && !from_first && feed.latest_seq > subscription.last_sent &&
      refresh_latest(feed, subscription.symbol)) {
    append_quote(client, subscription, *feed.latest_batch, feed.latest_index, output.text);
    subscription.position = std::max(subscription.position, feed.latest_seq);
  }
  if (subscription.is_catching_up || (subscription.is_all && (!subscription.wants_snapshot || from_first))) {
    if (subscription.position < feed.covered_after) {
      read_missed_of(subscription);
      return true;
    }
    if (!collect_live(client, subscription, feed, output)) return false;
    subscription.is_catching_up = false;
  }
  if (!subscription.is_all && feed.latest_seq > subscription.last_sent && refresh_latest(feed, subscription.symbol)) {
    append_quote(client, subscription, *feed.latest_batch, feed.latest_index, output.text);
    subscription.position = std::max(subscription.position, feed.latest_seq);
  }
  make_idle(feed, subscription);
  return true;
}

bool StreamGroup::collect_live(StreamReceiver& client, QuoteSubscription& subscription, const QuoteFeed& feed,
                               const Output& output) {
  auto place = std::upper_bound(feed.live.begin(), feed.live.end(), subscription.position,
                                [](std::uint64_t seq, const QuoteFeed::Place& one) { return seq < one.seq; });
  for (; place != feed.live.end(); ++place) {
    if (output.is_full()) return false;
    append_quote(client, subscription, *place->batch, place->index, output.text);
    subscription.position = place->seq;
  }
  return true;
}

bool StreamGroup::collect_backlog(StreamReceiver& client, QuoteSubscription& subscription, const Output& output) {
  QuoteSubscription::Backlog& backlog = *subscription.backlog;
  std::string message;
  for (; backlog.next < backlog.ticks.size(); ++backlog.next) {
    if (output.is_full()) return false;
    const Tick& tick = backlog.ticks[backlog.next];
    message.clear();
    if (client.message_format()) encoder_.missed_tick(tick, *client.message_format(), message);
    const MessageExtras extras = next_extras(subscription, tick.seq);
    subscription.position = tick.seq;
    client.take_quote(output.text, tick, message, extras, subscription);
    hub_.count_sent(1);
  }
  subscription.position = std::max(subscription.position, backlog.through);
  subscription.backlog.reset();
  --backlogs_;
  return true;
}

void StreamGroup::append_quote(StreamReceiver& client, QuoteSubscription& subscription, const StreamBatch& batch,
                               std::uint32_t index, std::string& out) {
  const Tick& tick = batch.ticks[index].tick;
  const MessageExtras extras = next_extras(subscription, tick.seq);
  std::string_view message;
  if (client.message_format()) message = encoder_.ticks_of(batch, *client.message_format())[index];
  client.take_quote(out, tick, message, extras, subscription);
  hub_.count_sent(1);
  if (collected_at_ == SteadyClock::time_point{}) collected_at_ = batch.committed_at;
}

/// Sees to it that the latest quote is at hand. False if there is none after all.
bool StreamGroup::refresh_latest(QuoteFeed& feed, SymbolId symbol) {
  if (feed.latest_batch) return true;
  const Tick latest = parts().market.snapshot(symbol).latest;
  if (latest.seq == 0) return false;
  auto batch = std::make_shared<StreamBatch>();
  batch->ticks.push_back({.tick = latest, .is_live = false, .is_latest = true});
  feed.latest_batch = std::move(batch);
  feed.latest_index = 0;
  feed.latest_seq = latest.seq;
  return true;
}

void StreamGroup::read_missed_of(QuoteSubscription& subscription) {
  subscription.state = SubscriptionState::kReading;
  if (backlogs_ >= kMaxBacklogs) {
    wants_backlog_.push_back(&subscription);
    return;
  }
  subscription.reading = ++readings_;
  try {
    parts().run_in_background([group = weak_from_this(), client = subscription.client->weak_from_this(),
                               symbol = subscription.symbol, after = subscription.position, number = readings_,
                               age = hub_.live_tick_age(), &market = parts().market, loop = loop_] {
      CatchUp missed;
      bool has_failed = false;
      try {
        missed = read_missed(market, symbol, after, age);
      } catch (const Error&) {
        has_failed = true;
      }
      loop->post([group, client, symbol, number, has_failed, missed = std::move(missed)]() mutable {
        const auto to = client.lock();
        const auto self = group.lock();
        if (to && self) self->take_missed(*to, symbol, number, std::move(missed), has_failed);
      });
    });
  } catch (const std::exception&) {  // too much waits already
    wants_backlog_.push_back(&subscription);
  }
}

void StreamGroup::take_missed(StreamReceiver& client, SymbolId symbol, std::uint64_t number, CatchUp&& missed,
                              bool has_failed) {
  QuoteSubscription* const subscription = find_quotes(client, symbol);
  if (subscription == nullptr || subscription->state != SubscriptionState::kReading ||
      subscription->reading != number) {
    return;
  }
  if (has_failed) {
    wants_backlog_.push_back(subscription);  // the store may work again in a second
    return;
  }
  if (missed.is_complete) {
    ++backlogs_;
    subscription->backlog = std::make_unique<QuoteSubscription::Backlog>();
    subscription->backlog->ticks = std::move(missed.ticks);
    subscription->backlog->through = missed.through;
  } else if (subscription->is_catching_up || client.bears_gaps()) {
    const QuoteFeed& feed = *quote_feed(symbol);
    subscription->is_catching_up = subscription->starts_empty = false;
    subscription->wants_snapshot = subscription->is_unrecovered = true;
    subscription->position = std::max(feed.covered_after, feed.latest_seq);
  } else {
    client.end_as_too_slow("more quotes are missing than are sent again");
    return;
  }
  make_ready(*subscription);
}

}  // namespace tickpipe::internal
