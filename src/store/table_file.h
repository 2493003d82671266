#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// A table file (`.sst`) of a database, read by itself.
struct TableFile {
  std::filesystem::path path;
  std::string family;   ///< the column family it is of; empty when that cannot be read
  std::string problem;  ///< empty when all its check sums fit
};

/// The table files in the folder of a database, by name. Throws Error when the folder cannot be read.
std::vector<std::filesystem::path> table_files(const std::filesystem::path& database);

/// Reads all of a table and checks the sums of its blocks.
TableFile verify_table(const std::filesystem::path& path);

/// Hands the entries of a damaged table that can be read to `take(key, value)`. What is between two damaged blocks may
/// be left out. Returns their number.
std::uint64_t for_each_sound_entry(const std::filesystem::path& path,
                                   const std::function<void(std::string_view, std::string_view)>& take);

/// `db/000017.sst (ticks) is damaged: block checksum mismatch`
std::string describe_damage(const TableFile& file);

}  // namespace tickpipe::internal
