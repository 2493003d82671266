#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// Folds repeated lines of a log: a line that was written within the last second is counted instead of written again; a
/// line that ends in `(repeated N times)` tells of it when something else is to be written or the second is over. A
/// count is looked at only when somebody calls. Threads: one at a time.
class RepeatFolder {
 public:
  using Write =
      std::function<void(LogLevel level, std::string_view component, std::string_view message, UnixNanos time)>;

  explicit RepeatFolder(Write write) : write_(std::move(write)) {}

  void take(LogLevel level, std::string_view component, std::string_view message, UnixNanos now);
  /// Writes the counts of lines whose second is over, and forgets these.
  void forget_old(UnixNanos now);
  /// Writes all counts and forgets all lines.
  void forget_all(UnixNanos now);

 private:
  /// A line of the last second.
  struct Recent {
    LogLevel level = LogLevel::kInfo;
    std::string component;
    std::string message;
    UnixNanos written;
    std::uint64_t repeats = 0;  ///< not told of yet
  };
  void tell_repeats(Recent& recent, UnixNanos now);

  const Write write_;
  std::vector<Recent> recent_;  // the oldest first
};

}  // namespace tickpipe::internal
