#include "library/callback_log.h"

#include <string>

namespace tickpipe::internal {
namespace {

/// Parts have escaped what came from outside; this holds whatever they do. So a backslash stays.
std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 0xf]);
    }
  }
  return out;
}

}  // namespace

CallbackLog::CallbackLog(const Clock& clock, const tickpipe::PipelineConfig::Log& settings)
    : clock_(clock),
      callback_(settings.callback),
      least_(settings.level),
      folder_([this](LogLevel level, std::string_view component, std::string_view message, UnixNanos /*time*/) {
        callback_(static_cast<tickpipe::LogLevel>(level), component, printable(message));
      }) {
  static_assert(static_cast<int>(tickpipe::LogLevel::kError) == static_cast<int>(LogLevel::kError));
}

CallbackLog::~CallbackLog() {
  if (!callback_) return;
  try {
    folder_.forget_all(clock_.now());
  } catch (...) {  // of the program that embeds it
  }
}

void CallbackLog::write(LogLevel level, std::string_view component, std::string_view message) noexcept {
  if (!callback_ || static_cast<tickpipe::LogLevel>(level) < least_) return;
  try {
    const std::lock_guard lock(mutex_);
    folder_.take(level, component, message, clock_.now());
  } catch (...) {  // of the program that embeds it, or no memory for a line: it is lost
  }
}

void CallbackLog::tick() noexcept {
  if (!callback_) return;
  try {
    const std::lock_guard lock(mutex_);
    folder_.forget_old(clock_.now());
  } catch (...) {
  }
}

}  // namespace tickpipe::internal
