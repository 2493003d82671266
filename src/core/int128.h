#pragma once

namespace tickpipe::internal {

/// 128-bit integers for products of prices and for volumes, which do not fit 64 bits.
__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

}  // namespace tickpipe::internal
