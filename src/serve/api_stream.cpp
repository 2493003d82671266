// The routes at which a connection becomes a stream.

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "core/safe_text.h"
#include "serve/api.h"
#include "serve/problem.h"
#include "serve/stream/ingest_session.h"
#include "serve/stream/sse_session.h"
#include "serve/stream/stream_hub.h"
#include "serve/stream/websocket_session.h"
#include "serve/websocket_handshake.h"

namespace tickpipe::internal {
namespace {

constexpr std::size_t kMaxStreamSymbols = 100;

WebSocketOffer offer_of(StreamHeaders* headers) {
  if (headers == nullptr) return {};
  return {.upgrade = std::move(headers->upgrade),
          .connection = std::move(headers->connection),
          .key = std::move(headers->key),
          .version = std::move(headers->version),
          .protocols = std::move(headers->protocols),
          .extensions = std::move(headers->extensions)};
}

/// Accepts the upgrade and gives the connection to the session that `make` makes, or says why not.
template <typename Make>
HttpResponse upgrade(HttpRequest& request, StreamHub& hub, Make make) {
  const auto agreed = negotiate_websocket(offer_of(request.stream.get()), hub.parts().compression);
  if (const auto* const refusal = std::get_if<WebSocketRefusal>(&agreed)) {
    HttpResponse response = to_response({refusal->status, refusal->code, std::string(refusal->detail)});
    if (refusal->status == 426) {
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
      response.headers.emplace_back("Upgrade", "websocket");
    }
    return response;
  }
  const auto& terms = std::get<WebSocketTerms>(agreed);
  HttpResponse response;
  response.status = 101;
  response.headers.emplace_back("Sec-WebSocket-Accept", terms.accept);
  if (!terms.protocol.empty()) response.headers.emplace_back("Sec-WebSocket-Protocol", terms.protocol);
  if (terms.deflate) response.headers.emplace_back("Sec-WebSocket-Extensions", terms.extensions);
  WebSocketForm form;
  form.format = terms.is_msgpack ? StreamFormat::kMessagePack : StreamFormat::kJson;
  form.deflate = terms.deflate;
  response.take_over = [&hub, form, make = std::move(make)](HandedOver&& connection) {
    const auto group = hub.group_of(connection.loop);
    make(group, std::move(connection), form)->start();
  };
  return response;
}

}  // namespace

std::optional<Problem> Api::stream_problem() const {
  if (parts_.streams == nullptr) return Problem{404, "not_in_this_build", "streams are not served here"};
  switch (parts_.status.readiness()) {
    case Readiness::kReady:
      return std::nullopt;
    case Readiness::kStarting:
      return Problem{503, "starting", "still starting; try again in a moment"};
    case Readiness::kDraining:
      return Problem{503, "draining", "shutting down"};
  }
  return std::nullopt;
}

Outcome Api::websocket(const Call& call) {
  if (const auto problem = stream_problem()) return *problem;
  std::vector<std::string> symbols;
  if (const auto list = call.query.find("symbols")) {
    // Old clients name their symbols here; what is wrong with one they are told on the connection.
    std::string_view rest = *list;
    while (!rest.empty()) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      if (!one.empty()) symbols.emplace_back(one);
    }
    if (symbols.empty()) return Problem{400, "bad_parameter", "symbols must be a list such as EURUSD,GBPUSD, or *"};
  }
  return upgrade(call.request, *parts_.streams,
                 [symbols = std::move(symbols)](const std::shared_ptr<StreamGroup>& group, HandedOver&& connection,
                                                const WebSocketForm& form) {
                   return std::make_shared<WebSocketSession>(group, std::move(connection), form, symbols);
                 });
}

Outcome Api::websocket_ingest(const Call& call) {
  if (const auto problem = stream_problem()) return *problem;
  return upgrade(call.request, *parts_.streams,
                 [](const std::shared_ptr<StreamGroup>& group, HandedOver&& connection, const WebSocketForm& form) {
                   return std::make_shared<IngestSession>(group, std::move(connection), form);
                 });
}

Outcome Api::quote_stream(const Call& call) {
  std::vector<Name> symbols;
  for (const std::string_view text : call.query.all("symbol")) {
    const auto name = parse_symbol(text);
    if (!name) return Problem{400, "bad_symbol", "'" + safe_text(text) + "' is no symbol"};
    if (std::find(symbols.begin(), symbols.end(), *name) == symbols.end()) symbols.push_back(*name);
  }
  if (symbols.empty()) return Problem{400, "missing_parameter", "the parameter symbol is missing; it may be repeated"};
  if (symbols.size() > kMaxStreamSymbols) {
    return Problem{400, "too_many_symbols", "at most 100 symbols fit into one event stream; /ws takes more"};
  }
  if (const auto problem = stream_problem()) return *problem;
  StreamHub& hub = *parts_.streams;
  for (const Name& name : symbols) {
    if (!hub.parts().is_allowed(name)) {
      return Problem{400, "unknown_symbol", "'" + std::string(name.view()) + "' is not among the configured symbols"};
    }
  }
  HttpResponse response;
  response.content_type = "text/event-stream; charset=utf-8";
  response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx passes events on at once
  std::string last_id = call.request.stream ? std::move(call.request.stream->last_event_id) : std::string();
  response.take_over = [&hub, symbols = std::move(symbols), last_id = std::move(last_id)](HandedOver&& connection) {
    const auto group = hub.group_of(connection.loop);
    std::make_shared<SseSession>(group, std::move(connection), symbols, last_id)->start();
  };
  return response;
}

void Api::shut_down_streams(const IoLoop& loop) {
  if (parts_.streams != nullptr) parts_.streams->shut_down(loop);
}

void Api::close_streams(const IoLoop& loop) {
  if (parts_.streams != nullptr) parts_.streams->close_clients(loop);
}

}  // namespace tickpipe::internal
