#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace engine {

/// Sends lines to whoever is connected to its TCP port: `{"type":"tick",…}`, one a line. A client that does not read is
/// cut off.
class BroadcastHub {
 public:
  /// Listens on 127.0.0.1; 0 = any port that is free. Throws std::system_error.
  explicit BroadcastHub(std::uint16_t port);
  ~BroadcastHub();
  BroadcastHub(const BroadcastHub&) = delete;
  BroadcastHub& operator=(const BroadcastHub&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Any thread.
  void broadcast(const std::string& line);
  [[nodiscard]] std::size_t clients() const;

 private:
  void accept_clients();

  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<int> clients_;
  std::thread thread_;
};

}  // namespace engine
