#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "serve/stream/stream_client.h"
#include "serve/websocket_reader.h"

namespace tickpipe::internal {

/// What a WebSocket connection has agreed on.
struct WebSocketForm {
  StreamFormat format = StreamFormat::kJson;
  bool deflate = false;
};

/// A client over WebSocket, whatever it says: frames in and out, pings, how it is closed.
class WebSocketClient : public StreamClient {
 public:
  static constexpr std::chrono::seconds kPingEvery{25};
  static constexpr std::chrono::seconds kPongWithin{10};

 protected:
  WebSocketClient(std::shared_ptr<StreamGroup> group, HandedOver&& connection, const WebSocketForm& form,
                  std::size_t max_message_bytes);

  /// A whole message, text or binary.
  virtual void on_message(WsOpcode opcode, std::string_view message) = 0;
  /// Whether the client may send another message now; if not it is closed as flooding.
  virtual bool may_send(SteadyClock::time_point /*now*/) { return true; }

  void reply(const nlohmann::ordered_json& message);
  void close_with(std::uint16_t code, std::string_view reason);

  std::size_t take_input(std::string_view bytes) final;
  void tick(SteadyClock::time_point now) override;
  void append_goodbye(std::string& out, Goodbye why, std::string_view reason) final;
  [[nodiscard]] std::size_t whole_messages(std::string_view unsent_from_start, std::size_t sent) const final;

 private:
  WebSocketReader reader_;
  std::optional<SteadyClock::time_point> pong_due_;
  SteadyClock::time_point next_ping_ = SteadyClock::now() + kPingEvery;
};

}  // namespace tickpipe::internal
