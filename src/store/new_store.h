#pragma once

#include <string>
#include <string_view>

#include "store/rocks.h"

namespace tickpipe::internal {

/// The format that this release writes.
inline constexpr std::string_view kFormatVersion = "2";
/// It had no ticks in the log and no packed entries; all else is the same.
inline constexpr std::string_view kOlderFormatVersion = "1";

/// Makes a store of an empty database: its format and a new epoch, which it returns. Throws Error.
std::string write_new_store(const Rocks& rocks);

}  // namespace tickpipe::internal
