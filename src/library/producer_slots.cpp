#include "library/producer_slots.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace tickpipe::internal {

/// What a thread knows of its slots. Entries keep their slots alive, so an address means the same as long as it is
/// here. Of a pipeline that has ended it is dropped when the thread first meets another one.
struct ThreadCache {
  struct Entry {
    std::shared_ptr<ProducerSlots> slots;
    ProducerSlot* slot;
  };
  std::vector<Entry> entries;
  ~ThreadCache();
};

namespace {

struct LastUsed {
  const ProducerSlots* slots = nullptr;
  ProducerSlot* slot = nullptr;
};
// Apart from the cache, as it needs no destructor: reading it costs no check whether it was made yet.
thread_local constinit LastUsed t_last{};
thread_local constinit bool t_has_ended = false;
thread_local ThreadCache t_cache;

}  // namespace

ThreadCache::~ThreadCache() {
  t_has_ended = true;  // destructors of other thread-local objects may still hand quotes over
  t_last = {};
  for (const Entry& entry : entries) entry.slots->release(*entry.slot);
}

void ProducerSlots::close() {
  is_open_.store(false, std::memory_order_seq_cst);
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (ProducerSlot& slot : slots_) {
    // Either the use saw that it is closed, or it is seen here.
    while (slot.is_busy.load(std::memory_order_seq_cst)) std::this_thread::yield();
    slot.producer.reset();
  }
}

std::size_t ProducerSlots::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

ProducerSlot* ProducerSlots::acquire() {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return nullptr;
  if (free_.empty()) {
    ProducerSlot& slot = slots_.emplace_back();
    free_.reserve(slots_.size());  // so that release() allocates nothing
    // A quote of an engine always names its LP.
    slot.producer.emplace(intake_, Name{}, QuoteProducer::WhenFull::kDrop);
    return &slot;
  }
  ProducerSlot* const slot = free_.back();
  free_.pop_back();
  return slot;
}

void ProducerSlots::release(ProducerSlot& slot) {
  const std::lock_guard lock(mutex_);
  free_.push_back(&slot);
}

ProducerSlot* ProducerSlots::slot_of_this_thread() {
  if (t_last.slots == this) return t_last.slot;
  if (t_has_ended) return nullptr;
  auto& entries = t_cache.entries;
  auto it =
      std::find_if(entries.begin(), entries.end(), [this](const auto& entry) { return entry.slots.get() == this; });
  if (it == entries.end()) {
    t_last = {};
    std::erase_if(entries, [](const auto& entry) {
      const std::lock_guard lock(entry.slots->mutex_);
      return entry.slots->is_closed_;
    });
    entries.reserve(entries.size() + 1);
    ProducerSlot* const slot = acquire();
    if (slot == nullptr) return nullptr;
    it = entries.insert(entries.end(), {shared_from_this(), slot});
  }
  t_last = {this, it->slot};
  return it->slot;
}

ProducerSlots::Use::Use(ProducerSlots& slots) : slots_(slots) {
  if (!slots.is_open_.load(std::memory_order_relaxed)) return;
  slot_ = slots.slot_of_this_thread();
  if (slot_ == nullptr && t_has_ended) {
    slot_ = slots.acquire();
    is_borrowed_ = slot_ != nullptr;
  }
  if (slot_ == nullptr) return;
  slot_->is_busy.exchange(true, std::memory_order_seq_cst);
  if (slots.is_open_.load(std::memory_order_seq_cst)) producer_ = &*slot_->producer;
}

ProducerSlots::Use::~Use() {
  if (slot_ == nullptr) return;
  slot_->is_busy.store(false, std::memory_order_release);
  if (is_borrowed_) slots_.release(*slot_);
}

}  // namespace tickpipe::internal
