#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "model/ids.h"

namespace tickpipe::internal {

/// Who wants what of a symbol, so that the thread that commits passes on nothing that nobody wants.
///
/// Threads: any. Whoever raises a count and then reads the market view misses nothing: a batch that was not passed on
/// for want of interest was in the view before its interest was looked at, so it is in what is read.
class Interest {
 public:
  enum Kind : std::size_t { kQuotes, kBars, kKinds };

  Interest() = default;
  ~Interest() {
    for (auto& page : pages_) delete page.load();
  }
  Interest(const Interest&) = delete;
  Interest& operator=(const Interest&) = delete;

  void raise(SymbolId symbol, Kind kind) {
    total_.fetch_add(1);
    counter(symbol, kind)->fetch_add(1);
  }
  void lower(SymbolId symbol, Kind kind) {
    counter(symbol, kind)->fetch_sub(1);
    total_.fetch_sub(1);
  }
  [[nodiscard]] bool is_none() const noexcept { return total_.load() == 0; }
  [[nodiscard]] bool has(SymbolId symbol, Kind kind) const noexcept {
    const Page* page = pages_[symbol.value / kPageSize % kPages].load(std::memory_order_acquire);
    return page != nullptr && page->counts[symbol.value % kPageSize][kind].load() != 0;
  }

  /// Of symbols that have no quote yet.
  void raise_new() noexcept {
    total_.fetch_add(1);
    new_symbols_.fetch_add(1);
  }
  void lower_new() noexcept {
    new_symbols_.fetch_sub(1);
    total_.fetch_sub(1);
  }
  [[nodiscard]] bool has_new() const noexcept { return new_symbols_.load() != 0; }

 private:
  static constexpr std::size_t kPageSize = 1024;
  static constexpr std::size_t kPages = 2048;  // two million symbols, twice what may be configured
  struct Page {
    std::array<std::array<std::atomic<std::uint32_t>, kKinds>, kPageSize> counts{};
  };

  std::atomic<std::uint32_t>* counter(SymbolId symbol, Kind kind) {
    auto& slot = pages_[symbol.value / kPageSize % kPages];
    Page* page = slot.load(std::memory_order_acquire);
    if (page == nullptr) {
      auto fresh = std::make_unique<Page>();
      if (slot.compare_exchange_strong(page, fresh.get())) page = fresh.release();
    }
    return &page->counts[symbol.value % kPageSize][kind];
  }

  std::array<std::atomic<Page*>, kPages> pages_{};
  std::atomic<std::uint32_t> new_symbols_{0};
  std::atomic<std::uint64_t> total_{0};
};

}  // namespace tickpipe::internal
