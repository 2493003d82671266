#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/bar_settings.h"

namespace tickpipe::internal {

struct RepairReport {
  std::vector<std::string> damage;  ///< what check_data() found, a line each; empty = nothing was to be repaired
  std::vector<std::string> lost;    ///< what is gone, a line each
  std::vector<std::string> notes;   ///< what was assumed or mended
  std::filesystem::path damaged;    ///< where the damaged store is kept
  std::string epoch;
  std::uint64_t commits = 0;
  std::uint64_t quotes = 0;
  std::uint64_t bars = 0;
};

/// Makes a sound store of a damaged one, with everything of it that can still be read, under a new epoch. Bars that are
/// missing, or hold fewer ticks than are stored, are folded from them; bars of which ticks are lost stay. `settings`
/// are assumed if those that the bars were cut by are lost. The damaged store is kept beside; until the repaired one is
/// complete and checked, nothing of it is changed.
/// Throws Error: no data, in use by another process, a disk that fails.
RepairReport repair_data(const std::filesystem::path& data_dir, const BarSettings& settings);

}  // namespace tickpipe::internal
