#include "core/repeat_folder.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kFoldWithin{1};
/// Different lines of the last second that are remembered; each line is compared with all of them.
constexpr std::size_t kMaxRecent = 32;

}  // namespace

void RepeatFolder::take(LogLevel level, std::string_view component, std::string_view message, UnixNanos now) {
  forget_old(now);
  const auto same = std::find_if(recent_.begin(), recent_.end(), [&](const Recent& recent) {
    return recent.level == level && recent.component == component && recent.message == message;
  });
  if (same != recent_.end()) {
    ++same->repeats;
    return;
  }
  for (Recent& recent : recent_) tell_repeats(recent, now);
  if (recent_.size() == kMaxRecent) recent_.erase(recent_.begin());
  recent_.push_back({level, std::string(component), std::string(message), now, 0});
  write_(level, component, message, now);
}

/// A clock that was set back ends the second of every line too.
void RepeatFolder::forget_old(UnixNanos now) {
  const auto is_old = [now](const Recent& recent) {
    return now < recent.written || now - recent.written >= kFoldWithin;
  };
  for (Recent& recent : recent_) {
    if (is_old(recent)) tell_repeats(recent, now);
  }
  recent_.erase(std::remove_if(recent_.begin(), recent_.end(), is_old), recent_.end());
}

void RepeatFolder::forget_all(UnixNanos now) {
  for (Recent& recent : recent_) tell_repeats(recent, now);
  recent_.clear();
}

void RepeatFolder::tell_repeats(Recent& recent, UnixNanos now) {
  const std::uint64_t repeats = std::exchange(recent.repeats, 0);
  if (repeats == 0) return;
  const std::string count = repeats == 1 ? " (repeated once)" : " (repeated " + std::to_string(repeats) + " times)";
  write_(recent.level, recent.component, recent.message + count, now);
}

}  // namespace tickpipe::internal
