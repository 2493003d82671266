#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// Which seq of a symbol there are, with the times where they begin and end. Threads: one.
class SeqSet {
 public:
  /// Adds first..last, whose event times are as told at both ends. Returns how many of them were there already.
  std::uint64_t add(std::uint64_t first, std::uint64_t last, UnixNanos first_time, UnixNanos last_time);

  [[nodiscard]] bool contains(std::uint64_t seq) const;
  [[nodiscard]] std::uint64_t last() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second.last; }

  /// Those from 1 to `through` that are not there, ascending.
  struct Gap {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    UnixNanos after = kNoTime;      ///< event time of the quote before it, if there is one
    UnixNanos before = kEndOfTime;  ///< event time of the quote behind it, if there is one
  };
  [[nodiscard]] std::vector<Gap> gaps(std::uint64_t through) const;

 private:
  struct Range {
    std::uint64_t last = 0;
    UnixNanos first_time;
    UnixNanos last_time;
  };
  std::map<std::uint64_t, Range> ranges_;  ///< by first; disjoint, and with gaps in between
};

}  // namespace tickpipe::internal
