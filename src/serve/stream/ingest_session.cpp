#include "serve/stream/ingest_session.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "serve/stream/stream_hub.h"

namespace tickpipe::internal {
namespace {

using Json = nlohmann::ordered_json;
using Outcome = IngestAnswer::Outcome;

/// Code and text of an outcome that is no success.
std::pair<const char*, const char*> describe(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNotWellFormed:
      return {"not_well_formed", "the array is not well-formed JSON"};
    case Outcome::kBusy:
      return {"busy", "no room within the time to wait; nothing was taken"};
    case Outcome::kStoreUnavailable:
      return {"store_unavailable", "not all of it could be stored; sending it again is safe"};
    case Outcome::kStopping:
      return {"draining", "shutting down; nothing was taken"};
    case Outcome::kDone:
      break;
  }
  return {"", ""};
}

}  // namespace

IngestSession::IngestSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection, const WebSocketForm& form)
    : WebSocketClient(group, std::move(connection), form, group->parts().max_ingest_bytes) {}

void IngestSession::begin() {
  reply({{"type", "welcome"},
         {"session", group().hub().next_session()},
         {"epoch", parts().epoch},
         {"heartbeat_ms", std::chrono::milliseconds{kPingEvery}.count()},
         {"protocol", 1}});
}

void IngestSession::on_message(WsOpcode opcode, std::string_view message) {
  std::string body;
  if (opcode == WsOpcode::kBinary && format() == StreamFormat::kMessagePack) {
    // Prices of MessagePack are float64; as JSON they are the shortest digits that mean the same number.
    const Json content = Json::from_msgpack(message, true, false);
    if (content.is_discarded()) return close_with(1007, "the message is not well-formed MessagePack");
    body = content.dump(-1, ' ', false, Json::error_handler_t::replace);
  } else if (opcode == WsOpcode::kText) {
    body = message;
  } else {
    return close_with(1003, "quotes come as JSON in text messages");
  }
  ++messages_;
  is_waiting_ = true;
  parts().ingest.ingest(std::move(body), QuoteOrigin::kLive,
                        [weak = weak_from_this(), loop = group().loop()](const IngestAnswer& answer) {
                          loop->post([weak, answer] {
                            const auto self = std::static_pointer_cast<IngestSession>(weak.lock());
                            if (self && !self->is_closed()) self->acknowledge(answer);
                          });
                        });
}

void IngestSession::acknowledge(const IngestAnswer& answer) {
  Json ack{{"type", answer.outcome == Outcome::kDone ? "ack" : "error"}, {"message_number", messages_}};
  if (answer.outcome != Outcome::kDone) {
    const auto [code, text] = describe(answer.outcome);
    ack["code"] = code;
    ack["message"] = answer.detail.empty() ? text : answer.detail.c_str();
    ack["pending"] = answer.pending;
  }
  ack["received"] = answer.received;
  ack["accepted"] = answer.accepted;
  ack["rejected"] = answer.rejected;
  ack["errors"] = Json::array();
  for (const IngestError& error : answer.errors) {
    ack["errors"].push_back({{"line", error.line}, {"reason", to_string(error.reason)}, {"detail", error.detail}});
  }
  reply(ack);
  is_waiting_ = false;
  resume_input();
}

}  // namespace tickpipe::internal
