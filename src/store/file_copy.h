#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

#include "core/error.h"

namespace tickpipe::internal {

/// A file that was listed does not exist any more.
class FileIsGone : public Error {
 public:
  using Error::Error;
};

/// Links `from` as `to`, or copies it where the file system has no such link. Returns whether it was linked. The file
/// must not change any more. Throws FileIsGone when `from` does not exist, else Error.
bool link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

/// Copies the first `limit` bytes of a file, or all if it has less, and syncs the copy. Returns their number. Throws
/// FileIsGone when `from` does not exist, else Error.
std::uint64_t copy_content(const std::filesystem::path& from, const std::filesystem::path& to,
                           std::uint64_t limit = std::numeric_limits<std::uint64_t>::max());

/// Makes the names in a folder survive a power cut. Throws Error.
void sync_folder(const std::filesystem::path& folder);

}  // namespace tickpipe::internal
