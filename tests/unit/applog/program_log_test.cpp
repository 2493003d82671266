#include "app/log/program_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::string>;

Lines read_lines(const std::string& file) {
  std::ifstream in(file);
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The lines without their time.
Lines without_time(const Lines& lines) {
  Lines out;
  for (const std::string& line : lines) out.push_back(line.substr(std::min(line.find(' ') + 1, line.size())));
  return out;
}

class ProgramLogTest : public ::testing::Test {
 protected:
  ProgramLog::Settings settings(std::optional<LogLevel> level = LogLevel::kInfo,
                                ProgramLog::Format format = ProgramLog::Format::kText) const {
    return {level, format, file_};
  }
  [[nodiscard]] Lines lines() const { return without_time(read_lines(file_)); }

  testing::TemporaryFolder folder_;
  const std::string file_ = folder_ / "tickpipe.log";
  ManualClock clock_{UnixNanos{1768514400123456789}};
};

TEST_F(ProgramLogTest, ATextLineHasTimeLevelComponentAndMessage) {
  ProgramLog log(clock_, settings(LogLevel::kTrace));
  log.info("Pipeline", "Started with 4 workers");
  log.warn("A", "b");
  log.error("A", "b");
  log.write(LogLevel::kDebug, "A", "b");
  log.write(LogLevel::kTrace, "A", "b");
  EXPECT_EQ(read_lines(file_), (Lines{"2026-01-15T22:00:00.123Z INFO [Pipeline] Started with 4 workers",
                                      "2026-01-15T22:00:00.123Z WARN [A] b", "2026-01-15T22:00:00.123Z ERROR [A] b",
                                      "2026-01-15T22:00:00.123Z DEBUG [A] b", "2026-01-15T22:00:00.123Z TRACE [A] b"}));
}

TEST_F(ProgramLogTest, AJsonLineIsOneObject) {
  ProgramLog log(clock_, settings(LogLevel::kInfo, ProgramLog::Format::kJson));
  log.info("API", "a \"b\" \\ \n\xC3\xA9");
  EXPECT_EQ(
      read_lines(file_),
      (Lines{
          R"({"time":"2026-01-15T22:00:00.123Z","level":"INFO","component":"API","message":"a \"b\" \\ \\x0a\\xc3\\xa9"})"}));
}

TEST_F(ProgramLogTest, NoInputStartsALineOrLeavesPrintableAscii) {
  ProgramLog log(clock_, settings());
  log.info("A\n", std::string_view("x\r\ny\x1b[1m\x7f\0z\xE2\x80\xAE \\x41", 19));
  EXPECT_EQ(lines(), (Lines{"INFO [A\\x0a] x\\x0d\\x0ay\\x1b[1m\\x7f\\x00z\\xe2\\x80\\xae \\x41"}));
}

TEST_F(ProgramLogTest, LinesBelowTheLevelAreDroppedAndOffDropsAll) {
  ProgramLog log(clock_, settings(LogLevel::kWarn));
  log.info("A", "info");
  log.warn("A", "warn");
  log.reconfigure(settings(std::nullopt));
  log.error("A", "error");
  EXPECT_EQ(lines(), (Lines{"WARN [A] warn"}));
}

TEST_F(ProgramLogTest, RepeatsAreCountedUntilSomethingElseIsWritten) {
  ProgramLog log(clock_, settings());
  for (int i = 0; i < 5; ++i) log.info("A", "same");
  log.warn("A", "same");
  log.warn("A", "same");
  log.info("B", "same");
  EXPECT_EQ(lines(), (Lines{"INFO [A] same", "INFO [A] same (repeated 4 times)", "WARN [A] same",
                            "WARN [A] same (repeated once)", "INFO [B] same"}));
}

TEST_F(ProgramLogTest, LinesThatTakeTurnsAreFoldedToo) {
  ProgramLog log(clock_, settings());
  for (int i = 0; i < 100; ++i) log.info("A", i % 2 == 0 ? "even" : "odd");
  clock_.advance(seconds{1});
  log.tick();
  EXPECT_EQ(lines(), (Lines{"INFO [A] even", "INFO [A] odd", "INFO [A] even (repeated 49 times)",
                            "INFO [A] odd (repeated 49 times)"}));
}

TEST_F(ProgramLogTest, AfterASecondACountIsToldAndTheLineIsWrittenAgain) {
  ProgramLog log(clock_, settings());
  log.info("A", "same");
  log.info("A", "same");
  clock_.advance(milliseconds{999});
  log.tick();
  EXPECT_EQ(lines().size(), 1U);
  clock_.advance(milliseconds{1});
  log.tick();
  log.tick();
  EXPECT_EQ(lines(), (Lines{"INFO [A] same", "INFO [A] same (repeated once)"}));
  log.info("A", "same");
  clock_.advance(seconds{30});
  log.info("A", "same");
  EXPECT_EQ(lines().size(), 4U);
}

TEST_F(ProgramLogTest, AClockThatWasSetBackHidesNothing) {
  ProgramLog log(clock_, settings());
  log.info("A", "same");
  clock_.advance(-seconds{3600});
  log.info("A", "same");
  EXPECT_EQ(lines(), (Lines{"INFO [A] same", "INFO [A] same"}));
}

TEST_F(ProgramLogTest, TheEndTellsWhatIsCounted) {
  {
    ProgramLog log(clock_, settings());
    for (int i = 0; i < 3; ++i) log.info("A", "same");
  }
  EXPECT_EQ(lines().back(), "INFO [A] same (repeated 2 times)");
}

TEST_F(ProgramLogTest, ManyDifferentLinesAreAllWritten) {
  ProgramLog log(clock_, settings());
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) log.info("A", std::to_string(i));
  }
  EXPECT_EQ(lines().size(), 200U);  // each is out of memory when it comes again
}

