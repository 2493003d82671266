#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/unix_nanos.h"
#include "model/market_data.h"

namespace tickpipe::internal {

/// Where the next page of a history begins, and the range and data of the first page.
struct HistoryCursor {
  UnixNanos from;
  UnixNanos to;
  bool newest_first = true;
  std::uint64_t max_seq = 0;
  TickPlace after;
};

/// An opaque text of characters that need no encoding in a URL, bound to one data directory and symbol.
std::string encode_cursor(const HistoryCursor& cursor, std::string_view epoch, std::string_view symbol);

/// Returns nothing for text that is damaged or was made for another epoch or symbol. The check finds accidents and
/// mix-ups; it is no signature.
std::optional<HistoryCursor> decode_cursor(std::string_view text, std::string_view epoch, std::string_view symbol);

}  // namespace tickpipe::internal
