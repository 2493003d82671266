#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "load/run.h"

namespace tickpipe::internal::load {

/// All figures of a run and the command line that led to them. Latencies are in microseconds.
nlohmann::ordered_json make_report(const Options& options, const RunResult& result);

/// Which side was at its limit: "server" or "load generator" if a single thread of it was busy for 90 % of the time,
/// else "machine" if all cores were for 95 %, else "none".
std::string saturated_side(const Measurement& measurement);

}  // namespace tickpipe::internal::load
