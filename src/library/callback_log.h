#pragma once

#include <tickpipe/pipeline_config.h>

#include <mutex>

#include "core/clock.h"
#include "core/log.h"
#include "core/repeat_folder.h"

namespace tickpipe::internal {

/// Gives the lines of a pipeline to the log of the program that embeds it: printable ASCII, repeated ones folded.
/// Threads: any; one call of the callback at a time. tick() about once a second.
class CallbackLog final : public Log {
 public:
  /// `clock` outlives it.
  CallbackLog(const Clock& clock, const tickpipe::PipelineConfig::Log& settings);
  ~CallbackLog() override;

  void write(LogLevel level, std::string_view component, std::string_view message) noexcept override;
  void tick() noexcept;

 private:
  const Clock& clock_;
  const LogCallback callback_;
  const tickpipe::LogLevel least_;
  std::mutex mutex_;
  RepeatFolder folder_;
};

}  // namespace tickpipe::internal
