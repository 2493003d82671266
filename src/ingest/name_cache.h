#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "model/names.h"

namespace tickpipe::internal {

/// One producer's memory of the numbers of names, so that the shared registry is asked once per name. One thread.
template <typename Id>
class NameCache {
 public:
  NameCache() : slots_(kFirstSlots) {}

  [[nodiscard]] std::optional<Id> find(const Name& name) const noexcept {
    for (std::size_t i = hash(words_of(name));; ++i) {
      const Slot& slot = slots_[i & (slots_.size() - 1)];
      if (!slot.is_used) return std::nullopt;
      if (slot.name == name) return slot.id;
    }
  }

  /// The number of the name that is spelt exactly like `text`, which need not be a name: what is here has been checked.
  [[nodiscard]] std::optional<Id> find_text(std::string_view text) const noexcept {
    if (text.empty() || text.size() > kMaxNameChars) return std::nullopt;
    Words words{};
    std::memcpy(words.data(), text.data(), text.size());
    for (std::size_t i = hash(words);; ++i) {
      const Slot& slot = slots_[i & (slots_.size() - 1)];
      if (!slot.is_used) return std::nullopt;
      if (words_of(slot.name) == words && slot.name.view().size() == text.size()) return slot.id;
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

  /// The characters of a name; unused ones are zero, so whole words may be compared and mixed.
  using Words = std::array<std::uint64_t, kMaxNameChars / sizeof(std::uint64_t)>;
  static Words words_of(const Name& name) noexcept { return std::bit_cast<Words>(name.padded()); }

  static std::size_t hash(const Words& words) noexcept {
    std::uint64_t h = 0;
    for (const std::uint64_t word : words) h = (std::rotl(h, 23) ^ word) * 0x9e3779b97f4a7c15;
    return static_cast<std::size_t>(h ^ (h >> 32));
  }
  void place(const Slot& fresh) noexcept {
    for (std::size_t i = hash(words_of(fresh.name));; ++i) {
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
