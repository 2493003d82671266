#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "store/rocks.h"

namespace tickpipe::internal {

/// What is wrong with the files of a database, a line each; empty when all can be read. Throws Error when the folder
/// cannot be read.
std::vector<std::string> find_damaged_files(const std::filesystem::path& database);

/// Makes in the folder `copy`, which must not exist, a database of everything in `database` that is sound, and opens
/// it. Tables are hard-linked; `database` stays as it is. Of entries that were written several times an older value may
/// come back, and some that were deleted. Throws Error when the disk fails.
Rocks salvage(const std::filesystem::path& database, const std::filesystem::path& copy);

}  // namespace tickpipe::internal
