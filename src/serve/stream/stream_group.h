#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/shared_histogram.h"
#include "model/market_data.h"
#include "serve/io_loop.h"
#include "serve/stream/catch_up.h"
#include "serve/stream/status_message.h"
#include "serve/stream/stream_inbox.h"
#include "serve/stream/stream_messages.h"
#include "serve/stream/stream_parts.h"
#include "serve/stream/stream_receiver.h"
#include "serve/stream/subscriptions.h"

namespace tickpipe::internal {

class StreamHub;

/// All streaming clients of one I/O thread: who wants what, what is there, and who is to be sent something next.
///
/// Place:   StreamHub (thread that commits) -> inbox -> [group] -> StreamReceiver -> socket or function.
/// How:     each symbol has one feed, with the newest quotes encoded once for everybody. A subscription that has sent
///          everything waits in the list of its feed; a new quote moves the whole list to the clients' lists, so a
///          quote costs nothing for clients that have something to send already. Clients take turns; while the others
///          have theirs, more comes together, and one system call carries it. So the time from flush to flush grows
///          with the load and is nothing without.
/// Bounds:  the log of quotes (kMaxLoggedTicks), 64 KiB of unsent bytes a client, the inbox. Who is slower than the log
///          reads the store.
/// Threads: all of it on the thread of its loop, but for post().
class StreamGroup : public std::enable_shared_from_this<StreamGroup> {
 public:
  StreamGroup(StreamHub& hub, std::shared_ptr<IoLoop> loop);
  ~StreamGroup();
  StreamGroup(const StreamGroup&) = delete;
  StreamGroup& operator=(const StreamGroup&) = delete;

  /// From any thread.
  void post(const std::shared_ptr<const StreamBatch>& batch);

  void add(const std::shared_ptr<StreamReceiver>& client);
  /// Ends all its subscriptions.
  void remove(StreamReceiver& client);
  /// Tells all clients that the server ends. Their connections close once they were told, or by close_all().
  void shut_down();
  void close_all();

  /// Subscribes, or changes the subscription of the same symbol.
  void subscribe_quotes(StreamReceiver& client, SymbolId symbol, const QuoteOptions& options, bool is_wildcard);
  void subscribe_bars(StreamReceiver& client, SymbolId symbol, std::uint32_t timeframe_index, bool is_wildcard);
  /// False if there is no such subscription.
  bool unsubscribe_quotes(StreamReceiver& client, SymbolId symbol);
  bool unsubscribe_bars(StreamReceiver& client, SymbolId symbol, std::uint32_t timeframe_index);
  /// For all symbols there are and will be.
  void subscribe_all_quotes(StreamReceiver& client, const QuoteOptions& options);
  void subscribe_all_bars(StreamReceiver& client, std::uint32_t timeframe_index);
  bool unsubscribe_all_quotes(StreamReceiver& client);
  bool unsubscribe_all_bars(StreamReceiver& client, std::uint32_t timeframe_index);
  /// The number of a symbol that has had a quote. Else nothing: StreamReceiver::on_symbol() tells when it has its
  /// first.
  std::optional<SymbolId> find_or_wait(StreamReceiver& client, const Name& symbol);
  void stop_waiting_for(StreamReceiver& client, std::string_view symbol);

  void unsubscribe_everything(StreamReceiver& client);

  /// The client has something to send and room for it.
  void enqueue(StreamReceiver& client);
  /// Appends what the client's ready subscriptions have, up to about `max_bytes`.
  void collect(StreamReceiver& client, std::string& out, std::size_t max_bytes);
  /// Bytes of closed bars that the client has not been sent.
  [[nodiscard]] std::size_t unsent_bar_bytes(const StreamReceiver& client) const;

  [[nodiscard]] const StreamParts& parts() const noexcept;
  [[nodiscard]] StreamHub& hub() noexcept { return hub_; }
  [[nodiscard]] bool is_shut_down() const noexcept { return is_shut_down_; }
  [[nodiscard]] const std::shared_ptr<IoLoop>& loop() const noexcept { return loop_; }
  [[nodiscard]] MessageEncoder& encoder() noexcept { return encoder_; }
  [[nodiscard]] std::vector<char>& scratch() noexcept { return scratch_; }
  [[nodiscard]] std::string& flush_buffer() noexcept { return flush_buffer_; }
  [[nodiscard]] std::size_t client_count() const noexcept { return clients_.size(); }
  [[nodiscard]] std::size_t inbox_depth() const { return inbox_.depth(); }
  /// What waits for the end of an interval is given out now.
  void end_all_intervals();
  /// Whether everybody was given what is committed.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] const SharedHistogram& latency() const noexcept { return latency_; }

 private:
  using SteadyClock = std::chrono::steady_clock;
  /// Waiting for the end of an interval of this length.
  struct Lane {
    std::vector<QuoteSubscription*> waiting;
    UnixNanos due;
  };

