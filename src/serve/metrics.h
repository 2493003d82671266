#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "model/system_status.h"

namespace tickpipe::internal {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// The text exposition format of Prometheus, version 0.0.4.
std::string render_metrics(const SystemStats& stats, const HealthReport& health, bool is_ready);

/// To whole nanoseconds; what is no duration is 0.
std::chrono::nanoseconds seconds_of(double seconds) noexcept;

}  // namespace tickpipe::internal
