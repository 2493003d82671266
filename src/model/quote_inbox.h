#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include "model/quote.h"

namespace tickpipe::internal {

/// Where the quotes of some symbols go: the door of a shard. Any thread.
class QuoteInbox {
 public:
  virtual ~QuoteInbox() = default;
  /// Takes as many from the front as there is room for and returns their number.
  virtual std::size_t try_push(std::span<const Quote> quotes) noexcept = 0;
  /// Sleeps until there is room for a good part of the inbox, or the timeout; returns whether there is room.
  virtual bool wait_for_room(std::chrono::nanoseconds timeout) = 0;
};

}  // namespace tickpipe::internal
