#pragma once

#include <cstdint>
#include <string_view>

namespace tickpipe::internal {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`; `crc` is that of the bytes before them.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0) noexcept;

}  // namespace tickpipe::internal
