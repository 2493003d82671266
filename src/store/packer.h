#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "store/rocks.h"
#include "store/run_packer.h"
#include "store/tail.h"

namespace tickpipe::internal {

/// Packs runs of commits that wait in the tail: their ticks go into chunks by symbol and time, and one log entry takes
/// the place of theirs, in one atomic write. On a thread of its own, so that no commit waits for it; but when it falls
/// behind, or the disk fails it, commits do wait, as the tail is in memory.
class Packer {
 public:
  /// A run is closed once it weighs so much; with many symbols more, as each makes a chunk of its own.
  static constexpr std::size_t kRunWeight = 131'072;
  static constexpr std::size_t kRunWeightOfSymbol = 64;
  static constexpr std::size_t kMaxRunWeight = 4 * kRunWeight;

  /// All outlive it. `run_weight` 0 stands for the above.
  Packer(const Rocks& rocks, Tail& tail, bool sync_writes, std::size_t run_weight);
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  /// Before a commit: waits while too many runs wait. Throws Error when packing fails, with the cause.
  void make_room();
  /// After a commit, with Rocks::view held: closes the newest run if it has grown enough.
  void committed();
  /// Packs all that was committed. Throws Error when that fails.
  void pack_all();
  /// Held while something is packed; and by who changes flags of what may be being packed.
  [[nodiscard]] std::mutex& packing() noexcept { return packing_; }

 private:
  static constexpr std::size_t kMaxWaiting = 2;

  void loop(const std::stop_token& stop);
  void pack_oldest();

  const Rocks& rocks_;
  Tail& tail_;
  const bool sync_writes_;
  const std::size_t run_weight_;
  std::mutex packing_;
  std::condition_variable_any changed_;  ///< with Rocks::view
  std::string failure_;                  ///< of the last try; guarded by Rocks::view
  std::uint64_t tries_ = 0;              ///< likewise
  RunPacker run_packer_;
  std::jthread thread_;
};

}  // namespace tickpipe::internal
