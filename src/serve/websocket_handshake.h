#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace tickpipe::internal {

inline constexpr std::string_view kJsonProtocol = "tickpipe.v1.json";
inline constexpr std::string_view kMsgpackProtocol = "tickpipe.v1.msgpack";
/// A browser cannot send an Authorization header with a WebSocket; it may offer this with its token behind it.
inline constexpr std::string_view kTokenProtocolPrefix = "tickpipe.token.";

/// The headers of a request for a WebSocket, as sent; a header that came several times joined with `, `.
struct WebSocketOffer {
  std::string upgrade;     ///< Upgrade
  std::string connection;  ///< Connection
  std::string key;         ///< Sec-WebSocket-Key
  std::string version;     ///< Sec-WebSocket-Version
  std::string protocols;   ///< Sec-WebSocket-Protocol
  std::string extensions;  ///< Sec-WebSocket-Extensions
};

/// What to answer with 101, besides `Upgrade: websocket` and `Connection: Upgrade`. Empty texts mean no such header.
struct WebSocketTerms {
  std::string accept;       ///< Sec-WebSocket-Accept
  std::string protocol;     ///< Sec-WebSocket-Protocol: what was chosen of those that the client offered
  bool is_msgpack = false;  ///< kMsgpackProtocol was chosen; otherwise JSON is spoken, also when nothing was chosen
  bool deflate = false;     ///< permessage-deflate is agreed on, without context takeover on both sides
  std::string extensions;   ///< Sec-WebSocket-Extensions
  std::string token;        ///< what followed kTokenProtocolPrefix; a secret, never sent or logged
};

struct WebSocketRefusal {
  int status = 400;         ///< 400, 426 (add `Sec-WebSocket-Version: 13`), or 500 when libcrypto fails
  std::string_view code;    ///< of the problem: bad_handshake, unsupported_version, internal_error
  std::string_view detail;  ///< static text
};

/// Decides on an opening handshake (RFC 6455, 4.2); the method, Host and Origin are the caller's. A client that offers
/// nothing but a token gets no subprotocol, which browsers do not take: they have to offer one of ours with it.
/// What is not well-formed among extensions and subprotocols is passed over and never a reason to refuse.
///
/// Threads: any.
[[nodiscard]] std::variant<WebSocketTerms, WebSocketRefusal> negotiate_websocket(const WebSocketOffer& offer,
                                                                                 bool compression_enabled);

}  // namespace tickpipe::internal
