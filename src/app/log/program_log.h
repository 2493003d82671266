#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/log.h"
#include "core/repeat_folder.h"
#include "core/unix_nanos.h"

namespace tickpipe::internal {

/// The program's log: lines `2026-01-15T22:00:00.123Z INFO [Component] message`, or JSON objects with `time`, `level`,
/// `component` and `message`, on stderr or appended to a file.
///
/// Text:     a line holds printable ASCII only. Every other byte becomes `\xNN`, whatever a caller passes, so that no
///           input starts a line or moves a terminal's cursor.
/// Folding:  core/repeat_folder.h; the owner calls tick() about once a second.
/// Failure:  a file that cannot be written is told once on stderr, where the lines then go until the file can be
/// written
///           again. Nothing is thrown, nobody waits.
/// Threads:  any; one at a time writes.
class ProgramLog final : public Log {
 public:
  enum class Format : std::uint8_t { kText, kJson };
  struct Settings {
    std::optional<LogLevel> level = LogLevel::kInfo;  ///< the least that is written; nothing = off
    Format format = Format::kText;
    std::string file;  ///< empty = stderr
  };

  /// `clock` outlives it. Throws ConfigError when the file cannot be opened.
  ProgramLog(const Clock& clock, Settings settings);
  ~ProgramLog() override;

  void write(LogLevel level, std::string_view component, std::string_view message) noexcept override;

  /// Takes other settings, and opens the file again even under the same path, as a log rotation needs it. Throws
  /// ConfigError when the file cannot be opened; the old settings then stay.
  void reconfigure(Settings settings);

  /// Writes the counts of repeated lines whose second is over.
  void tick() noexcept;

 private:
  class Output;
  void write_line(LogLevel level, std::string_view component, std::string_view message, UnixNanos time);

  const Clock& clock_;
  std::mutex mutex_;
  Settings settings_;
  std::unique_ptr<Output> output_;
  RepeatFolder folder_;
};

}  // namespace tickpipe::internal
