#pragma once

#include <cstddef>
#include <optional>

#include "core/price.h"
#include "core/unix_nanos.h"
#include "model/names.h"
#include "model/reason.h"

namespace tickpipe::internal {

/// A quote as an LP sent it, its form checked: names valid, prices positive and not crossed, time within bounds. Names
/// are not interned yet and nothing is compared with other ticks. Held by value; owns no memory.
struct RawQuote {
  std::optional<Name> lp;  ///< nothing: the caller's default (`--lp`, `FILE`, `HTTP`)
  Name symbol;
  Price bid;
  Price ask;
  Quantity bid_size = kNoQuantity;
  Quantity ask_size = kNoQuantity;
  std::optional<UnixNanos> ts_event;  ///< nothing: not sent, on a path that takes the receive time instead
};

/// What became of one line. `reason` and `detail` count only if not `ok`.
struct DecodeResult {
  bool ok = true;
  Reason reason = Reason::kMalformed;
  const char* detail = "";  ///< a static text that says more than the reason; never text of the input

  static constexpr DecodeResult accepted() { return {}; }
  static constexpr DecodeResult refused(Reason reason, const char* detail) { return {false, reason, detail}; }
  static constexpr DecodeResult malformed(const char* detail) { return refused(Reason::kMalformed, detail); }
};

/// Bytes that must be readable, with any content, behind a line given to the JSON decoder.
inline constexpr std::size_t kJsonPadding = 64;

}  // namespace tickpipe::internal
