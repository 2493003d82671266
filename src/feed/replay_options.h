#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/names.h"

namespace tickpipe::internal {

enum class ReplayFormat : std::uint8_t { kAuto, kCsv, kJsonLines };

/// What a replay is asked for.
struct ReplayOptions {
  std::string file;
  Name lp = *parse_lp("FILE");  ///< of rows that name none
  double speed = 1;             ///< how many times as fast as recorded; 0 = as fast as the pipeline takes it
  bool loop = false;            ///< starts over at the end; needs `restamp`
  bool restamp = false;         ///< the time of emission becomes the event time, and the quotes are live
  std::vector<Name> symbols;    ///< only these; empty = all
  ReplayFormat format = ReplayFormat::kAuto;
};

}  // namespace tickpipe::internal
