#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/doorbell.h"
#include "model/event_batch.h"

namespace tickpipe::internal {

/// Hands batches from one shard to the committer, one at a time.
///
/// The shard fills current(); when the committer has taken the batch before, it hands this one over and goes on with a
/// fresh one. While the committer is busy the shard keeps filling the same batch. So a batch is whatever arrived while
/// the previous one was being written: one tick in a quiet system, thousands in a busy one, and no timer decides.
/// Three batches circulate and keep their memory: one being filled, one handed over, one being written.
class BatchLane {
 public:
  explicit BatchLane(std::uint32_t shard) {
    for (EventBatch& batch : batches_) batch.shard = shard;
    current().number = 1;
  }

  // Shard side, one thread.
  [[nodiscard]] EventBatch& current() noexcept { return batches_[filling_ % kBatches]; }
  [[nodiscard]] bool can_hand_over() const noexcept { return handed_over_ == taken_.load(std::memory_order_seq_cst); }
  /// Requires can_hand_over(). Everything in current() must be consistent at this point.
  void hand_over(Doorbell& committer) noexcept {
    handed_.store(++handed_over_, std::memory_order_release);
    EventBatch& next = batches_[++filling_ % kBatches];
    next.clear();
    next.number = handed_over_ + 1;
    committer.ring();
  }
  /// Says whether the shard is about to sleep until it can hand over: only then take() wakes it. To be followed by
  /// another look at can_hand_over().
  void set_waiting(bool is_waiting) noexcept { is_waiting_.store(is_waiting, std::memory_order_seq_cst); }
  /// Number of the newest batch whose commit has ended; its ticks can be found in the store.
  [[nodiscard]] std::uint64_t committed() const noexcept { return committed_.load(std::memory_order_acquire); }

  // Committer side, one thread.
  [[nodiscard]] bool has_batch() const noexcept {
    return handed_.load(std::memory_order_acquire) != taken_.load(std::memory_order_relaxed);
  }
  /// The batch that was handed over, or null. It stays untouched until done().
  EventBatch* take(Doorbell& shard) noexcept {
    if (!has_batch()) return nullptr;
    const std::uint64_t number = taken_.load(std::memory_order_relaxed) + 1;
    // Either the shard sees that the batch was taken, or this side sees that the shard waits for it.
    taken_.store(number, std::memory_order_seq_cst);
    if (is_waiting_.load(std::memory_order_seq_cst)) shard.ring();
    return &batches_[(number - 1) % kBatches];
  }
  void done(const EventBatch& batch) noexcept { committed_.store(batch.number, std::memory_order_release); }

 private:
  static constexpr std::size_t kBatches = 3;
  std::array<EventBatch, kBatches> batches_;
  std::uint64_t filling_ = 0;
  std::uint64_t handed_over_ = 0;
  alignas(64) std::atomic<std::uint64_t> handed_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> committed_{0};
  std::atomic<bool> is_waiting_{false};
};

}  // namespace tickpipe::internal
