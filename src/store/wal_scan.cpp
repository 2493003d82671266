#include "store/wal_scan.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "core/crc32c.h"
#include "core/error.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kBlockSize = 32'768;
constexpr std::size_t kPageSize = 4096;
constexpr std::size_t kHeaderSize = 7;             // check sum, length, type
constexpr std::size_t kRecyclableHeaderSize = 11;  // and the number of the file
constexpr std::uint8_t kFirstRecyclableType = 5;
constexpr std::uint8_t kLastRecyclableType = 8;

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

/// RocksDB rotates and shifts the sums that it stores next to what they are of.
std::uint32_t masked(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

/// The size of the sound record that `block` begins with; 0 when there is none.
std::size_t sound_record(std::string_view block) {
  if (block.size() < kHeaderSize) return 0;
  const std::size_t length = little_endian(block.substr(4, 2));
  const auto type = static_cast<std::uint8_t>(block[6]);
  const bool is_recyclable = type >= kFirstRecyclableType && type <= kLastRecyclableType;
  const std::size_t header = is_recyclable ? kRecyclableHeaderSize : kHeaderSize;
  if (type == 0 || header + length > block.size()) return 0;
  // The sum is of the type and all that follows it.
  const std::uint32_t sum = crc32c(block.substr(6, header + length - 6));
  return masked(sum) == little_endian(block.substr(0, 4)) ? header + length : 0;
}

bool is_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

/// Whether a page that begins in the block within [from, to) was never written.
bool has_hole(std::string_view block, std::size_t from, std::size_t to) {
  for (std::size_t page = (from + kPageSize - 1) / kPageSize * kPageSize; page + kPageSize <= to; page += kPageSize) {
    if (is_zero(block.substr(page, kPageSize))) return true;
  }
  return false;
}

/// Looks at one block; sound records behind an unsound one need not be where that one says that it ends. Returns
/// whether all is known of the file.
bool scan_block(std::string_view block, std::uint64_t at, WalFile& file) {
  std::size_t offset = 0;
  std::size_t unsound_from = 0;
  while (offset < block.size()) {
    const std::string_view rest = block.substr(offset);
    if (rest.size() < kHeaderSize && is_zero(rest)) return false;  // no header fits: padding
    const std::size_t size = sound_record(rest);
    if (size != 0) {
      if (file.unsound_at) {
        file.is_damaged = !has_hole(block, unsound_from, offset);
        return true;
      }
      offset += size;
      continue;
    }
    if (!file.unsound_at) {
      file.unsound_at = at + offset;
      unsound_from = offset;
    }
    ++offset;
  }
  return file.unsound_at && has_hole(block, unsound_from, block.size());
}

/// Hands each block of the file to `take(block, offset)`.
template <typename Take>
void for_each_block(const std::filesystem::path& path, Take take) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error("cannot read " + path.string() + ": " + std::strerror(errno));
  std::string block(kBlockSize, '\0');
  std::uint64_t at = 0;
  ssize_t n = 0;
  do {
    std::size_t filled = 0;
    while (filled < block.size() && (n = ::read(fd, block.data() + filled, block.size() - filled)) > 0) {
      filled += static_cast<std::size_t>(n);
    }
    take(std::string_view(block).substr(0, filled), at);
    at += filled;
  } while (n > 0);
  const int error = errno;
  ::close(fd);
  if (n < 0) throw Error("cannot read " + path.string() + ": " + std::strerror(error));
}

WalFile scan_file(const std::filesystem::path& path) {
  WalFile file;
  file.path = path;
  bool is_known = false;
  for_each_block(path, [&](std::string_view block, std::uint64_t at) {
    is_known = is_known || scan_block(block, at, file);
    file.bytes += block.size();
  });
  return file;
}

/// Puts records together to the writes that they are the parts of.
class WriteAssembler {
 public:
  explicit WriteAssembler(const std::function<void(std::string_view)>& take) : take_(take) {}

  void on_unsound() { is_open_ = false; }
  void on_record(std::string_view record) {
    auto type = static_cast<std::uint8_t>(record[6]);
    const bool is_recyclable = type >= kFirstRecyclableType && type <= kLastRecyclableType;
    if (is_recyclable) type -= kFirstRecyclableType - kFull;
    const std::string_view part = record.substr(is_recyclable ? kRecyclableHeaderSize : kHeaderSize);
    if (type == kFull || type == kFirst) {
      write_ = part;
      is_open_ = true;
    } else if ((type == kMiddle || type == kLast) && is_open_) {
      write_ += part;
    } else {
      return;  // not of a write, or of one whose beginning is lost
    }
    if (type == kFull || type == kLast) {
      is_open_ = false;
      take_(write_);
    }
  }

 private:
  static constexpr std::uint8_t kFull = 1;
  static constexpr std::uint8_t kFirst = 2;
  static constexpr std::uint8_t kMiddle = 3;
  static constexpr std::uint8_t kLast = 4;

  const std::function<void(std::string_view)>& take_;
  std::string write_;
  bool is_open_ = false;
};

}  // namespace

std::vector<WalFile> scan_wal(const std::filesystem::path& database) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  std::filesystem::directory_iterator entries(database, error);
  for (const std::filesystem::directory_iterator end; !error && entries != end; entries.increment(error)) {
    if (entries->path().extension() == ".log") paths.push_back(entries->path());
  }
  if (error) throw Error("cannot read " + database.string() + ": " + error.message());
  std::sort(paths.begin(), paths.end());  // their names are numbers of one width
  std::vector<WalFile> files;
  for (const auto& path : paths) files.push_back(scan_file(path));
  return files;
}

void for_each_sound_write(const std::filesystem::path& log, const std::function<void(std::string_view)>& take) {
  WriteAssembler assembler(take);
  for_each_block(log, [&](std::string_view block, std::uint64_t /*at*/) {
    std::size_t offset = 0;
    while (offset < block.size()) {
      const std::string_view rest = block.substr(offset);
      if (rest.size() < kHeaderSize && is_zero(rest)) return;
      const std::size_t size = sound_record(rest);
      if (size != 0) {
        assembler.on_record(rest.substr(0, size));
      } else {
        assembler.on_unsound();
      }
      offset += std::max<std::size_t>(size, 1);
    }
  });
}

std::string describe_damage(const WalFile& file) {
  return file.path.string() + " is damaged at byte " + std::to_string(file.unsound_at.value_or(0)) +
         ": there are sound records behind that";
}

}  // namespace tickpipe::internal
