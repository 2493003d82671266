#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/latency_histogram.h"

namespace tickpipe::internal::load {

/// Microseconds in the buckets of LatencyHistogram (exact below 64, then at most 1/32 wide). Unlike that one it can be
/// added to another, so that each thread has its own.
class Latencies {
 public:
  void record(std::int64_t us) noexcept {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0));
    ++counts_[LatencyHistogram::bucket_of(value)];
    ++total_;
    max_ = std::max(max_, value);
  }

  void add(const Latencies& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = std::max(max_, other.max_);
  }

  /// The upper edge of the bucket that holds the given share (0 to 1); zero when nothing was recorded.
  [[nodiscard]] std::uint64_t quantile(double share) const noexcept {
    const double wanted = share * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) return std::min(LatencyHistogram::upper_edge(i), max_);
    }
    return max_;
  }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return total_; }

 private:
  std::array<std::uint64_t, LatencyHistogram::kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace tickpipe::internal::load
