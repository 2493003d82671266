#include "load/target.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/error.h"

namespace tickpipe::internal::load {

namespace {

sockaddr_in socket_address(in_addr address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr = address;
  result.sin_port = htons(port);
  return result;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

Target parse_target(std::string_view url) {
  const auto fail = [&](const std::string& why) -> ConfigError {
    return ConfigError("'" + std::string(url) + "': " + why + "; wanted is ws://127.0.0.1:PORT/path");
  };
  Target target;
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) throw fail("no scheme");
  target.scheme = url.substr(0, scheme_end);
  if (target.scheme != "ws" && target.scheme != "http") throw fail("the scheme is neither ws nor http");
  std::string_view rest = url.substr(scheme_end + 3);
  const std::size_t slash = rest.find('/');
  target.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  rest = rest.substr(0, slash);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) throw fail("no port");
  target.host = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  if (error != std::errc{} || end != port.data() + port.size() || target.port == 0) throw fail("the port is no port");
  const std::string numeric = target.host == "localhost" ? "127.0.0.1" : target.host;
  if (::inet_pton(AF_INET, numeric.c_str(), &target.address) != 1 || (ntohl(target.address.s_addr) >> 24) != 127) {
    throw fail("not an address in 127.0.0.0/8; this program loads the machine it runs on only");
  }
  return target;
}

Descriptor start_connecting(const Target& target, std::uint32_t source, int receive_buffer_bytes) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return socket;
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (receive_buffer_bytes > 0) set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
  // Without it bind() would take a port that no other connection from this address, to anywhere, could share.
  set_option(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  in_addr from{};
  from.s_addr = htonl(0x7F000002U + source);
  const sockaddr_in local = socket_address(from, 0);
  const sockaddr_in remote = socket_address(target.address, target.port);
  if (::bind(socket.get(), generic(local), sizeof local) != 0 ||
      (::connect(socket.get(), generic(remote), sizeof remote) != 0 && errno != EINPROGRESS)) {
    const int error = errno;
    socket.reset();
    errno = error;
  }
  return socket;
}

Descriptor connect_blocking(const Target& target, int timeout_seconds) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval timeout{timeout_seconds, 0};
  if (socket.is_open()) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  }
  const sockaddr_in remote = socket_address(target.address, target.port);
  if (!socket.is_open() || ::connect(socket.get(), generic(remote), sizeof remote) != 0) {
    throw Error("cannot connect to " + target.authority() + ": " + std::strerror(errno) + "; is the server running?");
  }
  return socket;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) throw Error("cannot read the limit of open files");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace tickpipe::internal::load
