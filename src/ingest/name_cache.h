#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "model/names.h"

namespace tickpipe::internal {

/// One producer's memory of the numbers of names, so that the shared registry is asked once per name. One thread.
template <typename Id>
class NameCache {
 public:
  NameCache() : slots_(kFirstSlots) {}

  [[nodiscard]] std::optional<Id> find(const Name& name) const noexcept {
    for (std::size_t i = hash(name);; ++i) {
      const Slot& slot = slots_[i & (slots_.size() - 1)];
      if (!slot.is_used) return std::nullopt;
      if (slot.name == name) return slot.id;
    }
  }

  /// Adds a name that find() does not find.
  void insert(const Name& name, Id id) {
    if (2 * (used_ + 1) > slots_.size()) {
      std::vector<Slot> old(slots_.size() * 2);
      old.swap(slots_);
      for (const Slot& slot : old) {
        if (slot.is_used) place(slot);
      }
    }
    place({name, id, true});
    ++used_;
  }

 private:
  static constexpr std::size_t kFirstSlots = 64;
  struct Slot {
    Name name;
    Id id{};
    bool is_used = false;
  };

  static std::size_t hash(const Name& name) noexcept {
    // Unused characters are zero, so whole words may be mixed.
    std::uint64_t words[kMaxNameChars / 8];
    std::memcpy(words, name.padded().data(), sizeof words);
    std::uint64_t h = 0;
    for (const std::uint64_t word : words) h = (std::rotl(h, 23) ^ word) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(h ^ (h >> 32));
  }
  void place(const Slot& fresh) noexcept {
    for (std::size_t i = hash(fresh.name);; ++i) {
      Slot& slot = slots_[i & (slots_.size() - 1)];
      if (slot.is_used) continue;
      slot = fresh;
      return;
    }
  }

  std::vector<Slot> slots_;  ///< a power of two, at most half used
  std::size_t used_ = 0;
};

}  // namespace tickpipe::internal
