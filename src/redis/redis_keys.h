#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace tickpipe::internal::redis_keys {

/// What is in Redis: names of keys and channels, and how much is kept under them.

inline constexpr std::string_view kLatest = "tick:latest:";  ///< + SYMBOL: string, JSON of the latest quote
inline constexpr std::string_view kTicks = "ticks:";         ///< + SYMBOL: sorted set by ms, JSON of quotes
inline constexpr std::string_view kBars = "ohlc:";           ///< + SYMBOL:TIMEFRAME: sorted set by s, JSON of bars
inline constexpr std::string_view kSink = "tickpipe:sink";   ///< hash: epoch, position
inline constexpr std::string_view kQuotesChannel = "quotes";
inline constexpr std::string_view kQuotesOf = "quotes:";  ///< + SYMBOL
inline constexpr std::string_view kBarsChannel = "ohlc";
/// Names of symbols in whose keys there is now what goes over no other channel: what was missed, loaded or corrected.
inline constexpr std::string_view kRewrittenChannel = "tickpipe:rewritten";
inline constexpr std::string_view kAllSymbols = "*";  ///< there, in place of a name

inline constexpr std::chrono::seconds kLatestLife = std::chrono::hours{1};
inline constexpr std::chrono::seconds kBarsLife = std::chrono::hours{24 * 30};
inline constexpr std::size_t kBarsKept = 500;

/// The key, or channel, of the bars of a series.
inline void bars_key(std::string_view symbol, std::string_view timeframe, std::string& out) {
  out.assign(kBars).append(symbol).append(1, ':').append(timeframe);
}

}  // namespace tickpipe::internal::redis_keys