TEST_F(ProgramLogTest, AFileIsAppendedTo) {
  std::ofstream(file_) << "old\n";
  ProgramLog log(clock_, settings());
  log.info("A", "new");
  EXPECT_EQ(read_lines(file_).size(), 2U);
  EXPECT_EQ(read_lines(file_).at(0), "old");
}

TEST_F(ProgramLogTest, ReconfigureOpensTheSamePathAgainAfterARotation) {
  ProgramLog log(clock_, settings());
  log.info("A", "before");
  const std::string rotated = folder_ / "tickpipe.log.1";
  ASSERT_EQ(std::rename(file_.c_str(), rotated.c_str()), 0);
  log.info("A", "between");
  log.info("A", "between");
  log.reconfigure(settings());
  log.info("A", "after");
  EXPECT_EQ(without_time(read_lines(rotated)),
            (Lines{"INFO [A] before", "INFO [A] between", "INFO [A] between (repeated once)"}));
  EXPECT_EQ(lines(), (Lines{"INFO [A] after"}));
}

TEST_F(ProgramLogTest, AFileThatCannotBeOpenedIsAnErrorAndTheOldOneStays) {
  std::ofstream(folder_ / "plain") << "x";
  ProgramLog::Settings bad = settings();
  bad.file = folder_ / "plain/tickpipe.log";
  EXPECT_THROW(ProgramLog(clock_, bad), ConfigError);
  ProgramLog log(clock_, settings());
  try {
    log.reconfigure(bad);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("log.file"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("plain/tickpipe.log"), std::string::npos);
  }
  log.info("A", "still here");
  EXPECT_EQ(lines(), (Lines{"INFO [A] still here"}));
}

TEST_F(ProgramLogTest, WithoutAFileLinesGoToStderr) {
  ::testing::internal::CaptureStderr();
  {
    ProgramLog log(clock_, {});
    log.info("A", "hello");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "2026-01-15T22:00:00.123Z INFO [A] hello\n");
}

TEST_F(ProgramLogTest, WhatAFullDiskDoesNotTakeGoesToStderrWithOneReason) {
  if (!std::ifstream("/dev/full").is_open()) GTEST_SKIP() << "no /dev/full here";
  ::testing::internal::CaptureStderr();
  {
    ProgramLog log(clock_, {LogLevel::kInfo, ProgramLog::Format::kText, "/dev/full"});
    log.info("A", "one");
    log.info("A", "two");
  }
  const std::string out = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3) << out;
  const std::size_t reason = out.find("ERROR [Log] cannot write the log file \"/dev/full\"");
  EXPECT_NE(reason, std::string::npos) << out;
  EXPECT_EQ(out.find("ERROR", reason + 1), std::string::npos);
  EXPECT_NE(out.find("INFO [A] one\n"), std::string::npos);
  EXPECT_NE(out.find("INFO [A] two\n"), std::string::npos);
}

TEST_F(ProgramLogTest, ThreadsLoseAndMixNothing) {
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  ProgramLog log(clock_, settings());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kLines; ++i) log.info("T" + std::to_string(t), std::to_string(i));
      });
    }
  }
  Lines written = lines();
  std::sort(written.begin(), written.end());
  Lines expected;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kLines; ++i) expected.push_back("INFO [T" + std::to_string(t) + "] " + std::to_string(i));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(written, expected);
}

}  // namespace
}  // namespace tickpipe::internal
