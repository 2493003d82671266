#pragma once

#include <cstddef>
#include <vector>

#include "model/name_registry.h"

namespace tickpipe::internal {

/// Names by number without a lock: what was asked for once is kept. Threads: one.
template <typename Id>
class NameTable {
 public:
  /// `registry` outlives it.
  explicit NameTable(const NameRegistry<Id>& registry) : registry_(registry) {}

  [[nodiscard]] const Name& operator[](Id id) {
    if (id.value >= names_.size()) {
      for (std::size_t i = names_.size(); i <= id.value; ++i) {
        names_.push_back(registry_.name(Id{static_cast<decltype(Id::value)>(i)}));
      }
    }
    return names_[id.value];
  }

 private:
  const NameRegistry<Id>& registry_;
  std::vector<Name> names_;
};

}  // namespace tickpipe::internal
