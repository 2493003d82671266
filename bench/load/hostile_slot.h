#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "load/descriptor.h"
#include "load/greeting.h"
#include "load/options.h"

namespace tickpipe::internal::load {

enum class HostileKind { kNeverRead, kTrickle, kGarbage, kFlood, kChurn };
inline constexpr std::size_t kHostileKinds = 5;

struct HostileTally {
  std::uint64_t opened = 0;
  std::uint64_t not_connected = 0;
  std::uint64_t closed_by_server = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_read = 0;
};

/// One unfriendly peer: it connects, misbehaves in its way, and comes back some time after it was closed.
///
///   never-read   subscribes like a good client, with a small receive buffer, and never reads
///   trickle      the same, but reads one byte a second
///   garbage      in turn: no HTTP at all; random bytes, broken JSON and a frame of 2^62 bytes after the handshake
///   flood        sends pings of the protocol as fast as `--flood-rate` allows, reads what comes
///   churn        subscribes and leaves at once, in turn with a close, a reset and in the middle of the handshake
///
/// Bounds: a slot has one connection at a time, opens at most 100 a second (10 for garbage and flood, 1 for the rest).
class HostileSlot {
 public:
  HostileSlot(HostileKind kind, std::uint32_t number)
      : kind_(kind), number_(number), random_(number + 1), round_(number) {}

  /// Does what is due at `now_us`; never blocks.
  void step(const Options& options, const Greeting& greeting, HostileTally& tally, std::int64_t now_us);

 private:
  enum class State { kAway, kConnecting, kHandshake, kIn };

  void open(const Options& options, HostileTally& tally);
  void await_handshake(const Greeting& greeting, HostileTally& tally);
  void misbehave(const Options& options, HostileTally& tally);
  void churn_away(HostileTally& tally);
  void flood(const Options& options, HostileTally& tally);
  [[nodiscard]] std::string garbage();
  void send(HostileTally& tally, std::string_view text);
  void read(HostileTally& tally, std::size_t at_most);
  void leave(HostileTally& tally, bool by_server);
  [[nodiscard]] bool is_gone() const;

  HostileKind kind_;
  std::uint32_t number_;
  std::minstd_rand random_;
  State state_ = State::kAway;
  Descriptor socket_;
  std::uint32_t round_;
  std::int64_t now_us_ = 0;
  std::int64_t next_us_ = 0;
  std::int64_t since_us_ = 0;  // in this state
  std::int64_t flooded_ = 0;   // messages of this connection
  std::string unsent_;
};

}  // namespace tickpipe::internal::load
