#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/io_loop.h"

namespace tickpipe::internal {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };

/// Headers of a request that asks for a stream; as sent, empty = none.
struct StreamHeaders {
  std::string upgrade;
  std::string connection;
  std::string key;         ///< Sec-WebSocket-Key
  std::string version;     ///< Sec-WebSocket-Version
  std::string protocols;   ///< Sec-WebSocket-Protocol
  std::string extensions;  ///< Sec-WebSocket-Extensions
  std::string last_event_id;
};

/// One request, its head checked by the transport: well-formed, within the limits, body complete.
struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string target;  ///< as sent: path and query, percent-encoded
  std::string body;
  std::string content_type;  ///< as sent; empty = none
  std::string host;          ///< as sent; empty = none
  std::string origin;        ///< as sent; empty = none
  std::string content_encoding;
  std::shared_ptr<StreamHeaders> stream;  ///< if it has one of them
  bool has_body = false;                  ///< a body was announced, even an empty one
  bool is_local_peer = false;             ///< the connection comes from a loopback address

  [[nodiscard]] std::string_view raw_path() const {
    const std::string_view text = target;
    return text.substr(0, text.find('?'));
  }
};

/// A connection that has left HTTP. It counts among the connections of the server as long as `place` is held.
struct HandedOver {
  std::shared_ptr<IoLoop> loop;
  std::unique_ptr<IoLoop::Watch> watch;  ///< the socket
  std::string unread;                    ///< what came behind the request
  std::string unsent;                    ///< what is left of the head of the answer
  std::shared_ptr<void> place;
};

/// Takes a connection over, on the thread of its loop.
using TakeOver = std::function<void(HandedOver&&)>;

/// The answer. The transport adds Date, Server, Content-Length and Connection, compresses when the client asked for it
/// and the body is worth it, and drops the body for HEAD.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  ///< static text
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;  ///< further ones; names are static text
  /// Gets the connection once the head is on its way: with status 101 as what was agreed on, else to write a body that
  /// ends with the connection. `body` is empty then.
  TakeOver take_over;
};

/// Sends the answer of one request. May be called from any thread, exactly once.
using Respond = std::function<void(HttpResponse)>;

/// What stands behind a transport. Any HTTP server can call it.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// Answers now or later. Runs on the connection's I/O thread, so it must not block: what takes long goes to another
  /// thread. Throws nothing.
  virtual void handle(HttpRequest&& request, Respond respond) = 0;
  /// The server ends: connections of this loop that were taken over are told. On the loop's thread.
  virtual void shut_down_streams(const IoLoop& /*loop*/) {}
  /// What is left of them is to be closed. On the loop's thread, before it ends.
  virtual void close_streams(const IoLoop& /*loop*/) {}
};

}  // namespace tickpipe::internal
