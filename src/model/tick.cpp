#include "model/tick.h"

#include <string_view>

namespace tickpipe::internal {

std::string flags_to_string(std::uint8_t flags) {
  constexpr struct {
    TickFlag flag;
    std::string_view name;
  } kNames[] = {{kOutOfOrder, "out_of_order"},
                {kSpike, "spike"},
                {kLateForBars, "late_for_bars"},
                {kUnselected, "unselected"},
                {kAfterGap, "gap"}};
  std::string out;
  for (const auto& [flag, name] : kNames) {
    if (!(flags & flag)) continue;
    if (!out.empty()) out += '|';
    out += name;
  }
  return out;
}

}  // namespace tickpipe::internal
