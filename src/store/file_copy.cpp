#include "store/file_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace tickpipe::internal {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;

class File {
 public:
  File(const std::filesystem::path& path, int flags) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ >= 0) return;
    const std::string text = "cannot open " + path_.string() + ": " + std::strerror(errno);
    if (errno == ENOENT) throw FileIsGone(text);
    throw Error(text);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t read(std::vector<char>& buffer, std::size_t limit) const {
    const ssize_t n = ::read(fd_, buffer.data(), std::min(buffer.size(), limit));
    if (n < 0) fail("read");
    return static_cast<std::size_t>(n);
  }
  void write(const char* data, std::size_t size) const {
    while (size != 0) {
      const ssize_t n = ::write(fd_, data, size);
      if (n < 0) fail("write");
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }
  void sync() const {
    if (::fsync(fd_) != 0) fail("sync");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error("cannot " + std::string(what) + " " + path_.string() + ": " + std::strerror(errno));
  }

  const std::filesystem::path& path_;
  int fd_;
};

}  // namespace

bool link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  const int error = errno;
  const std::string text = "cannot link " + from.string() + " as " + to.string() + ": " + std::strerror(error);
  if (error == ENOENT) throw FileIsGone(text);
  if (error == EEXIST) throw Error(text);
  copy_content(from, to);  // another file system, or one without links
  return false;
}

std::uint64_t copy_content(const std::filesystem::path& from, const std::filesystem::path& to, std::uint64_t limit) {
  const File in(from, O_RDONLY);
  const File out(to, O_WRONLY | O_CREAT | O_EXCL);
  std::vector<char> buffer(kBufferSize);
  std::uint64_t copied = 0;
  while (copied < limit) {
    const std::size_t n =
        in.read(buffer, static_cast<std::size_t>(std::min<std::uint64_t>(limit - copied, kBufferSize)));
    if (n == 0) break;
    out.write(buffer.data(), n);
    copied += n;
  }
  out.sync();
  return copied;
}

void sync_folder(const std::filesystem::path& folder) { File(folder, O_RDONLY | O_DIRECTORY).sync(); }

}  // namespace tickpipe::internal
