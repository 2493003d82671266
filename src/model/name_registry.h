#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>

#include "model/ids.h"
#include "model/names.h"

namespace tickpipe::internal {

/// Gives names dense numbers, in order of first sight, up to a limit. Names are never removed.
/// Threads: any. Callers on the tick path keep a NameCache in front of it.
template <typename Id>
class NameRegistry {
 public:
  explicit NameRegistry(std::size_t limit) : limit_(limit) {}

  [[nodiscard]] std::optional<Id> find(const Name& name) const {
    const std::shared_lock lock(mutex_);
    const auto it = ids_.find(name.view());
    if (it == ids_.end()) return std::nullopt;
    return it->second;
  }

  /// The number of `name`, a new one if it has none; nothing once `limit` names are known.
  std::optional<Id> intern(const Name& name) {
    const std::lock_guard lock(mutex_);
    if (const auto it = ids_.find(name.view()); it != ids_.end()) return it->second;
    if (names_.size() >= limit_) return std::nullopt;
    return add(name);
  }

  /// Takes over a name of an earlier run; call in the order of the numbers, before anything is interned. Unlike
  /// intern() it ignores the limit: what is stored stays reachable when the limit is lowered.
  Id restore(const Name& name) {
    const std::lock_guard lock(mutex_);
    return add(name);
  }

  [[nodiscard]] Name name(Id id) const {
    const std::shared_lock lock(mutex_);
    return names_.at(id.value);
  }

  [[nodiscard]] std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return names_.size();
  }

  [[nodiscard]] bool full() const {
    const std::shared_lock lock(mutex_);
    return names_.size() >= limit_;
  }

 private:
  Id add(const Name& name) {
    const Id id{static_cast<decltype(Id::value)>(names_.size())};
    names_.push_back(name);  // a deque keeps its elements in place, so the keys below stay valid
    ids_.emplace(names_.back().view(), id);
    return id;
  }

  const std::size_t limit_;
  mutable std::shared_mutex mutex_;
  std::deque<Name> names_;
  std::unordered_map<std::string_view, Id> ids_;
};

using SymbolRegistry = NameRegistry<SymbolId>;
using LpRegistry = NameRegistry<LpId>;

}  // namespace tickpipe::internal
