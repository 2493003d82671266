#pragma once

#include <array>
#include <thread>
#include <vector>

#include "load/hostile_slot.h"

namespace tickpipe::internal::load {

/// All hostile peers, on a thread of their own so that good clients do not wait for them.
class HostileCrowd {
 public:
  HostileCrowd(const Options& options, const Greeting& greeting);

  void start();
  void stop();

  static const char* name(HostileKind kind);
  [[nodiscard]] static std::uint32_t count(const HostileCounts& counts, HostileKind kind);
  /// After stop().
  [[nodiscard]] const std::array<HostileTally, kHostileKinds>& tallies() const noexcept { return tallies_; }

 private:
  struct Member {
    HostileKind kind;
    HostileSlot slot;
  };
  void run(const std::stop_token& stop);

  const Options& options_;
  const Greeting& greeting_;
  std::vector<Member> members_;
  std::array<HostileTally, kHostileKinds> tallies_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal::load
