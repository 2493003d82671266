#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "model/bar.h"
#include "model/ids.h"
#include "model/tick.h"
#include "serve/stream/stream_batch.h"

namespace tickpipe::internal {

class StreamReceiver;

/// Where a subscription is. It is in exactly one list, or in none while something is read for it.
enum class SubscriptionState : std::uint8_t {
  kIdle,      ///< has sent everything; in the list of its feed, which wakes it
  kInterval,  ///< has something to send at the end of its interval; in a lane of the group
  kReady,     ///< has something to send; in the list of its client
  kReading,   ///< what it needs is being read
};

/// Quotes of one symbol to one client.
struct QuoteSubscription {
  StreamReceiver* client = nullptr;
  SymbolId symbol;
  SubscriptionState state = SubscriptionState::kReading;
  bool is_all = false;          ///< every live quote; else the newest one
  bool is_wildcard = false;     ///< came with `*`
  bool wants_snapshot = true;   ///< the next one is the state, whatever was before
  bool starts_empty = false;    ///< there was no quote yet: the first one is what it starts with
  bool is_unrecovered = false;  ///< that state takes the place of what was missed
  bool is_catching_up = false;  ///< sends all until it has what was missed
  std::uint32_t interval_ms = 0;
  std::size_t place = 0;        ///< in the list of its feed or lane
  std::uint64_t position = 0;   ///< everything up to this seq is done
  std::uint64_t last_sent = 0;  ///< seq
  std::uint64_t reading = 0;    ///< number of what is being read for it
  /// Read from the store and not yet sent.
  struct Backlog {
    std::vector<Tick> ticks;
    std::size_t next = 0;
    std::uint64_t through = 0;
  };
  std::unique_ptr<Backlog> backlog;
};

/// Bars of one symbol and timeframe to one client.
struct BarSubscription {
  StreamReceiver* client = nullptr;
  SymbolId symbol;
  std::uint32_t timeframe_index = 0;
  SubscriptionState state = SubscriptionState::kReading;
  bool is_wildcard = false;
  std::size_t place = 0;
  std::uint64_t position = 0;      ///< number of the last closed bar that was sent
  std::uint64_t open_version = 0;  ///< of the open bars as they were sent
  std::uint64_t reading = 0;       ///< number of what is being read for it
  std::vector<Bar> snapshot;       ///< to be sent first: the last closed bar and the open ones
  UnixNanos snapshot_open_time;    ///< of the closed bar in it, with its revision: not to be sent again
  std::uint32_t snapshot_revision = 0;
};

/// The live quotes of one symbol, for the clients of one group.
struct QuoteFeed {
  struct Place {
    const StreamBatch* batch = nullptr;  ///< in the log of the group
    std::uint32_t index = 0;
    std::uint64_t seq = 0;
  };
  std::uint64_t covered_after = 0;  ///< every live quote with a greater seq is in `live`
  std::deque<Place> live;
  std::shared_ptr<const StreamBatch> latest_batch;  ///< null: latest_seq is known, the quote is to be looked up
  std::uint32_t latest_index = 0;
  std::uint64_t latest_seq = 0;  ///< 0: none yet
  std::vector<QuoteSubscription*> idle;
  std::size_t subscribers = 0;
};

/// The bars of one symbol and timeframe, for the clients of one group.
struct BarFeed {
  struct Closed {
    std::uint64_t number = 0;
    Bar bar;
    std::string messages[2];  ///< by StreamFormat, empty until someone needs it
  };
  SymbolId symbol;
  std::uint32_t timeframe_index = 0;
  std::deque<Closed> closed;         ///< that some client has not been sent yet
  std::uint64_t newest_number = 0;   ///< of closed bars
  std::uint64_t dropped_number = 0;  ///< up to here they are not kept any more
  std::uint64_t open_version = 1;    ///< grows with each change of an open bar
  std::uint64_t encoded_version[2] = {0, 0};
  std::string open_messages[2];  ///< as of encoded_version
  std::vector<BarSubscription*> idle;
  std::size_t subscribers = 0;
};

}  // namespace tickpipe::internal
