#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tickpipe {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };

/// One request, its head checked by the transport: well-formed, within the limits, body complete.
struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string target;  ///< as sent: path and query, percent-encoded
  std::string body;
  std::string content_type;  ///< as sent; empty = none
  std::string host;          ///< as sent; empty = none
  std::string origin;        ///< as sent; empty = none
  std::string content_encoding;
  bool has_body = false;       ///< a body was announced, even an empty one
  bool is_local_peer = false;  ///< the connection comes from a loopback address

  [[nodiscard]] std::string_view raw_path() const {
    const std::string_view text = target;
    return text.substr(0, text.find('?'));
  }
};

/// The answer. The transport adds Date, Server, Content-Length and Connection, compresses when the client asked for it
/// and the body is worth it, and drops the body for HEAD.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  ///< static text
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;  ///< further ones; names are static text
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
};

}  // namespace tickpipe
