#pragma once

// What tests of the public library share. Uses include/tickpipe/ only, as a program that embeds it does.

#include <gtest/gtest.h>
#include <tickpipe/tickpipe.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "support/patience.h"
#include "support/temporary_folder.h"

namespace tickpipe::testing {

using internal::testing::eventually;
using internal::testing::TemporaryFolder;

inline Timestamp now() { return std::chrono::system_clock::now(); }

/// Lines that a pipeline has logged.
class LogLines {
 public:
  [[nodiscard]] LogCallback callback() {
    return [this](LogLevel level, std::string_view component, std::string_view message) {
      const std::lock_guard lock(mutex_);
      levels_.push_back(level);
      lines_.push_back("[" + std::string(component) + "] " + std::string(message));
    };
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  [[nodiscard]] std::size_t count(std::string_view start) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        lines_.begin(), lines_.end(), [start](const std::string& line) { return line.starts_with(start); }));
  }
  [[nodiscard]] bool has(std::string_view start) const { return count(start) != 0; }
  [[nodiscard]] bool has_level_below(LogLevel level) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(levels_.begin(), levels_.end(), [level](LogLevel each) { return each < level; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<LogLevel> levels_;
};

class EmbeddingTest : public ::testing::Test {
 protected:
  EmbeddingTest() {
    config_.data_dir = folder_ / "data";
    config_.worker_count = 2;
    config_.log.callback = log_.callback();
  }
  /// received = processed + refused + dropped, and nothing is under way.
  static void expect_settled(const Pipeline& pipeline, std::uint64_t received) {
    ASSERT_TRUE(eventually([&] { return pipeline.stats().ticks_in_flight == 0; }));
    const Statistics stats = pipeline.stats();
    EXPECT_EQ(stats.ticks_received, received);
    EXPECT_EQ(stats.ticks_received, stats.ticks_processed + stats.ticks_refused + stats.ticks_dropped);
  }

  TemporaryFolder folder_;
  LogLines log_;
  PipelineConfig config_;
};

}  // namespace tickpipe::testing