  struct Output {
    std::string& text;
    std::size_t end;
    [[nodiscard]] bool is_full() const noexcept { return text.size() >= end; }
  };
  /// Backlogs in memory at once; the clients that want further ones wait. Each is up to 640 kB.
  static constexpr std::size_t kMaxBacklogs = 64;

  void run();
  void continue_later();
  bool take_inbox();
  void take(const std::shared_ptr<const StreamBatch>& batch);
  void take_ticks(const std::shared_ptr<const StreamBatch>& batch);
  void take_bars(const StreamBatch& batch);
  void take_new_symbols(const StreamBatch& batch);
  void take_new_symbol(SymbolId symbol);
  void catch_up_with_view();
  void trim_log();
  void each_second();
  void publish_status(SteadyClock::time_point now);

  [[nodiscard]] QuoteFeed* quote_feed(SymbolId symbol) const;
  [[nodiscard]] static QuoteSubscription* find_quotes(const StreamReceiver& client, SymbolId symbol);
  QuoteFeed& activate_quotes(SymbolId symbol);
  /// Takes it out of every list but its client's.
  void drop(QuoteSubscription& subscription);
  void remove_quotes(StreamReceiver& client, QuoteSubscription& subscription);
  void wake(QuoteFeed& feed);
  void make_ready(QuoteSubscription& subscription);
  static void make_idle(QuoteFeed& feed, QuoteSubscription& subscription);
  void wait_for_interval(QuoteSubscription& subscription);
  void end_intervals();
  void arm_timer();
  bool refresh_latest(QuoteFeed& feed, SymbolId symbol);
  void read_missed_of(QuoteSubscription& subscription);
  void take_missed(StreamReceiver& client, SymbolId symbol, std::uint64_t number, CatchUp&& missed, bool has_failed);
  bool collect_quotes(StreamReceiver& client, QuoteSubscription& subscription, const Output& output);
  bool collect_backlog(StreamReceiver& client, QuoteSubscription& subscription, const Output& output);
  bool collect_live(StreamReceiver& client, QuoteSubscription& subscription, const QuoteFeed& feed,
                    const Output& output);
  void append_quote(StreamReceiver& client, QuoteSubscription& subscription, const StreamBatch& batch,
                    std::uint32_t index, std::string& out);

  [[nodiscard]] BarFeed* bar_feed(SymbolId symbol, std::uint32_t timeframe_index) const;
  [[nodiscard]] static BarSubscription* find_bars(const StreamReceiver& client, SymbolId symbol,
                                                  std::uint32_t timeframe_index);
  BarFeed& activate_bars(SymbolId symbol, std::uint32_t timeframe_index);
  void drop(BarSubscription& subscription);
  void remove_bars(StreamReceiver& client, BarSubscription& subscription);
  void wake(BarFeed& feed);
  void make_ready(BarSubscription& subscription);
  void read_bar_snapshot(BarSubscription& subscription);
  void take_bar_snapshot(BarSubscription& subscription, std::vector<Bar>&& bars);
  bool collect_bars(StreamReceiver& client, BarSubscription& subscription, const Output& output);

  StreamHub& hub_;
  const std::shared_ptr<IoLoop> loop_;
  StreamInbox inbox_;
  MessageEncoder encoder_;
  std::vector<char> scratch_;
  std::string flush_buffer_;
  std::vector<std::shared_ptr<StreamReceiver>> clients_;
  std::vector<std::unique_ptr<QuoteFeed>> quotes_;           ///< by symbol
  std::vector<std::vector<std::unique_ptr<BarFeed>>> bars_;  ///< by symbol and timeframe
  std::deque<std::shared_ptr<const StreamBatch>> log_;       ///< what QuoteFeed::live points into
  std::size_t logged_ticks_ = 0;
  std::uint64_t bar_number_ = 0;
  std::map<std::uint32_t, Lane> lanes_;
  std::deque<StreamReceiver*> flush_queue_;
  std::unordered_map<std::string, std::vector<StreamReceiver*>> waiting_;  ///< by name of a symbol
  std::size_t wildcards_ = 0;
  std::optional<SymbolId> new_symbol_;  ///< whose first quotes are in the batch that is being taken
  std::uint64_t new_symbol_seq_ = 0;    ///< seq of its newest one there; 0: they were lost on the way
  std::size_t backlogs_ = 0;            ///< in memory
  std::uint64_t readings_ = 0;
  std::deque<QuoteSubscription*> wants_backlog_;
  bool is_running_ = false;
  bool is_scheduled_ = false;
  bool is_shut_down_ = false;
  HealthChanges health_;
  IoLoop::Timer timer_;
  IoLoop::Timer second_;
  SharedHistogram latency_;
  SteadyClock::time_point collected_at_;  ///< when the first quote of a flush was committed
};

}  // namespace tickpipe::internal
