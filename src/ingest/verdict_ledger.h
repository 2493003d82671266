#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "model/event_batch.h"
#include "model/reason.h"
#include "model/verdict_book.h"

namespace tickpipe::internal {

/// The fate of the quotes of one sender who waits for it.
///
/// Use: open one at the VerdictLedger, give sink() to a QuoteProducer, submit quotes and note each of them with
/// submitted(), then seal(). `on_complete` is called once, when every quote was refused or is committed, from whatever
/// thread that happens on (the sealing one, a shard's, the committer's), and must be quick.
class VerdictTicket {
 public:
  struct Refusal {
    std::uint32_t shard = 0;
    std::uint64_t index = 0;  ///< among the quotes of this ticket that went to the shard
    Reason reason{};
  };

  VerdictTicket(std::uint16_t sink, std::size_t shard_count, std::function<void()> on_complete)
      : sink_(sink), verdicts_(shard_count, 0), on_complete_(std::move(on_complete)) {}

  [[nodiscard]] std::uint16_t sink() const noexcept { return sink_; }

  /// Tells how many quotes the producer took; nothing is submitted after that.
  void seal(std::uint64_t submitted) noexcept { settle(kOpen - static_cast<std::int64_t>(submitted)); }

  [[nodiscard]] bool is_sealed() const noexcept { return remaining_.load(std::memory_order_acquire) <= kOpen / 2; }
  /// Quotes taken, whose fate is not final yet. Only after seal().
  [[nodiscard]] std::uint64_t outstanding() const noexcept {
    return static_cast<std::uint64_t>(remaining_.load(std::memory_order_acquire));
  }
  /// Refused by shards so far.
  [[nodiscard]] std::vector<Refusal> refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }

 private:
  friend class VerdictLedger;
  static constexpr std::int64_t kOpen = std::int64_t{1} << 62;

  void note_refusal(std::uint32_t shard, Reason reason) {
    const std::lock_guard lock(mutex_);
    refusals_.push_back({shard, verdicts_[shard], reason});
  }
  void settle(std::int64_t count) noexcept {
    if (remaining_.fetch_sub(count, std::memory_order_acq_rel) == count) on_complete_();
  }

  const std::uint16_t sink_;
  std::atomic<std::int64_t> remaining_{kOpen};
  std::vector<std::uint64_t> verdicts_;  ///< per shard, each touched by its thread only
  mutable std::mutex mutex_;
  std::vector<Refusal> refusals_;
  const std::function<void()> on_complete_;
};

/// Brings verdicts of shards and commits together, per ticket.
/// Threads: any; on_verdict() on the shards', on_committed() on the committer's.
class VerdictLedger final : public VerdictBook, public BatchListener {
 public:
  explicit VerdictLedger(std::size_t shard_count) : shards_(shard_count) {}

  /// Null when as many tickets are open as there are numbers for them.
  std::shared_ptr<VerdictTicket> open(std::function<void()> on_complete);
  /// Forgets a ticket that is complete, or whose producer will not send its quotes any more.
  void close(const VerdictTicket& ticket);

  void on_verdict(std::uint16_t sink, std::uint32_t shard, std::optional<Reason> refused,
                  std::uint64_t batch) noexcept override;
  void on_committed(const EventBatch& batch, Position position) override;

 private:
  struct Waiting {
    std::uint64_t batch = 0;
    std::shared_ptr<VerdictTicket> ticket;
    std::int64_t count = 0;
  };
  struct PerShard {
    std::mutex mutex;
    std::uint64_t committed = 0;
    std::deque<Waiting> waiting;  ///< ascending by batch
  };

  std::deque<PerShard> shards_;
  std::mutex mutex_;
  std::vector<std::uint16_t> free_;
  std::vector<std::shared_ptr<VerdictTicket>> tickets_;  ///< by sink; 0 is nobody's
};

}  // namespace tickpipe::internal
