#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "model/ids.h"

namespace tickpipe::internal {

/// Tells, as the file `BACKUP` in its folder, that a database is a copy. Who first opens a copy to write gives it
/// another epoch and removes the mark: from there on it numbers its quotes differently from the original.
class BackupMark {
 public:
  explicit BackupMark(const std::filesystem::path& database) : file_(database / "BACKUP") {}

  [[nodiscard]] bool is_set() const;
  /// Throws Error.
  void set() const;
  /// Throws Error.
  void remove() const;

 private:
  std::filesystem::path file_;
};

struct BackupSummary {
  std::string epoch;        ///< of the original
  Position newest;          ///< of the commits that the copy holds
  std::uint64_t files = 0;  ///< of the database
  std::uint64_t bytes = 0;
  std::uint64_t linked_bytes = 0;  ///< of them shared with the original and not copied
  std::chrono::nanoseconds taken{0};
};

/// Copies a data directory to `target`, also beside a process that writes it: the copy holds every commit up to one
/// that was made while this ran, synced to the disk. Tables, which never change, are hard-linked where the file system
/// can; the rest is copied, and the copy is opened to see that it can be read. `target` must be missing or empty; it
/// appears when it is complete. Throws Error, and leaves no part of a copy.
BackupSummary back_up(const std::filesystem::path& data_dir, const std::filesystem::path& target);

}  // namespace tickpipe::internal
