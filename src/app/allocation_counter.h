#pragma once

#include <cstdint>

namespace tickpipe::internal {

/// Calls of operator new in this process so far, by any thread. The program replaces operator new with one that counts;
/// a process that embeds the library keeps its own. Always 0 in a sanitizer build.
std::uint64_t allocation_count() noexcept;

}  // namespace tickpipe::internal
