#include <chrono>

#include "serve/http_connection.h"

namespace tickpipe::internal {

void ConnectionGroup::add(const std::shared_ptr<HttpConnection>& connection) {
  connections.push_back(connection);
  connection->start(connections.size() - 1);
}

void ConnectionGroup::remove(std::size_t slot) {
  connections[slot].swap(connections.back());
  connections[slot]->move_to(slot);
  connections.pop_back();
}

// Backwards: a connection that closes is replaced by the last one, which had its turn.
void ConnectionGroup::check_deadlines() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = connections.size(); i-- > 0;) {
    const auto connection = connections[i];
    connection->check_deadline(now);
  }
}

void ConnectionGroup::drain() {
  for (std::size_t i = connections.size(); i-- > 0;) {
    const auto connection = connections[i];
    connection->drain();
  }
}

void ConnectionGroup::close_all() {
  while (!connections.empty()) {
    const auto connection = connections.back();
    connection->close();
  }
}

}  // namespace tickpipe::internal
