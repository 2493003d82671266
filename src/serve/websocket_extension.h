#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// Finds the first offer of permessage-deflate (RFC 7692, 7.1) that can be accepted in a Sec-WebSocket-Extensions
/// header (RFC 6455, 9.1), and returns the header to answer with; nothing if there is none.
///
/// Accepted: every valid offer that leaves our window at 32 KiB. Neither side keeps its context, whether or not the
///           offer asks for that. A client's own window needs no answer, as any of them can be inflated.
/// Declined: a smaller `server_max_window_bits`; parameters that are unknown, repeated, or with or without a value
///           where they should not be; what is not well-formed. The offers behind it are looked at all the same.
///
/// Threads: any. Allocates only the answer and values in quotes.
[[nodiscard]] std::optional<std::string> answer_deflate_offers(std::string_view extensions);

}  // namespace tickpipe::internal
