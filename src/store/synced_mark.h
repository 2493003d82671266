#pragma once

#include <filesystem>
#include <optional>

#include "model/ids.h"

namespace tickpipe::internal {

/// Notes beside the database, in its file `SYNCED`, up to which commit it is known to be on the disk. A database that
/// ends before that has lost something: without the note, a log that was cut short would look like one that a crash
/// ended.
///
/// Format: the position and its complement, 8 bytes each, big-endian. Threads: one at a time.
class SyncedMark {
 public:
  explicit SyncedMark(const std::filesystem::path& database) : file_(database / "SYNCED") {}

  /// None when there is no note or it is damaged.
  [[nodiscard]] std::optional<Position> read() const;
  /// Overwrites the note. A failure leaves an older one, which claims less.
  void write(Position position) const noexcept;

 private:
  std::filesystem::path file_;
};

}  // namespace tickpipe::internal
