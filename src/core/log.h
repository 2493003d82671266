#pragma once

#include <cstdint>
#include <string_view>

namespace tickpipe::internal {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };

/// Where the lines of a running pipeline go: `TIME LEVEL [Component] message`. Library code never prints; the program
/// writes these lines to a file or a terminal, and a program that embeds tickpipe takes them into its own log.
///
/// Text from outside (names of files, input of peers) must have gone through safe_text(). No secret goes in here.
/// Threads: any; must not block for long and must not throw.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view component, std::string_view message) noexcept = 0;

  void info(std::string_view component, std::string_view message) noexcept {
    write(LogLevel::kInfo, component, message);
  }
  void warn(std::string_view component, std::string_view message) noexcept {
    write(LogLevel::kWarn, component, message);
  }
  void error(std::string_view component, std::string_view message) noexcept {
    write(LogLevel::kError, component, message);
  }
};

/// Drops every line.
class NullLog final : public Log {
 public:
  void write(LogLevel /*level*/, std::string_view /*component*/, std::string_view /*message*/) noexcept override {}
};

}  // namespace tickpipe::internal
