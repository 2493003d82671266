#include "serve/websocket_handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "serve/http_text.h"
#include "serve/websocket_extension.h"

namespace tickpipe::internal {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Bytes = 20;

bool list_holds(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    if (equals_ignoring_case(next_list_element(list), token)) return true;
  }
  return false;
}

/// Whether `text` is the base64 form of 16 bytes. Spare bits of the last digit may be set.
bool is_key(std::string_view text) noexcept {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() == 24 && text.ends_with("==") && text.find_first_not_of(kDigits) == 22;
}

/// base64(SHA-1(key + suffix)) of RFC 6455, 4.2.2; nothing when libcrypto has no SHA-1.
std::optional<std::string> accept_of(std::string_view key) {
  const std::string text = std::string(key).append(kAcceptSuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1 || size != kSha1Bytes) {
    return std::nullopt;
  }
  std::array<unsigned char, (kSha1Bytes + 2) / 3 * 4 + 1> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return std::string(base64.begin(), base64.begin() + length);
}

/// The first of ours in the client's order, and the first token.
void choose_protocol(std::string_view offered, WebSocketTerms& terms) {
  while (!offered.empty()) {
    const std::string_view protocol = next_list_element(offered);
    if (protocol.starts_with(kTokenProtocolPrefix)) {
      if (terms.token.empty()) terms.token = protocol.substr(kTokenProtocolPrefix.size());
    } else if (terms.protocol.empty() && (protocol == kJsonProtocol || protocol == kMsgpackProtocol)) {
      terms.protocol = protocol;
      terms.is_msgpack = protocol == kMsgpackProtocol;
    }
  }
}

}  // namespace

std::variant<WebSocketTerms, WebSocketRefusal> negotiate_websocket(const WebSocketOffer& offer,
                                                                   bool compression_enabled) {
  const auto refuse = [](std::string_view detail) { return WebSocketRefusal{400, "bad_handshake", detail}; };
  if (!list_holds(offer.upgrade, "websocket")) return refuse("The header Upgrade does not name websocket.");
  if (!list_holds(offer.connection, "upgrade")) return refuse("The header Connection does not name Upgrade.");
  if (trim_blanks(offer.version) != "13") {
    return WebSocketRefusal{426, "unsupported_version", "Sec-WebSocket-Version has to be 13."};
  }
  const std::string_view key = trim_blanks(offer.key);
  if (!is_key(key)) return refuse("Sec-WebSocket-Key is not the base64 form of 16 bytes.");

  auto accept = accept_of(key);
  if (!accept) return WebSocketRefusal{500, "internal_error", "The key could not be hashed."};
  WebSocketTerms terms;
  terms.accept = std::move(*accept);
  choose_protocol(offer.protocols, terms);
  if (compression_enabled) {
    if (auto answer = answer_deflate_offers(offer.extensions)) {
      terms.deflate = true;
      terms.extensions = std::move(*answer);
    }
  }
  return terms;
}

}  // namespace tickpipe::internal
