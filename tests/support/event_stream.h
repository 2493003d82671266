#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "support/http_client.h"

namespace tickpipe::internal::testing {

/// One block of a stream of Server-Sent Events.
struct ServerEvent {
  std::string event;
  std::string data;
  std::string id;
  std::string retry;
  std::string comment;

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(data, nullptr, false); }
};

/// Reads Server-Sent Events from this machine. Asks with HTTP/1.0, so that no proxy sends chunks.
class EventStream {
 public:
  EventStream(std::uint16_t port, const std::string& target, const std::string& came_last = {}) : http_(port) {
    http_.send("GET " + target + " HTTP/1.0\r\nHost: localhost\r\n" +
               (came_last.empty() ? "" : "Last-Event-ID: " + came_last + "\r\n") + "\r\n");
    head_ = http_.read(false).value_or(HttpReply{});
    in_ = http_.take_unread();
  }

  [[nodiscard]] const HttpReply& head() const { return head_; }

  /// The next block; nothing at the end of the stream or when `patience` passes first.
  std::optional<ServerEvent> next() {
    std::size_t end = 0;
    while ((end = in_.find("\n\n")) == std::string::npos) {
      pollfd wanted{http_.descriptor(), POLLIN, 0};
      if (::poll(&wanted, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
      char buffer[64 * 1024];
      const ssize_t count = ::recv(http_.descriptor(), buffer, sizeof buffer, 0);
      if (count <= 0) return std::nullopt;
      in_.append(buffer, static_cast<std::size_t>(count));
    }
    ServerEvent found;
    std::string_view rest(in_.data(), end);
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const std::size_t colon = line.find(": ");
      const std::string_view field = line.substr(0, colon);
      const std::string value(colon == std::string_view::npos ? "" : line.substr(colon + 2));
      if (field == "event") found.event = value;
      if (field == "data") found.data += value;
      if (field == "id") last_id = found.id = value;
      if (field == "retry") found.retry = value;
      if (field.empty()) found.comment = value;
    }
    in_.erase(0, end + 2);
    return found;
  }
  /// The next block that is an event.
  std::optional<ServerEvent> next_event() {
    while (auto found = next()) {
      if (!found->event.empty()) return found;
    }
    return std::nullopt;
  }
  /// `SYMBOL SEQ` of the next event if it is a tick, or what else it is.
  std::string next_tick() {
    const auto found = next_event();
    if (!found) return "nothing";
    if (found->event != "tick") return found->event + " " + found->json().value("symbol", "");
    const auto tick = found->json();
    return tick.value("symbol", "") + " " + std::to_string(tick.value("seq", 0));
  }

  std::chrono::milliseconds patience{60'000};
  std::string last_id;

 private:
  HttpClient http_;
  HttpReply head_;
  std::string in_;
};

}  // namespace tickpipe::internal::testing
