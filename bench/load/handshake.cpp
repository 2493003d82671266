#include "load/handshake.h"

#include <algorithm>
#include <cctype>

namespace tickpipe::internal::load {

namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

}  // namespace

std::string handshake_request(const Target& target, std::string_view subprotocol, bool offer_deflate) {
  std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.authority() +
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: ";
  request += kKey;
  request += "\r\n";
  if (!subprotocol.empty()) request.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  if (offer_deflate) {
    request +=
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n";
  }
  return request + "\r\n";
}

std::string_view header_value(std::string_view head, std::string_view name) {
  std::size_t start = head.find("\r\n");
  while (start != std::string_view::npos && start + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", start + 2);
    const std::string_view line = head.substr(start + 2, end == std::string_view::npos ? end : end - start - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignoring_case(line.substr(0, colon), name)) {
      const std::size_t value = line.find_first_not_of(" \t", colon + 1);
      return value == std::string_view::npos ? std::string_view{} : line.substr(value);
    }
    start = end;
  }
  return {};
}

HandshakeAnswer read_handshake(std::string_view head, std::string_view subprotocol) {
  HandshakeAnswer answer;
  if (!head.starts_with("HTTP/1.1 101")) {
    answer.problem = "handshake answered: " + std::string(head.substr(0, std::min<std::size_t>(head.find("\r\n"), 60)));
  } else if (header_value(head, "sec-websocket-accept") != kAccept) {
    answer.problem = "handshake: wrong Sec-WebSocket-Accept";
  } else if (!subprotocol.empty() && header_value(head, "sec-websocket-protocol") != subprotocol) {
    answer.problem = "handshake: the subprotocol was not agreed on";
  } else {
    answer.is_accepted = true;
    answer.has_deflate = header_value(head, "sec-websocket-extensions").find("permessage-deflate") != std::string::npos;
  }
  return answer;
}

}  // namespace tickpipe::internal::load
