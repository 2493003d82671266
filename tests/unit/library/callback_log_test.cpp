#include "library/callback_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace tickpipe::internal {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CallbackLogTest : public ::testing::Test {
 protected:
  tickpipe::PipelineConfig::Log settings() {
    tickpipe::PipelineConfig::Log settings;
    settings.callback = [this](tickpipe::LogLevel level, std::string_view component, std::string_view message) {
      constexpr const char* kNames[] = {"trace", "debug", "info", "warn", "error"};
      lines_.push_back(std::string(kNames[static_cast<int>(level)]) + " " + std::string(component) + " " +
                       std::string(message));
    };
    return settings;
  }

  ManualClock clock_{UnixNanos{1'770'000'000LL * kNanosPerSecond}};
  std::vector<std::string> lines_;
};

TEST_F(CallbackLogTest, LinesGoToTheCallback) {
  CallbackLog log(clock_, settings());
  log.info("Pipeline", "started");
  log.error("Storage", "failed");
  EXPECT_THAT(lines_, ElementsAre("info Pipeline started", "error Storage failed"));
}

TEST_F(CallbackLogTest, LinesBelowTheLevelAreLeftOut) {
  auto least = settings();
  least.level = tickpipe::LogLevel::kError;
  CallbackLog log(clock_, least);
  log.warn("Storage", "slow");
  log.error("Storage", "failed");
  least.level = tickpipe::LogLevel::kOff;
  CallbackLog off(clock_, least);
  off.error("Storage", "failed");
  EXPECT_THAT(lines_, ElementsAre("error Storage failed"));
}

TEST_F(CallbackLogTest, WhatIsNotPrintableIsEscaped) {
  CallbackLog log(clock_, settings());
  log.info("Stream", "a\nb\x1b[2J \xff \\x0a");
  EXPECT_THAT(lines_, ElementsAre("info Stream a\\x0ab\\x1b[2J \\xff \\x0a"));
}

TEST_F(CallbackLogTest, RepeatedLinesAreFolded) {
  {
    CallbackLog log(clock_, settings());
    for (int i = 0; i < 5; ++i) log.warn("Storage", "full");
    EXPECT_THAT(lines_, ElementsAre("warn Storage full"));
    clock_.advance(1s);
    log.tick();
    EXPECT_THAT(lines_, ElementsAre("warn Storage full", "warn Storage full (repeated 4 times)"));
    lines_.clear();
    log.warn("Storage", "full");
    log.warn("Storage", "full");
  }
  EXPECT_THAT(lines_, ElementsAre("warn Storage full", "warn Storage full (repeated once)"));
}

TEST_F(CallbackLogTest, ACallbackMayThrowOrBeAbsent) {
  auto throwing = settings();
  throwing.callback = [](tickpipe::LogLevel, std::string_view, std::string_view) { throw 1; };
  CallbackLog log(clock_, throwing);
  log.info("Pipeline", "started");
  CallbackLog silent(clock_, {});
  silent.info("Pipeline", "started");
  silent.tick();
  EXPECT_THAT(lines_, IsEmpty());
}

}  // namespace
}  // namespace tickpipe::internal
