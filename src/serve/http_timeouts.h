#pragma once

#include <chrono>

namespace tickpipe::internal {

/// How long a connection may keep its place without doing its part. Checked about once a second, or more often when
/// one of them is shorter than that.
struct HttpTimeouts {
  std::chrono::milliseconds header{10'000};         ///< from the first byte of a request to the end of its head
  std::chrono::milliseconds body_progress{10'000};  ///< between two arrivals of body bytes
  std::chrono::milliseconds body_total{60'000};     ///< from the end of the head to the end of the body
  std::chrono::milliseconds idle{75'000};           ///< between two requests
  std::chrono::milliseconds write{10'000};          ///< while the peer takes nothing of an answer
  std::chrono::milliseconds linger{2'000};          ///< for a refused peer to read why, before the connection is cut
};

}  // namespace tickpipe::internal
