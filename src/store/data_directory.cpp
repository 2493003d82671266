#include "store/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace tickpipe::internal {
namespace {

std::string read_owner(int fd) {
  std::array<char, 32> buffer{};
  const ssize_t n = ::pread(fd, buffer.data(), buffer.size() - 1, 0);
  std::string owner(buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  while (!owner.empty() && (owner.back() == '\n' || owner.back() == '\0')) owner.pop_back();
  return owner;
}

}  // namespace

DataDirectory DataDirectory::lock(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  constexpr const char* kRemedy = "; let this user write there, or choose another --data-dir";
  if (error) throw Error("cannot create the data directory " + path.string() + ": " + error.message() + kRemedy);

  const std::filesystem::path file = path / "tickpipe.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw Error("cannot open " + file.string() + ": " + std::strerror(errno) + kRemedy);
  DataDirectory directory(path, fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw Error("cannot lock " + file.string() + ": " + std::strerror(errno));
    throw Error("the data directory " + path.string() + " is in use by process " + read_owner(fd) +
                ": stop that process or choose another --data-dir");
  }
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, owner.data(), owner.size(), 0) < 0) {
    throw Error("cannot write " + file.string() + ": " + std::strerror(errno));
  }
  return directory;
}

DataDirectory DataDirectory::lock_existing(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path / "db", error)) {
    throw Error("there is no tickpipe data in " + path.string() + ": name the right folder with --data-dir");
  }
  return lock(path);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

DataDirectory::~DataDirectory() {
  if (fd_ >= 0) ::close(fd_);  // unlocks
}

}  // namespace tickpipe::internal
