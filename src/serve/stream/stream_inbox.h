#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "serve/stream/stream_batch.h"

namespace tickpipe::internal {

/// What waits for one group of connections. Bounded: quotes beyond that are not kept, and the group is told to look at
/// the market view and the store instead. Threads: any.
class StreamInbox {
 public:
  /// Bars may not be left out, so they have more room.
  static constexpr std::size_t kMaxBars = 65'536;

  struct Content {
    std::vector<std::shared_ptr<const StreamBatch>> batches;
    bool has_lost_quotes = false;
    bool has_lost_bars = false;
  };

  explicit StreamInbox(std::size_t max_quotes) : max_quotes_(max_quotes) {}

  /// Returns whether the group is to be woken.
  bool push(const std::shared_ptr<const StreamBatch>& batch) {
    const std::lock_guard lock(mutex_);
    const std::size_t bars = batch->bars.size() + batch->changed_bars.size();
    // Once quotes are lost, all are until the group learns of it; bars likewise.
    const bool loses_quotes = content_.has_lost_quotes || (quotes_ != 0 && quotes_ + batch->ticks.size() > max_quotes_);
    const bool loses_bars = content_.has_lost_bars || (bars_ != 0 && bars_ + bars > kMaxBars);
    content_.has_lost_quotes |= loses_quotes && !batch->ticks.empty();
    content_.has_lost_bars |= loses_bars && bars != 0;
    if (!loses_quotes) quotes_ += batch->ticks.size();
    if (!loses_bars) bars_ += bars;
    if (!loses_quotes && !loses_bars) {
      content_.batches.push_back(batch);
    } else if (!batch->new_symbols.empty() || (!loses_quotes && !batch->ticks.empty()) || (!loses_bars && bars != 0)) {
      auto rest = std::make_shared<StreamBatch>();
      if (!loses_quotes) rest->ticks = batch->ticks;
      if (!loses_bars) {
        rest->bars = batch->bars;
        rest->changed_bars = batch->changed_bars;
      }
      rest->new_symbols = batch->new_symbols;
      rest->committed_at = batch->committed_at;
      content_.batches.push_back(std::move(rest));
    }
    return !std::exchange(is_awake_, true);
  }

  /// Takes everything. With nothing there the group may sleep: the next push() wakes it.
  Content take() {
    const std::lock_guard lock(mutex_);
    quotes_ = bars_ = 0;
    if (content_.batches.empty() && !content_.has_lost_quotes && !content_.has_lost_bars) is_awake_ = false;
    return std::exchange(content_, {});
  }

  /// Quotes and bars in it.
  [[nodiscard]] std::size_t depth() const {
    const std::lock_guard lock(mutex_);
    return quotes_ + bars_;
  }

 private:
  const std::size_t max_quotes_;
  mutable std::mutex mutex_;
  Content content_;
  std::size_t quotes_ = 0;
  std::size_t bars_ = 0;
  bool is_awake_ = false;
};

}  // namespace tickpipe::internal
