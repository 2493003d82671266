#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// What the check sums of one write-ahead log file of the database tell.
struct WalFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  /// Offset of the first record that is incomplete or does not fit its check sum; none when all are sound.
  std::optional<std::uint64_t> unsound_at;
  /// Whether sound records follow it: then it is damage, and not the end of what was being written. But a page of zeros
  /// in between is what a power cut leaves of pages that were not written yet when later ones were.
  bool is_damaged = false;
};

/// Reads all write-ahead log files in the folder of a database, oldest first. Also beside a process that writes, which
/// can look like an unsound end. The files' format: RocksDB's wiki, "Write Ahead Log File Format".
/// Throws Error when a file cannot be read.
std::vector<WalFile> scan_wal(const std::filesystem::path& database);

/// Hands each write of a write-ahead log file that is whole and sound to `take`, in order, whatever lies in between:
/// the bytes of a rocksdb::WriteBatch. Throws Error when the file cannot be read.
void for_each_sound_write(const std::filesystem::path& log, const std::function<void(std::string_view)>& take);

/// `db/000012.log is damaged at byte 34567: there are sound records behind that`
std::string describe_damage(const WalFile& file);

}  // namespace tickpipe::internal
