#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "model/event_batch.h"
#include "serve/stream/stream_format.h"

namespace tickpipe::internal {

/// Messages one behind the other in one text.
class MessageList {
 public:
  /// Ends the message that was appended to text().
  void end_message() { ends_.push_back(text_.size()); }
  [[nodiscard]] std::string& text() noexcept { return text_; }
  [[nodiscard]] std::string_view operator[](std::size_t index) const {
    const std::size_t from = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(from, ends_[index] - from);
  }
  void reserve(std::size_t messages, std::size_t bytes) {
    ends_.reserve(messages);
    text_.reserve(bytes);
  }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// A quote that somebody may want.
struct StreamTick {
  Tick tick;
  bool is_live = false;    ///< belongs to the stream of all live quotes
  bool is_latest = false;  ///< became the latest quote of its symbol
};

/// What was committed at once, as far as somebody may want it; made by the thread that commits, read by the threads of
/// all connections. Each format is encoded once, by who needs it first, for everybody.
class StreamBatch {
 public:
  std::vector<StreamTick> ticks;  ///< the live ones of a symbol ascending by seq
  std::vector<BarEvent> bars;     ///< that closed or were corrected, in order
  /// Whose open bars changed: one above the smallest timeframe changes with its base bar, so the symbol says it.
  std::vector<SymbolId> changed_bars;
  std::vector<SymbolId> new_symbols;  ///< that had no quote before
  std::chrono::steady_clock::time_point committed_at;

  [[nodiscard]] bool empty() const noexcept {
    return ticks.empty() && bars.empty() && changed_bars.empty() && new_symbols.empty();
  }

  /// The messages of `ticks` in one format. `encode(messages)` is called for the first who asks.
  template <typename Encode>
  const MessageList& tick_messages(StreamFormat format, Encode encode) const {
    return tick_messages_[static_cast<std::size_t>(format)].get(encode);
  }

 private:
  class Once {
   public:
    template <typename Encode>
    const MessageList& get(Encode encode) {
      if (!is_ready_.load(std::memory_order_acquire)) {
        const std::lock_guard lock(mutex_);
        if (!is_ready_.load(std::memory_order_relaxed)) {
          encode(list_);
          is_ready_.store(true, std::memory_order_release);
        }
      }
      return list_;
    }

   private:
    std::atomic<bool> is_ready_{false};
    std::mutex mutex_;
    MessageList list_;
  };

  mutable std::array<Once, kStreamFormats> tick_messages_;
};

}  // namespace tickpipe::internal
