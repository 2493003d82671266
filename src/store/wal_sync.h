#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

namespace tickpipe::internal {

/// Makes the write-ahead log of a database survive a power cut, beside the thread that writes it.
///
/// It syncs the files themselves. RocksDB's own SyncWAL() must not meet a log whose last write failed, and a full disk
/// can make one fail at any moment; a plain fdatasync() takes no part in that.
///
/// Threads: one at a time; the database may be written meanwhile.
class WalSync {
 public:
  explicit WalSync(std::filesystem::path database) : database_(std::move(database)) {}

  /// Syncs every log file that may have grown since the last call. Throws Error naming the file.
  void sync();

 private:
  std::filesystem::path database_;
  std::uint64_t newest_ = 0;  ///< number of the newest log file at the last call; older ones do not grow any more
};

}  // namespace tickpipe::internal
