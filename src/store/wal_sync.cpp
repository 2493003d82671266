#include "store/wal_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <system_error>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

void sync_path(const std::filesystem::path& path, int flags, int (*sync)(int)) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) {
    if (errno == ENOENT) return;  // its content has gone to the tables meanwhile, which are synced
    throw Error("cannot sync " + path.string() + ": " + std::strerror(errno));
  }
  const int result = sync(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0) throw Error("cannot sync " + path.string() + ": " + std::strerror(error));
}

}  // namespace

void WalSync::sync() {
  std::uint64_t newest = newest_;
  std::error_code error;
  std::filesystem::directory_iterator files(database_, error);
  for (const std::filesystem::directory_iterator end; !error && files != end; files.increment(error)) {
    const std::filesystem::path& path = files->path();
    if (path.extension() != ".log") continue;
    const std::string stem = path.stem().string();
    std::uint64_t number = 0;
    const auto [rest, failure] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (failure != std::errc{} || rest != stem.data() + stem.size() || number < newest_) continue;
    sync_path(path, 0, ::fdatasync);
    newest = std::max(newest, number);
  }
  if (error) throw Error("cannot sync " + database_.string() + ": " + error.message());
  if (newest != newest_) sync_path(database_, O_DIRECTORY, ::fsync);  // the name of a new file
  newest_ = newest;
}

}  // namespace tickpipe::internal
