#pragma once

#include <optional>
#include <string_view>

#include "model/timeframe.h"

namespace tickpipe::internal {

/// A timeframe as clients may name it: `1m`, or as trading platforms do, `M1`.
inline std::optional<Timeframe> parse_timeframe_name(std::string_view text) noexcept {
  constexpr struct {
    std::string_view name;
    Timeframe timeframe;
  } kAliases[] = {{"M1", {std::chrono::minutes{1}}},   {"M5", {std::chrono::minutes{5}}},
                  {"M15", {std::chrono::minutes{15}}}, {"H1", {std::chrono::hours{1}}},
                  {"H4", {std::chrono::hours{4}}},     {"D1", {std::chrono::hours{24}}}};
  for (const auto& alias : kAliases) {
    if (alias.name == text) return alias.timeframe;
  }
  return parse_timeframe(text);
}

}  // namespace tickpipe::internal
