#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ingest/intake.h"
#include "ingest/quote_producer.h"

namespace tickpipe::internal {

/// A producer that belongs to one thread at a time.
struct alignas(64) ProducerSlot {
  std::atomic<bool> is_busy{false};
  std::optional<QuoteProducer> producer;  ///< none once the slots are closed
};

/// A producer for each thread that hands quotes over, so that calls share nothing but the inboxes. A thread finds its
/// own through a cache in thread-local memory. When it ends, its producer goes to the next new thread, with all names
/// that it knows; so there are as many as there were threads at once.
///
/// Threads: any. Lifetime: caches hold it beyond close(), after which nothing of the intake is referred to.
class ProducerSlots : public std::enable_shared_from_this<ProducerSlots> {
 public:
  /// The intake outlives close().
  explicit ProducerSlots(Intake& intake) : intake_(intake) {}

  /// From now on slots may be used.
  void open() noexcept { is_open_.store(true, std::memory_order_seq_cst); }
  /// Waits for uses under way, which are short, and ends the producers. Later uses find nothing.
  void close();

  /// The calling thread's use of its slot, for one call.
  class Use {
   public:
    explicit Use(ProducerSlots& slots);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    /// Null before open() and after close().
    [[nodiscard]] QuoteProducer* producer() const noexcept { return producer_; }

   private:
    ProducerSlots& slots_;
    ProducerSlot* slot_ = nullptr;
    bool is_borrowed_ = false;  ///< the thread is ending and has no cache any more
    QuoteProducer* producer_ = nullptr;
  };

  /// Producers that there are. For tests.
  [[nodiscard]] std::size_t size() const;

 private:
  friend struct ThreadCache;
  ProducerSlot* slot_of_this_thread();
  ProducerSlot* acquire();
  void release(ProducerSlot& slot);

  Intake& intake_;
  std::atomic<bool> is_open_{false};
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::deque<ProducerSlot> slots_;
  std::vector<ProducerSlot*> free_;
};

}  // namespace tickpipe::internal
