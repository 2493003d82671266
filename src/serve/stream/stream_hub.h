#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/random_id.h"
#include "core/shared_histogram.h"
#include "model/event_batch.h"
#include "serve/io_loop.h"
#include "serve/stream/interest.h"
#include "serve/stream/stream_messages.h"
#include "serve/stream/stream_parts.h"

namespace tickpipe::internal {

class StreamGroup;

/// Passes on what was committed to everyone who subscribed: from the thread that commits to the groups of clients, one
/// for each I/O thread.
///
/// Order:   it follows the commits after the market view, so that what a client reads there is never older than what it
///          was sent.
/// Threads: on_committed() on the thread that commits; group_of(), shut_down() and close_clients() on the thread of the
///          loop they name; the rest from any.
class StreamHub final : public BatchListener {
 public:
  struct Counters {
    std::uint64_t clients = 0;
    std::uint64_t messages = 0;        ///< sent to clients: quotes and bars
    std::uint64_t bytes = 0;           ///< sent to clients, framing included
    std::uint64_t encoded_ticks = 0;   ///< once for each message and format, whatever the number of clients
    std::uint64_t encoded_missed = 0;  ///< for one client that catches up
    std::uint64_t encoded_bars = 0;
    std::uint64_t encoded_status = 0;
    std::uint64_t lost_quotes = 0;  ///< times that a group fell behind and read the view instead
    std::uint64_t inbox_depth = 0;  ///< of the fullest group
    std::uint64_t inbox_capacity = 0;
  };

  explicit StreamHub(StreamParts parts);
  ~StreamHub() override;

  void on_committed(const EventBatch& batch, Position position) override;
  /// Passes on what the commit held as one, so that its quotes travel together.
  void on_commit_end() override;

  /// The group of a loop, made at first use. On the loop's thread.
  std::shared_ptr<StreamGroup> group_of(const std::shared_ptr<IoLoop>& loop);
  /// Tells the clients of a loop that the server ends. On the loop's thread.
  void shut_down(const IoLoop& loop);
  /// Closes what is left of them. On the loop's thread.
  void close_clients(const IoLoop& loop);
  /// The same for all loops, on their threads; a copy of `keeps` lives until that is done. Any thread.
  void shut_down_everywhere(const std::shared_ptr<void>& keeps);
  void close_everywhere(const std::shared_ptr<void>& keeps);

  [[nodiscard]] Counters counters() const;
  [[nodiscard]] LatencySummary latency() const;
  [[nodiscard]] std::chrono::nanoseconds live_tick_age() const noexcept {
    return std::chrono::nanoseconds{live_tick_age_ns_.load(std::memory_order_relaxed)};
  }
  void set_live_tick_age(std::chrono::nanoseconds age) noexcept {
    live_tick_age_ns_.store(age.count(), std::memory_order_relaxed);
  }

  // For the groups.
  [[nodiscard]] const StreamParts& parts() const noexcept { return parts_; }
  [[nodiscard]] Interest& interest() noexcept { return interest_; }
  [[nodiscard]] MessageEncoder::Counters& encoded() noexcept { return encoded_; }
  void count_sent(std::uint64_t messages) noexcept { messages_.fetch_add(messages, std::memory_order_relaxed); }
  void count_bytes(std::uint64_t bytes) noexcept { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  /// A name for a connection, for logs: no secret.
  [[nodiscard]] std::string next_session() { return session_prefix_ + std::to_string(++sessions_); }
  void count_lost() noexcept { lost_.fetch_add(1, std::memory_order_relaxed); }
  void count_client(int change) noexcept {
    clients_.fetch_add(static_cast<std::uint64_t>(change), std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] std::shared_ptr<StreamGroup> find_group(const IoLoop& loop) const;
  void add_ticks(const EventBatch& batch, StreamBatch& to);
  void add_latest(const EventBatch& batch, StreamBatch& to);
  void add_bars(const EventBatch& batch, StreamBatch& to) const;
  /// Notes the quote; whether it is the first of its symbol.
  bool is_new(const Tick& tick);

  const StreamParts parts_;
  Interest interest_;
  MessageEncoder::Counters encoded_;
  std::atomic<std::uint64_t> messages_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> clients_{0};
  std::atomic<std::uint64_t> sessions_{0};
  const std::string session_prefix_ = random_id() + "-";
  std::atomic<std::int64_t> live_tick_age_ns_;
  mutable std::mutex mutex_;  ///< guards the list of groups
  std::vector<std::shared_ptr<StreamGroup>> groups_;

  // Of the thread that commits.
  struct Known {
    std::uint64_t first_batch = 0;  ///< with its first quote; 0: none yet
    std::uint32_t newest = 0;       ///< index of its newest quote in the batch under way, if `batch` is that one
    std::uint64_t batch = 0;
  };
  std::shared_ptr<StreamBatch> under_way_;  ///< of this commit so far; null: nothing that anybody may want
  std::uint64_t batch_number_ = 0;
  std::vector<Known> known_;            ///< by symbol
  std::vector<std::uint32_t> earlier_;  ///< by index: of the quote of the same symbol before
};

}  // namespace tickpipe::internal
