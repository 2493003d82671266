#pragma once

#include <cstdint>
#include <string>

namespace tickpipe::internal {

/// Whether the text is the number of an address, also in brackets, that other machines can reach. False for a name.
[[nodiscard]] bool is_outside_number(const std::string& address);
/// Why such an address is not listened on unless that is allowed, and what to do.
[[nodiscard]] std::string outside_refusal(const std::string& address);

/// A TCP socket that listens. Owns its descriptor until release().
class ListeningSocket {
 public:
  /// Resolves and binds. Throws ConfigError for an address that cannot be resolved, and for one that can be reached
  /// from other machines unless `allow_outside`; Error naming address, port and remedy when it cannot be bound.
  ListeningSocket(const std::string& address, std::uint16_t port, bool allow_outside);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Gives up the descriptor; non-blocking.
  [[nodiscard]] int release() noexcept;

 private:
  int descriptor_ = -1;
  std::uint16_t port_ = 0;
};

/// A connection that was accepted.
struct AcceptedSocket {
  int descriptor = -1;  ///< non-blocking; -1 with errno when there is none
  bool is_local_peer = false;
};
[[nodiscard]] AcceptedSocket accept_connection(int listening) noexcept;

}  // namespace tickpipe::internal
