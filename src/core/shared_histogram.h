#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/latency_histogram.h"

namespace tickpipe::internal {

/// Durations of one stage since start.
struct LatencySummary {
  std::uint64_t count = 0;
  std::chrono::nanoseconds average{0};
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};
};

/// What several histograms hold together.
struct LatencyTotals {
  std::array<std::uint64_t, LatencyHistogram::kBuckets> counts{};
  std::uint64_t sum_ns = 0;
  std::uint64_t max_ns = 0;

  [[nodiscard]] LatencySummary summary() const noexcept {
    LatencySummary summary;
    for (const std::uint64_t count : counts) summary.count += count;
    if (summary.count == 0) return summary;
    summary.average = std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(sum_ns / summary.count, max_ns))};
    summary.p50 = quantile(0.5, summary.count);
    summary.p99 = quantile(0.99, summary.count);
    summary.max = std::chrono::nanoseconds{static_cast<std::int64_t>(max_ns)};
    return summary;
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds quantile(double share, std::uint64_t total) const noexcept {
    const double wanted = share * static_cast<double>(total);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      seen += counts[i];
      if (seen == 0 || static_cast<double>(seen) < wanted) continue;
      return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(LatencyHistogram::upper_edge(i), max_ns))};
    }
    return std::chrono::nanoseconds{static_cast<std::int64_t>(max_ns)};
  }
};

/// A LatencyHistogram that others may read while its owner writes. One writer, any readers.
/// Cost: record() is three plain stores; 15 KiB.
///
/// A reader that meets a record half way through sees the maximum first, then the count, then the sum, and reads them
/// the other way round: what is in a sum it saw is in the counts and in the maximum it sees, so that an average is never
/// above the maximum. It may be low by what was recorded while it read.
class SharedHistogram {
 public:
  void record(std::chrono::nanoseconds latency, std::uint64_t times = 1) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    if (ns > max_ns_.load(std::memory_order_relaxed)) max_ns_.store(ns, std::memory_order_release);
    add(counts_[LatencyHistogram::bucket_of(ns)], times);
    add(sum_ns_, ns * times);
  }

  [[nodiscard]] LatencySummary summary() const noexcept {
    LatencyTotals total;
    add_to(total);
    return total.summary();
  }

  /// Adds what was recorded so far to `total`.
  void add_to(LatencyTotals& total) const noexcept {
    total.sum_ns += sum_ns_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < counts_.size(); ++i) total.counts[i] += counts_[i].load(std::memory_order_acquire);
    total.max_ns = std::max(total.max_ns, max_ns_.load(std::memory_order_relaxed));
  }

 private:
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_release);
  }
  std::array<std::atomic<std::uint64_t>, LatencyHistogram::kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

}  // namespace tickpipe::internal
