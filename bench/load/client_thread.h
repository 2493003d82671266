#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "load/client.h"

namespace tickpipe::internal::load {

/// An epoll loop with its share of the clients: opens them, a bounded number at a time, reads until Phase::kStop, then
/// closes them with a close frame.
class ClientThread {
 public:
  /// Its clients are `first`, `first` + 1, ... Everything referred to must outlive it. `verifier` may be null.
  ClientThread(const Options& options, const Greeting& greeting, Progress& progress, Verifier* verifier,
               std::uint32_t first, std::uint32_t count);

  void start();
  /// Returns after Phase::kStop; the tally and verifier may be read from then on.
  void join();

  [[nodiscard]] const ClientTally& tally() const noexcept { return tally_; }
  /// Which of its clients were open when the phase became kStop.
  [[nodiscard]] const std::vector<bool>& alive() const noexcept { return alive_; }

 private:
  void run();
  void open_more();
  void give_up_slow_ones();
  void close_all();
  /// Waits for events and handles them.
  void turn(int timeout_ms);

  std::uint32_t first_;
  ClientTally tally_;
  Descriptor epoll_;
  ClientWorld world_;
  std::vector<Client> clients_;
  std::uint32_t opened_ = 0;
  std::vector<std::uint32_t> pending_;  // opened and not yet settled
  std::vector<bool> alive_;
  std::string buffer_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace tickpipe::internal::load
