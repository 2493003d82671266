#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/utc_day.h"

namespace tickpipe::internal {

/// The UTC days of a symbol that take no quotes any more, as retention removed theirs.
/// Cost: contains() is one comparison for anything newer than the newest sealed day.
class SealedDays {
 public:
  [[nodiscard]] bool contains(UnixNanos ts) const noexcept {
    return ts < end_ && std::binary_search(days_.begin(), days_.end(), utc_day(ts));
  }
  void add(std::int32_t day) {
    const auto at = std::lower_bound(days_.begin(), days_.end(), day);
    if (at == days_.end() || *at != day) days_.insert(at, day);
    end_ = start_of_utc_day(days_.back() + 1);
  }
  void remove(std::int32_t day) {
    const auto at = std::lower_bound(days_.begin(), days_.end(), day);
    if (at != days_.end() && *at == day) days_.erase(at);
    end_ = days_.empty() ? kNoTime : start_of_utc_day(days_.back() + 1);
  }

 private:
  std::vector<std::int32_t> days_;  ///< ascending
  UnixNanos end_ = kNoTime;         ///< of the newest sealed day
};

}  // namespace tickpipe::internal
