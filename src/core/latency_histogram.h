#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tickpipe::internal {

/// Counts durations in buckets whose width is at most 1/32 of their value, from 1 ns to 2^63 ns; negative ones count as
/// zero. One thread. Cost: record() is one addition; no allocation.
class LatencyHistogram {
 public:
  void record(std::chrono::nanoseconds latency, std::uint64_t times = 1) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    counts_[bucket_of(ns)] += times;
    total_ += times;
    max_ = std::max(max_, ns);
  }

  /// The upper edge of the bucket that holds the given share (0 to 1) of what was recorded; zero when nothing was.
  [[nodiscard]] std::chrono::nanoseconds quantile(double share) const noexcept {
    if (total_ == 0) return {};
    const double wanted = share * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) {
        return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(upper_edge(i), max_))};
      }
    }
    return max();
  }
  [[nodiscard]] std::chrono::nanoseconds max() const noexcept {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(max_)};
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return total_; }

  // The buckets, for other histograms that count alike.
  static constexpr unsigned kSubBits = 5;
  static constexpr std::uint64_t kSub = std::uint64_t{1} << kSubBits;

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < kSub) return static_cast<std::size_t>(ns);
    const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - kSubBits - 1;
    return static_cast<std::size_t>(shift * kSub + (ns >> shift));
  }
  static std::uint64_t upper_edge(std::size_t bucket) noexcept {
    if (bucket < 2 * kSub) return bucket;
    const std::uint64_t shift = bucket / kSub - 1;
    return ((bucket - shift * kSub + 1) << shift) - 1;
  }
  static constexpr std::size_t kBuckets = 60 * kSub;

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace tickpipe::internal
