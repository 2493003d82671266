#pragma once

#include <cstddef>
#include <cstdint>

namespace tickpipe::internal {

/// How a client wants its messages. A WebSocket message is a ready frame; an SSE event lacks its id, which is the
/// client's own.
enum class StreamFormat : std::uint8_t { kJson, kMessagePack, kSse };
inline constexpr std::size_t kStreamFormats = 3;

}  // namespace tickpipe::internal
