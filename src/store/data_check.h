#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/store_content.h"

namespace tickpipe::internal {

struct DataReport {
  std::vector<std::string> problems;  ///< a line each; none: all that was committed is there and can be read
  std::vector<std::string> notes;     ///< what earlier repairs found missing
  std::uint64_t commits = 0;
  std::uint64_t quotes = 0;
  std::uint64_t bars = 0;
};

/// Reads every byte of a database that nobody writes and compares it with its check sums and with itself. Changes
/// nothing. Throws Error when there is no database.
DataReport check_data(const std::filesystem::path& database);

/// What does not fit in the content itself.
void compare_content(const StoreContent& content, DataReport& report);

}  // namespace tickpipe::internal
