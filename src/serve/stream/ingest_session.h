#pragma once

#include <cstdint>

#include "model/ingest_door.h"
#include "serve/stream/websocket_client.h"

namespace tickpipe::internal {

/// A client of /ws/ingest: raw quotes in, one acknowledgement for each message once what it brought is committed.
///
/// Order: the next message is taken once the one before is answered, so that quotes stay in the order in which they
/// were sent. A client that sends faster waits in its own socket; nothing is dropped.
class IngestSession final : public WebSocketClient {
 public:
  IngestSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection, const WebSocketForm& form);

 private:
  void begin() override;
  void on_message(WsOpcode opcode, std::string_view message) override;
  [[nodiscard]] bool is_reading() const override { return !is_waiting_; }
  void acknowledge(const IngestAnswer& answer);

  std::uint64_t messages_ = 0;
  bool is_waiting_ = false;  ///< for the fate of a message
};

}  // namespace tickpipe::internal
