#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "serve/stream/stream_format.h"
#include "serve/stream/stream_messages.h"

namespace tickpipe::internal {

inline constexpr std::string_view kStatsChannel = "stats";
inline constexpr std::string_view kHealthChannel = "health";

/// A message from 1 KiB on is compressed for a client that takes that.
inline constexpr std::size_t kLeastDeflateBytes = 1024;

/// Appends a whole frame with that payload, compressed if it is worth it and `takes_deflate`.
void append_message(std::string& out, std::string_view payload, StreamFormat format, bool takes_deflate);

/// What the system says of itself, as a message: the JSON object that REST gives, with the name of its channel as
/// `type`. Each form of it is made once. Threads: one.
class StatusMessage {
 public:
  StatusMessage(std::string_view channel, const std::string& json, MessageEncoder::Counters& counters);
  /// Valid as long as this is.
  [[nodiscard]] std::string_view frame(StreamFormat format, bool takes_deflate);
  [[nodiscard]] const std::string& json() const noexcept { return json_; }

 private:
  std::string json_;
  MessageEncoder::Counters& counters_;
  std::array<std::string, 4> frames_;  ///< by format and compression
};

/// Decides when health is told again: when a state changed, and every ten seconds. Threads: one.
class HealthChanges {
 public:
  /// `json` is a health message. Asked again at the same `now` it answers the same.
  bool is_due(const std::string& json, std::chrono::steady_clock::time_point now);

 private:
  std::string states_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace tickpipe::internal
