#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "model/quote_inbox.h"

namespace tickpipe::internal::testing {

/// An inbox with as much room as the test says.
class FakeInbox final : public QuoteInbox {
 public:
  std::size_t try_push(std::span<const Quote> given) noexcept override {
    const std::size_t taken = std::min(given.size(), room);
    quotes.insert(quotes.end(), given.begin(), given.begin() + static_cast<std::ptrdiff_t>(taken));
    room -= taken;
    return taken;
  }
  bool wait_for_room(std::chrono::nanoseconds /*timeout*/) override {
    ++waits;
    if (on_wait) on_wait();
    return room != 0;
  }
  std::vector<Quote> quotes;
  std::size_t room = 1'000'000;
  int waits = 0;
  std::function<void()> on_wait;
};

}  // namespace tickpipe::internal::testing
