#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "load/descriptor.h"

namespace tickpipe::internal::load {

/// Where to connect to: an IPv4 loopback address, nothing else.
struct Target {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string path;  // with its query, from the slash on
  in_addr address{};

  [[nodiscard]] std::string authority() const { return host + ":" + std::to_string(port); }
};

/// Of `ws://HOST:PORT/path` or `http://...`. Throws ConfigError when it is malformed or not loopback.
Target parse_target(std::string_view url);

/// How many connections leave from one source address; the range of ephemeral ports has 28,000.
inline constexpr std::uint32_t kConnectionsPerSource = 20'000;

/// Starts a connection from 127.0.0.(2 + source); -1 in the descriptor and errno when that fails at once.
Descriptor start_connecting(const Target& target, std::uint32_t source, int receive_buffer_bytes = 0);

/// Waits until connected or throws Error.
Descriptor connect_blocking(const Target& target, int timeout_seconds);

/// Raises the limit of open files as far as it goes and returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace tickpipe::internal::load
