#include "store/synced_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kSize = 16;

}  // namespace

std::optional<Position> SyncedMark::read() const {
  const int fd = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::array<char, kSize + 1> buffer{};
  const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
  ::close(fd);
  if (n != static_cast<ssize_t>(kSize)) return std::nullopt;
  ByteReader in(std::string_view(buffer.data(), kSize));
  const std::uint64_t position = in.u64();
  if (in.u64() != ~position) return std::nullopt;
  return Position{position};
}

void SyncedMark::write(Position position) const noexcept {
  const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  try {
    std::string note;
    ByteWriter out(note);
    out.u64(position.value);
    out.u64(~position.value);
    static_cast<void>(!::pwrite(fd, note.data(), note.size(), 0));
  } catch (...) {  // no memory: the older note stays
  }
  ::close(fd);
}

}  // namespace tickpipe::internal
