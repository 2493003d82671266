#pragma once

#include <string>
#include <string_view>

#include "load/target.h"

namespace tickpipe::internal::load {

/// The request that asks for a WebSocket. All clients use the key of RFC 6455's own example, so the answer is known.
std::string handshake_request(const Target& target, std::string_view subprotocol, bool offer_deflate);

struct HandshakeAnswer {
  bool is_accepted = false;
  std::string problem;       // when not accepted: the status line, or what is wrong with the answer
  bool has_deflate = false;  // permessage-deflate was agreed on
};

/// Of the head of an answer, up to its blank line.
HandshakeAnswer read_handshake(std::string_view head, std::string_view subprotocol);

/// The value of a header; empty when there is none. `name` in lower case.
std::string_view header_value(std::string_view head, std::string_view name);

}  // namespace tickpipe::internal::load
