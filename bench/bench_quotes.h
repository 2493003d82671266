#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "model/quote.h"

namespace tickpipe::internal::bench {

/// A random walk of one symbol, one quote about every 100 ms, from 2026-01-05T08:00:00Z on.
inline std::vector<Quote> make_quotes(std::size_t count, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<Quote> quotes;
  UnixNanos time{1'767'600'000LL * kNanosPerSecond};
  std::int64_t price = 1'164'500'000;
  for (std::size_t i = 0; i < count; ++i) {
    time.ns += static_cast<std::int64_t>(1 + random() % 200) * kNanosPerMilli;
    price += (static_cast<std::int64_t>(random() % 11) - 5) * 10'000;
    Quote& quote = quotes.emplace_back();
    quote.ts_event = time;
    quote.ts_recv = UnixNanos{time.ns + static_cast<std::int64_t>(random() % 1'000) * 1'000};
    quote.bid = Price{price};
    quote.ask = Price{price + static_cast<std::int64_t>(random() % 5) * 10'000};
  }
  return quotes;
}

/// A benchmark of a wrong result is worth nothing.
inline void require(bool is_right, const char* what) {
  if (is_right) return;
  std::cerr << "benchmark result is wrong: " << what << "\n";
  std::abort();
}

}  // namespace tickpipe::internal::bench
