#include "serve/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

constexpr int kBacklog = 4096;

bool is_loopback(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24U) == 127U;
  }
  if (address->sa_family != AF_INET6) return false;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) return true;
  return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127;
}

std::string without_brackets(const std::string& address) {
  const bool has_brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
  return has_brackets ? address.substr(1, address.size() - 2) : address;
}

std::string reason_and_remedy(int error, const std::string& address, std::uint16_t port) {
  const std::string place = "port " + std::to_string(port) + " on " + address;
  switch (error) {
    case EADDRINUSE:
      return place + " is in use: stop the other process or choose another with --port or http.port";
    case EACCES:
      return place + " may not be used by this user: choose one above 1023 with --port or http.port";
    case EADDRNOTAVAIL:
      return place + ": this machine does not have that address; set one that it has with --address or http.address";
    default:
      return place + " cannot be used (" + std::generic_category().message(error) +
             "): choose another with --address, --port, http.address or http.port";
  }
}

/// Returns a bound socket, or -1 with errno.
int bind_socket(const addrinfo& candidate) {
  const int descriptor = ::socket(candidate.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -1;
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 && ::listen(descriptor, kBacklog) == 0) {
    return descriptor;
  }
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return -1;
}

std::uint16_t bound_port(int descriptor) noexcept {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  in_port_t port = 0;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    port = v6.sin6_port;
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    port = v4.sin_port;
  }
  return ntohs(port);
}

}  // namespace

bool is_outside_number(const std::string& address) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(without_brackets(address).c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  return !is_loopback(found->ai_addr);
}

std::string outside_refusal(const std::string& address) {
  return "address " + safe_text(address) +
         " can be reached from other machines, and there is no authentication: use 127.0.0.1, or set "
         "http.allow_insecure if that is wanted";
}

ListeningSocket::ListeningSocket(const std::string& address, std::uint16_t port, bool allow_outside) {
  const std::string shown = safe_text(address);
  const std::string name = without_brackets(address);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      name.empty() ? EAI_NONAME : ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    throw ConfigError("address \"" + shown + "\" cannot be resolved (" + ::gai_strerror(failed) +
                      "): set an address of this machine with --address or http.address");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::vector<const addrinfo*> candidates;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (!allow_outside && !is_loopback(at->ai_addr)) {
      throw ConfigError(outside_refusal(address));
    }
    candidates.push_back(at);
  }
  // Of a name with both, IPv4: it is what clients that are given 127.0.0.1 use.
  std::stable_partition(candidates.begin(), candidates.end(), [](auto* at) { return at->ai_family == AF_INET; });
  int error = 0;
  for (const addrinfo* candidate : candidates) {
    descriptor_ = bind_socket(*candidate);
    if (descriptor_ >= 0) {
      port_ = bound_port(descriptor_);
      return;
    }
    if (error == 0) error = errno;
  }
  throw Error(reason_and_remedy(error, shown, port));
}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int ListeningSocket::release() noexcept { return std::exchange(descriptor_, -1); }

AcceptedSocket accept_connection(int listening) noexcept {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  AcceptedSocket out;
  out.descriptor = ::accept4(listening, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (out.descriptor < 0) return out;
  out.is_local_peer = is_loopback(reinterpret_cast<const sockaddr*>(&peer));
  const int on = 1;
  ::setsockopt(out.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return out;
}

}  // namespace tickpipe::internal
