#include "engine/broadcast_hub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace engine {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

BroadcastHub::BroadcastHub(std::uint16_t port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0) fail("socket");
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0) fail("hub: bind");
  if (::listen(listener_, 64) != 0) fail("hub: listen");
  if (::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("hub: getsockname");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_clients(); });
}

BroadcastHub::~BroadcastHub() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(listener_);
  for (const int client : clients_) ::close(client);
}

void BroadcastHub::accept_clients() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    const std::lock_guard lock(mutex_);
    clients_.push_back(client);
  }
}

void BroadcastHub::broadcast(const std::string& line) {
  const std::lock_guard lock(mutex_);
  const auto is_gone = [&line](int client) {
    if (::send(client, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) return false;
    ::close(client);
    return true;
  };
  clients_.erase(std::remove_if(clients_.begin(), clients_.end(), is_gone), clients_.end());
}

std::size_t BroadcastHub::clients() const {
  const std::lock_guard lock(mutex_);
  return clients_.size();
}

}  // namespace engine
