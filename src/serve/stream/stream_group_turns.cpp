// How subscriptions of quotes in a StreamGroup are woken, at once or at the end of an interval.

#include <algorithm>
#include <utility>

#include "serve/stream/stream_group.h"
#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {

void StreamGroup::make_idle(QuoteFeed& feed, QuoteSubscription& subscription) {
  subscription.state = SubscriptionState::kIdle;
  subscription.place = feed.idle.size();
  feed.idle.push_back(&subscription);
}

void StreamGroup::make_ready(QuoteSubscription& subscription) {
  subscription.state = SubscriptionState::kReady;
  subscription.client->ready_quotes.push_back(&subscription);
  enqueue(*subscription.client);
}

void StreamGroup::wake(QuoteFeed& feed) {
  for (QuoteSubscription* const subscription : feed.idle) {
    if (subscription->interval_ms == 0) {
      make_ready(*subscription);
    } else {
      wait_for_interval(*subscription);
    }
  }
  feed.idle.clear();
}

void StreamGroup::wait_for_interval(QuoteSubscription& subscription) {
  Lane& lane = lanes_[subscription.interval_ms];
  subscription.state = SubscriptionState::kInterval;
  subscription.place = lane.waiting.size();
  lane.waiting.push_back(&subscription);
  if (lane.waiting.size() != 1) return;
  const std::int64_t interval_ns = std::int64_t{1'000'000} * subscription.interval_ms;
  lane.due = UnixNanos{(parts().clock.now().ns / interval_ns + 1) * interval_ns};
  arm_timer();
}

void StreamGroup::arm_timer() {
  UnixNanos first = kEndOfTime;
  for (const auto& [interval, lane] : lanes_) {
    if (!lane.waiting.empty()) first = std::min(first, lane.due);
  }
  if (first == kEndOfTime) return;
  timer_.start(SteadyClock::now() + (first - parts().clock.now()), [this] { end_intervals(); });
}

void StreamGroup::end_all_intervals() {
  for (const auto& [interval, lane] : std::exchange(lanes_, {})) {
    for (QuoteSubscription* const subscription : lane.waiting) make_ready(*subscription);
  }
}

void StreamGroup::end_intervals() {
  const UnixNanos now = parts().clock.now();
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    Lane& lane = it->second;
    const auto interval = std::chrono::milliseconds{it->first};
    if (lane.due <= now || lane.due - now > interval) {  // or the clock was set back
      for (QuoteSubscription* const subscription : lane.waiting) make_ready(*subscription);
      lane.waiting.clear();
    }
    it = lane.waiting.empty() ? lanes_.erase(it) : std::next(it);
  }
  arm_timer();
}

}  // namespace tickpipe::internal
