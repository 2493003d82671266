#pragma once

#include <cstddef>
#include <span>

#include "model/quote.h"

namespace tickpipe {

/// Where the quotes of some symbols go: the door of a shard. Any thread.
class QuoteInbox {
 public:
  virtual ~QuoteInbox() = default;
  /// Takes as many from the front as there is room for and returns their number.
  virtual std::size_t try_push(std::span<const Quote> quotes) noexcept = 0;
  /// Takes all, sleeping while there is no room.
  virtual void push(std::span<const Quote> quotes) = 0;
};

}  // namespace tickpipe
