#pragma once

#include <ostream>

#include "load/run.h"

namespace tickpipe::internal::load {

/// What a reader at a terminal wants to know first.
void write_summary(std::ostream& out, const Options& options, const RunResult& result);

}  // namespace tickpipe::internal::load
