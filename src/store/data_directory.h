#pragma once

#include <filesystem>
#include <string>

namespace tickpipe::internal {

/// The folder of one system's data, held by at most one writing process.
///
/// Layout: `tickpipe.lock` (locked while a writer runs, holds its process id) and `db/` (the store).
class DataDirectory {
 public:
  /// Creates the folder if it is missing and locks it. Throws Error when another process writes there, naming it, or
  /// when the folder cannot be made or written.
  static DataDirectory lock(const std::filesystem::path& path);

  /// The same, but throws Error when there is no data in it.
  static DataDirectory lock_existing(const std::filesystem::path& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  [[nodiscard]] std::filesystem::path database() const { return path_ / "db"; }

 private:
  DataDirectory(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path path_;
  int fd_;
};

}  // namespace tickpipe::internal
