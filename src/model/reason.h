#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tickpipe::internal {

/// Why a raw quote was refused. The names are part of the outside: stats, ingest answers, metrics.
enum class Reason : std::uint8_t {
  kMalformed,
  kLineTooLong,
  kBadLp,
  kTooManyLps,
  kBadSymbol,
  kUnknownSymbol,
  kTooManySymbols,
  kBadPrice,
  kCrossed,
  kBadTimestamp,
  kTooOld,
  kInFuture,
  kDuplicate,
  kImplausiblePrice,
  kSpike,
  kStoreUnavailable,
};

inline constexpr std::array<std::string_view, 16> kReasonNames = {
    "malformed",        "line_too_long",     "bad_lp",  "too_many_lps",     "bad_symbol", "unknown_symbol",
    "too_many_symbols", "bad_price",         "crossed", "bad_timestamp",    "too_old",    "in_future",
    "duplicate",        "implausible_price", "spike",   "store_unavailable"};
inline constexpr std::size_t kReasonCount = kReasonNames.size();
static_assert(static_cast<std::size_t>(Reason::kStoreUnavailable) + 1 == kReasonCount);

constexpr std::size_t index_of(Reason reason) { return static_cast<std::size_t>(reason); }
constexpr std::string_view to_string(Reason reason) { return kReasonNames[index_of(reason)]; }

/// A count per reason.
using ReasonCounts = std::array<std::uint64_t, kReasonCount>;

}  // namespace tickpipe::internal
