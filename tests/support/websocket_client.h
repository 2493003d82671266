#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/http_client.h"
#include "support/websocket_client_frames.h"

namespace tickpipe::internal::testing {

/// A frame as a server sends it.
struct ServerFrame {
  WsOpcode opcode = WsOpcode::kText;
  bool is_compressed = false;
  std::string payload;

  /// Of a close frame; 1005: none.
  [[nodiscard]] unsigned close_code() const {
    if (payload.size() < 2) return 1005;
    return static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
  }
};

/// A blocking WebSocket client of a server on this machine. Answers pings unless told not to.
class WebSocketClient {
 public:
  explicit WebSocketClient(std::uint16_t port, const std::string& target = "/ws", const std::string& headers = {})
      : http_(port) {
    reply_ = http_
                 .ask("GET " + target +
                      " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                      headers + "\r\n")
                 .value_or(HttpReply{});
    in_ = http_.take_unread();
  }

  /// The answer to the handshake.
  [[nodiscard]] const HttpReply& handshake() const { return reply_; }
  [[nodiscard]] int descriptor() const { return http_.descriptor(); }

  bool send_bytes(std::string_view bytes) { return http_.send(bytes); }
  bool send(std::string_view text) { return send_bytes(client_text(text)); }
  bool send_json(const nlohmann::json& message) { return send(message.dump()); }
  void close() { http_.close(); }

  /// The next frame; nothing at the end of the connection or after `patience`.
  std::optional<ServerFrame> read_frame() {
    while (true) {
      if (auto frame = take_frame()) return frame;
      if (!receive()) return std::nullopt;
    }
  }
  /// The next message, as JSON; nothing when a close frame came, the connection ended or patience did.
  std::optional<nlohmann::json> read() {
    while (const auto frame = read_frame()) {
      if (auto message = take(*frame)) return message;
      if (close_code != 0) break;
    }
    return std::nullopt;
  }
  /// The next message, if it is there already.
  std::optional<nlohmann::json> read_what_is_there() {
    while (true) {
      auto frame = take_frame();
      if (!frame && (!http_.is_readable() || !receive())) return std::nullopt;
      if (!frame) continue;
      if (auto message = take(*frame)) return message;
      if (close_code != 0) return std::nullopt;
    }
  }
  /// The next message of that type; others before it are dropped.
  std::optional<nlohmann::json> read(std::string_view type) {
    while (auto message = read()) {
      if (message->value("type", "") == type) return message;
    }
    return std::nullopt;
  }
  std::chrono::milliseconds patience{60'000};
  bool answers_pings = true;
  unsigned close_code = 0;  ///< of the close frame that read() met

 private:
  /// What a frame means to whoever reads messages.
  std::optional<nlohmann::json> take(const ServerFrame& frame) {
    switch (frame.opcode) {
      case WsOpcode::kText:
        return nlohmann::json::parse(frame.payload);
      case WsOpcode::kBinary:
        return nlohmann::json::from_msgpack(frame.payload);
      case WsOpcode::kPing:
        if (answers_pings) send_bytes(client_pong(frame.payload));
        break;
      case WsOpcode::kClose:
        close_code = frame.close_code();
        break;
      default:
        break;
    }
    return std::nullopt;
  }
  bool receive() {
    pollfd wanted{http_.descriptor(), POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(patience.count())) != 1) return false;
    char buffer[64 * 1024];
    const ssize_t count = ::recv(http_.descriptor(), buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  std::optional<ServerFrame> take_frame() {
    const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(in_[at_ + i]); };
    const std::size_t have = in_.size() - at_;
    if (have < 2) return compact();
    std::size_t length = byte(1);
    if (length >= 128) throw std::runtime_error("the server masks its frames");
    std::size_t header = 2;
    if (length >= 126) {
      const std::size_t extended = length == 126 ? 2 : 8;
      if (have < 2 + extended) return compact();
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(2 + i);
      header += extended;
    }
    if (have < header + length) return compact();
    if ((byte(0) & 0x80) == 0) throw std::runtime_error("the server sends fragments");
    ServerFrame frame;
    frame.opcode = static_cast<WsOpcode>(byte(0) & 0x0F);
    frame.is_compressed = (byte(0) & 0x40) != 0;
    frame.payload = in_.substr(at_ + header, length);
    at_ += header + length;
    return frame;
  }
  std::optional<ServerFrame> compact() {
    in_.erase(0, at_);
    at_ = 0;
    return std::nullopt;
  }

  HttpClient http_;
  HttpReply reply_;
  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace tickpipe::internal::testing
