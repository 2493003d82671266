#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tickpipe::internal {

// permessage-deflate (RFC 7692, 7.2) of single messages: both sides forget everything after each message, so nothing
// belongs to a connection, and one compressed message may go to many clients.
//
// Threads:  any; zlib's state lives during a call.
// Errors:   std::bad_alloc when zlib gets no memory; std::length_error beyond 2 GiB of payload.

/// The payload of a frame with RSV1 that carries `payload`. Takes a window of up to 32 KiB (no smaller one can be asked
/// for), a fast level, and 10 to 270 KiB of memory by the size of the payload. What it returns is as long as the
/// payload and a few bytes if there is nothing to gain.
[[nodiscard]] std::string deflate_message(std::string_view payload);

/// Decompresses the payload of a message whose first frame had RSV1. Blocks that say they are the last of a stream may
/// be followed by a new stream. An empty `compressed` stands for an empty message, as some clients send it.
///
/// False: `compressed` is not deflate data or stops within a block, or, with `too_large`, the message has more than
/// `max_bytes`. `out` is then empty. Never takes more than about twice `max_bytes` for the result, and reads no further
/// than to its end. Takes some 40 KiB for zlib.
[[nodiscard]] bool inflate_message(std::string_view compressed, std::size_t max_bytes, std::string& out,
                                   bool& too_large);

}  // namespace tickpipe::internal
