#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/process.h"
#include "support/temporary_folder.h"

namespace tickpipe::internal::testing {

/// Runs the real executable in a folder of its own.
class TickpipeTest : public ::testing::Test {
 protected:
  struct Result {
    int status = 0;
    std::string out;
    std::string err;
  };

  std::string file(const std::string& name, const std::string& text) const {
    write_file(folder_ / name, text);
    return folder_ / name;
  }
  [[nodiscard]] std::string data() const { return folder_ / "data"; }

  Result run(std::vector<std::string> arguments, const std::string& input = "/dev/null",
             const std::vector<std::string>& environment = {}) {
    arguments.insert(arguments.begin(), TICKPIPE_EXECUTABLE);
    Process process(std::move(arguments), folder_ / "run" + std::to_string(++runs_), input, environment);
    Result result;
    result.status = process.wait();
    result.out = process.out();
    result.err = process.err();
    return result;
  }

  /// Loads files into data() and returns the summary; the run must succeed.
  nlohmann::json backfill(const std::vector<std::string>& files, const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = {"backfill", "--data-dir", data()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), files.begin(), files.end());
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }

  std::string exported(const std::string& what, const std::string& symbol,
                       const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = {"export", what, "--symbol", symbol, "--data-dir", data()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  }

  TemporaryFolder folder_;
  int runs_ = 0;
};

/// The folder of real recordings; tests that need it are skipped loudly without.
inline std::string recordings() {
  const char* const folder = std::getenv("TICKPIPE_RECORDINGS");
  return folder != nullptr ? folder : "";
}

/// Splits text into lines without their ends.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from);
    lines.push_back(text.substr(from, end - from));
    from = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

inline std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (std::size_t from = 0;;) {
    const std::size_t end = line.find(',', from);
    fields.push_back(line.substr(from, end - from));
    if (end == std::string::npos) return fields;
    from = end + 1;
  }
}

}  // namespace tickpipe::internal::testing
