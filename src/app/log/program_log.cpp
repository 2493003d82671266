#include "app/log/program_log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <exception>
#include <utility>

#include "core/error.h"
#include "core/safe_text.h"
#include "core/timestamp_text.h"

namespace tickpipe::internal {
namespace {

std::string_view name_of(LogLevel level) noexcept {
  constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};
  return kNames[static_cast<std::size_t>(level)];
}

/// Appends `text` as printable ASCII. A backslash stays: callers have escaped their input once already.
void append_printable(std::string& out, std::string_view text, bool in_json) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string_view backslash = in_json ? "\\\\" : "\\";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out += backslash;
      out += 'x';
      out += kHex[byte >> 4];
      out += kHex[byte & 0xf];
    } else if (c == '\\') {
      out += backslash;
    } else if (c == '"' && in_json) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

struct Line {
  LogLevel level;
  std::string_view component;
  std::string_view message;
  UnixNanos time;
};

std::string text_of(const Line& line, ProgramLog::Format format) {
  const bool json = format == ProgramLog::Format::kJson;
  std::string text;
  text.reserve(96 + line.component.size() + line.message.size());
  text += json ? "{\"time\":\"" : "";
  text += format_rfc3339(line.time, 3);
  text += json ? "\",\"level\":\"" : " ";
  text += name_of(line.level);
  text += json ? "\",\"component\":\"" : " [";
  append_printable(text, line.component, json);
  text += json ? "\",\"message\":\"" : "] ";
  append_printable(text, line.message, json);
  text += json ? "\"}" : "";
  return text;
}

std::unique_ptr<spdlog::formatter> plain_text() { return std::make_unique<spdlog::pattern_formatter>("%v"); }

}  // namespace

/// Where finished lines go.
class ProgramLog::Output {
 public:
  explicit Output(const std::string& file) : name_(safe_text(file, 256)) {
    stderr_.set_formatter(plain_text());
    if (file.empty()) return;
    try {
      file_ = std::make_unique<spdlog::sinks::basic_file_sink_st>(file);
    } catch (const spdlog::spdlog_ex& error) {
      throw ConfigError("log.file: cannot open \"" + name_ + "\" (" + safe_text(error.what(), 256) +
                        "); name a file in a folder that can be written to");
    }
    file_->set_formatter(plain_text());
  }

  /// False if there is no file or it cannot be written; `why` then says why, once.
  bool put_in_file(const std::string& line, std::string& why) {
    if (file_ == nullptr) return false;
    try {
      file_->log({"", spdlog::level::info, line});
      file_->flush();
      has_failed_ = false;
      return true;
    } catch (const spdlog::spdlog_ex& error) {
      if (!std::exchange(has_failed_, true)) {
        why = "cannot write the log file \"" + name_ + "\" (" + safe_text(error.what(), 256) +
              "); its lines go to stderr until it can be written";
      }
      return false;
    }
  }
  void put_on_stderr(const std::string& line) { stderr_.log({"", spdlog::level::info, line}); }

 private:
  std::string name_;
  spdlog::sinks::stderr_sink_st stderr_;
  std::unique_ptr<spdlog::sinks::basic_file_sink_st> file_;
  bool has_failed_ = false;
};

ProgramLog::ProgramLog(const Clock& clock, Settings settings)
    : clock_(clock),
      settings_(std::move(settings)),
      output_(std::make_unique<Output>(settings_.file)),
      folder_([this](LogLevel level, std::string_view component, std::string_view message, UnixNanos time) {
        write_line(level, component, message, time);
      }) {}

ProgramLog::~ProgramLog() {
  try {
    folder_.forget_all(clock_.now());
  } catch (const std::exception&) {  // no memory for a line: it is lost
  }
}

void ProgramLog::reconfigure(Settings settings) {
  auto output = std::make_unique<Output>(settings.file);
  const std::lock_guard lock(mutex_);
  folder_.forget_all(clock_.now());
  settings_ = std::move(settings);
  output_ = std::move(output);
}

void ProgramLog::write(LogLevel level, std::string_view component, std::string_view message) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (!settings_.level || level < *settings_.level) return;
    folder_.take(level, component, message, clock_.now());
  } catch (const std::exception&) {  // no memory for a line: it is lost
  }
}

void ProgramLog::tick() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    folder_.forget_old(clock_.now());
  } catch (const std::exception&) {
  }
}

void ProgramLog::write_line(LogLevel level, std::string_view component, std::string_view message, UnixNanos time) {
  const Line line{level, component, message, time};
  const std::string text = text_of(line, settings_.format);
  std::string failure;
  if (output_->put_in_file(text, failure)) return;
  if (!failure.empty()) output_->put_on_stderr(text_of({LogLevel::kError, "Log", failure, time}, settings_.format));
  output_->put_on_stderr(text);
}

}  // namespace tickpipe::internal
