#include "serve/stream/websocket_client.h"

#include <nlohmann/json.hpp>

#include "serve/stream/status_message.h"
#include "serve/websocket_frame.h"

namespace tickpipe::internal {

WebSocketClient::WebSocketClient(std::shared_ptr<StreamGroup> group, HandedOver&& connection, const WebSocketForm& form,
                                 std::size_t max_message_bytes)
    : StreamClient(std::move(group), std::move(connection), form.format),
      reader_({.max_message_bytes = max_message_bytes, .allow_deflate = form.deflate}) {
  takes_deflate_ = form.deflate;
}

std::size_t WebSocketClient::take_input(std::string_view bytes) {
  std::size_t consumed = 0;
  const WebSocketReader::Event event = reader_.read(bytes, consumed);
  using Kind = WebSocketReader::Event::Kind;
  const bool is_for_us = event.kind != Kind::kNeedMore && event.kind != Kind::kFault && event.kind != Kind::kClose;
  if (is_for_us && !may_send(SteadyClock::now())) {
    close_with(4009, "too many messages");
    return bytes.size();
  }
  switch (event.kind) {
    case Kind::kNeedMore:
      return bytes.size();
    case Kind::kMessage:
      on_message(event.opcode, event.payload);
      reader_.release();  // a client that falls silent now holds no memory for what it said
      break;
    case Kind::kPing: {
      std::string pong;
      append_frame(pong, WsOpcode::kPong, event.payload);
      send(pong);
      break;
    }
    case Kind::kPong:
      pong_due_.reset();
      break;
    case Kind::kClose:
      close_with(event.code == 1005 ? 1000 : event.code, {});
      return bytes.size();
    case Kind::kFault:
      close_with(event.close_code, event.detail);
      return bytes.size();
  }
  return consumed;
}

void WebSocketClient::tick(SteadyClock::time_point now) {
  if (pong_due_ && now >= *pong_due_) return close_with(4012, "no pong came");
  if (now < next_ping_ || pong_due_) return;
  next_ping_ = now + kPingEvery;
  pong_due_ = now + kPongWithin;
  std::string ping;
  append_frame(ping, WsOpcode::kPing, {});
  send(ping);
}

void WebSocketClient::reply(const nlohmann::ordered_json& message) {
  std::string frame;
  if (format() == StreamFormat::kMessagePack) {
    const auto bytes = nlohmann::ordered_json::to_msgpack(message);
    append_message(frame, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, format(), takes_deflate());
  } else {
    append_message(frame, message.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), format(),
                   takes_deflate());
  }
  send(frame);
}

void WebSocketClient::close_with(std::uint16_t code, std::string_view reason) {
  if (is_closed() || is_finishing()) return;
  std::string frame;
  append_close_frame(frame, code, reason);
  send_last(frame);
}

void WebSocketClient::append_goodbye(std::string& out, Goodbye why, std::string_view reason) {
  switch (why) {
    case Goodbye::kShuttingDown:
      return append_close_frame(out, 4001, reason);
    case Goodbye::kTooSlow:
      return append_close_frame(out, 4008, reason);
    case Goodbye::kFailed:
      return append_close_frame(out, 1011, reason);
  }
}

std::size_t WebSocketClient::whole_messages(std::string_view unsent_from_start, std::size_t sent) const {
  std::size_t end = 0;
  if (unsent_from_start.starts_with("HTTP/")) end = unsent_from_start.find("\r\n\r\n") + 4;
  while (end < sent && end + 2 <= unsent_from_start.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(unsent_from_start[end + i]); };
    std::size_t length = byte(1);
    std::size_t header = 2;
    if (const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0; extended != 0) {
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(2 + i);
      header += extended;
    }
    end += header + length;
  }
  return std::min(end, unsent_from_start.size());
}

}  // namespace tickpipe::internal
