#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tickpipe::internal::load {

// When a quote was sent, inside its prices. A tick on the wire has a time in milliseconds only, and prices go from wire
// to wire digit for digit, so the nine digits behind the point carry microseconds:
//
//   bid      = W.uuuuuuuuu   u: monotonic microseconds modulo 1e9 (about 17 minutes) when its POST was put together
//   ask - bid = 0.001 + l    l: by how many microseconds that was behind the schedule, in units of 1e-9, below 0.1
//
// W is a whole number that walks by one between 950 and 1050: two successive bids differ by less than 0.3 %. A run
// starts at 1000, less than 6 % from where an earlier one ended. Nothing is implausible or a spike (10 %). Nine digits
// behind four survive a float64.

struct Stamp {
  std::int64_t sent_us = 0;  // modulo 1e9
  std::int64_t lag_us = 0;
};

inline constexpr std::int64_t kStampModulo = 1'000'000'000;
inline constexpr std::int64_t kWalkStart = 1000;
inline constexpr std::int64_t kWalkLow = 950;
inline constexpr std::int64_t kWalkHigh = 1050;

/// Prices in units of 1e-9.
struct StampedPrices {
  std::int64_t bid = 0;
  std::int64_t ask = 0;
};
StampedPrices stamped_prices(std::int64_t walk, std::int64_t now_us, std::int64_t lag_us) noexcept;

/// `spread` zero: the lag is not known and counts as none.
Stamp stamp_of(std::int64_t bid, std::int64_t spread) noexcept;

/// Microseconds from the stamp to `now_us`; zero when the stamp is from the future.
std::int64_t since(const Stamp& stamp, std::int64_t now_us) noexcept;

/// Appends a price with its nine digits.
void append_price(std::string& out, std::int64_t price);

/// A plain JSON number in units of 1e-9; further digits are dropped. Zero when it is none.
std::int64_t price_from_text(std::string_view text) noexcept;

}  // namespace tickpipe::internal::load
