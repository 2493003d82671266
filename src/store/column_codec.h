#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace tickpipe::internal {

/// One column of a chunk: numbers of one meaning, in the order of the records. Part of the store format.
///
/// What all have in common is taken out first, so that prices in steps of a pip and times in whole milliseconds become
/// small. What remains is written as varints, which the database's compression shortens further, or, where it is noise
/// of more than a byte that no compression could shorten, with as many bits each as the greatest needs.
enum class ColumnKind : std::uint8_t {
  kAmounts,      ///< told by their distance from the least of them
  kDifferences,  ///< mostly near 0, of either sign
};

/// Appends `values` to `out`.
void encode_column(ColumnKind kind, std::span<const std::int64_t> values, std::string& out);

/// Reads `count` values, of either kind, into `values`. On damaged bytes `in` is not ok() and the values are
/// unspecified.
void decode_column(ByteReader& in, std::size_t count, std::vector<std::int64_t>& values);

}  // namespace tickpipe::internal
