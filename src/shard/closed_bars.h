#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/bar.h"

namespace tickpipe::internal {

/// A closed bar in memory, with what is not part of its value.
struct ClosedBar {
  Bar bar;
  std::uint64_t batch = 0;   ///< of the newest batch that carries it
  bool is_dirty = false;     ///< changed since then
  bool was_emitted = false;  ///< in some batch or in the store: the next change is a revision
  bool was_counted = false;  ///< among the bars created or changed since the process started
};

/// The closed bars of one symbol and timeframe that are in memory: all that no commit has made durable yet, and some of
/// those touched last, for late ticks. Ascending by open time. Owned by a BarBuilder.
class ClosedBars {
 public:
  /// How many committed bars trim() keeps.
  static constexpr std::size_t kKeep = 16;

  [[nodiscard]] ClosedBar* find(UnixNanos open_time) noexcept;
  /// Adds a bar whose open time is not in here. The reference is valid until the next insert() or trim().
  ClosedBar& insert(const ClosedBar& bar);

  /// Forgets committed bars beyond kKeep, those least recently emitted first. Returns the greatest open time that was
  /// forgotten, or kNoTime.
  UnixNanos trim(std::uint64_t committed);

  /// Forgets bars that were put in here and never changed: looked at for a tick that was then refused.
  void drop_unchanged();

  [[nodiscard]] std::size_t size() const noexcept { return bars_.size(); }

 private:
  std::vector<ClosedBar> bars_;
};

}  // namespace tickpipe::internal
