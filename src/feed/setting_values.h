#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/names.h"

namespace tickpipe::internal {

/// A setting of a feed with its value as text, and readers of that text. They throw ConfigError, naming feed, key, what
/// is allowed and what was given. Bounds are inclusive.
struct Setting {
  std::string_view feed;  ///< `sim`
  std::string_view key;
  std::string_view value;

  /// `allowed` tells the bounds, and what else there is; empty = the bounds.
  [[nodiscard]] double number(double min, double max, std::string_view allowed = {}) const;
  /// A probability.
  [[nodiscard]] double share() const { return number(0, 1); }
  [[nodiscard]] std::uint64_t integer() const;
  [[nodiscard]] bool boolean() const;
  /// `500ms "30s" "5m"`, with a sign where the bounds allow negative ones. `allowed` tells the bounds.
  [[nodiscard]] std::chrono::nanoseconds duration(std::chrono::nanoseconds min, std::chrono::nanoseconds max,
                                                  std::string_view allowed) const;
  [[nodiscard]] Name lp() const;
  /// At least one symbol, each once.
  [[nodiscard]] std::vector<Name> symbols() const;

  [[noreturn]] void fail(std::string_view allowed) const;
};

}  // namespace tickpipe::internal
