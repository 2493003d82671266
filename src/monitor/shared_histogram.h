#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "model/system_status.h"

namespace tickpipe {

/// Counts durations in buckets whose width is at most 1/32 of their value, from 1 ns to 2^63 ns; negative ones count as
/// zero. The buckets are those of LatencyHistogram.
///
/// Threads: one writer; any readers at any time, who may miss what is being recorded meanwhile.
/// Cost:    record() is three relaxed loads and stores and no locked instruction; summary() reads 15 KiB.
class SharedHistogram {
 public:
  void record(std::chrono::nanoseconds latency, std::uint64_t times = 1) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    add(counts_[bucket_of(ns)], times);
    add(sum_, ns * times);
    if (ns > max_.load(std::memory_order_relaxed)) max_.store(ns, std::memory_order_relaxed);
  }

  [[nodiscard]] LatencySummary summary() const noexcept {
    std::array<std::uint64_t, kBuckets> counts;
    LatencySummary summary;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      counts[i] = counts_[i].load(std::memory_order_relaxed);
      summary.count += counts[i];
    }
    if (summary.count == 0) return summary;
    const std::uint64_t max = max_.load(std::memory_order_relaxed);
    summary.max = nanos(max);
    summary.average = nanos(std::min(sum_.load(std::memory_order_relaxed) / summary.count, max));
    summary.p50 = nanos(std::min(quantile(counts, summary.count, 0.50), max));
    summary.p99 = nanos(std::min(quantile(counts, summary.count, 0.99), max));
    return summary;
  }

 private:
  static constexpr unsigned kSubBits = 5;
  static constexpr std::uint64_t kSub = std::uint64_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = 60 * kSub;

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
  static std::uint64_t quantile(const std::array<std::uint64_t, kBuckets>& counts, std::uint64_t total,
                                double share) noexcept {
    const double wanted = share * static_cast<double>(total);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      seen += counts[i];
      if (seen != 0 && static_cast<double>(seen) >= wanted) return upper_edge(i);
    }
    return upper_edge(kBuckets - 1);
  }
  static std::chrono::nanoseconds nanos(std::uint64_t ns) noexcept {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(ns)};
  }
  /// There is one writer, so that nothing can come between the load and the store.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  alignas(64) std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace tickpipe
