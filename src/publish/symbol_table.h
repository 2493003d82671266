#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "core/error.h"
#include "model/ids.h"

namespace tickpipe::internal {

/// Something for each symbol, by its number. It grows without moving anything, so what find() returned stays valid as
/// long as the table. Threads: one that makes entries; find() and for_each() from any.
template <typename Entry>
class SymbolTable {
 public:
  /// Null for a symbol that has no entry.
  [[nodiscard]] Entry* find(SymbolId symbol) const noexcept {
    if (symbol.value >= kMaxSymbols) return nullptr;
    const Chunk* chunk = chunks_[symbol.value / kChunkSize].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : chunk->entries[symbol.value % kChunkSize].load(std::memory_order_acquire);
  }

  /// The entry of `symbol`, made from `args` if there is none. Throws Error for a number beyond the table.
  template <typename... Args>
  Entry& find_or_make(SymbolId symbol, Args&&... args) {
    if (Entry* known = find(symbol); known != nullptr) return *known;
    if (symbol.value >= kMaxSymbols) throw Error("more than 4194304 symbols; lower max_symbols");
    auto& slot = chunks_[symbol.value / kChunkSize];
    Chunk* chunk = slot.load(std::memory_order_relaxed);
    if (chunk == nullptr) {
      chunk = new Chunk;
      slot.store(chunk, std::memory_order_release);
    }
    auto* made = new Entry(symbol, std::forward<Args>(args)...);
    chunk->entries[symbol.value % kChunkSize].store(made, std::memory_order_release);
    size_.fetch_add(1, std::memory_order_relaxed);
    return *made;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

  /// In the order of the numbers.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& slot : chunks_) {
      const Chunk* chunk = slot.load(std::memory_order_acquire);
      if (chunk == nullptr) continue;
      for (const auto& entry : chunk->entries) {
        if (Entry* made = entry.load(std::memory_order_acquire); made != nullptr) visit(*made);
      }
    }
  }

  SymbolTable() = default;
  SymbolTable(const SymbolTable&) = delete;
  SymbolTable& operator=(const SymbolTable&) = delete;
  ~SymbolTable() {
    for_each([](Entry& entry) { delete &entry; });
    for (auto& slot : chunks_) delete slot.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kChunkSize = 1024;
  static constexpr std::size_t kMaxSymbols = 4096 * kChunkSize;
  struct Chunk {
    std::array<std::atomic<Entry*>, kChunkSize> entries{};
  };
  std::array<std::atomic<Chunk*>, kMaxSymbols / kChunkSize> chunks_{};
  std::atomic<std::size_t> size_{0};
};

}  // namespace tickpipe::internal
