#include "serve/websocket_handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tickpipe::internal {
namespace {

WebSocketOffer valid_offer() {
  WebSocketOffer offer;
  offer.upgrade = "websocket";
  offer.connection = "Upgrade";
  offer.key = "dGhlIHNhbXBsZSBub25jZQ==";
  offer.version = "13";
  return offer;
}

WebSocketTerms terms_of(const WebSocketOffer& offer, bool compression_enabled = true) {
  const auto result = negotiate_websocket(offer, compression_enabled);
  if (const auto* terms = std::get_if<WebSocketTerms>(&result)) return *terms;
  ADD_FAILURE() << std::get<WebSocketRefusal>(result).detail;
  return {};
}

void expect_refused(const WebSocketOffer& offer, int status, std::string_view code) {
  const auto result = negotiate_websocket(offer, true);
  const auto* refusal = std::get_if<WebSocketRefusal>(&result);
  ASSERT_NE(refusal, nullptr);
  EXPECT_EQ(refusal->status, status);
  EXPECT_EQ(refusal->code, code);
  EXPECT_FALSE(refusal->detail.empty());
}

TEST(WebSocketHandshakeTest, AcceptIsAsInTheExampleOfRfc6455) {  // section 1.3
  const WebSocketTerms terms = terms_of(valid_offer());
  EXPECT_EQ(terms.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(terms.protocol, "");
  EXPECT_EQ(terms.extensions, "");
  EXPECT_EQ(terms.token, "");
  EXPECT_FALSE(terms.is_msgpack);
  EXPECT_FALSE(terms.deflate);
}

TEST(WebSocketHandshakeTest, HeadersAreListsAndTheCaseOfTheirWordsDoesNotMatter) {
  for (const char* upgrade : {"websocket", "WebSocket", "WEBSOCKET", " websocket ", "h2c, websocket", "a,,websocket"}) {
    WebSocketOffer offer = valid_offer();
    offer.upgrade = upgrade;
    terms_of(offer);
  }
  for (const char* connection : {"Upgrade", "upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive", "\tUPGRADE\t"}) {
    WebSocketOffer offer = valid_offer();
    offer.connection = connection;
    terms_of(offer);
  }
}

TEST(WebSocketHandshakeTest, RequestThatAsksForSomethingElseIsRefused) {
  for (const char* upgrade : {"", "h2c", "websocket2", "web socket", "websocket/13"}) {
    WebSocketOffer offer = valid_offer();
    offer.upgrade = upgrade;
    expect_refused(offer, 400, "bad_handshake");
  }
  for (const char* connection : {"", "keep-alive", "close", "upgrades", "up grade"}) {
    WebSocketOffer offer = valid_offer();
    offer.connection = connection;
    expect_refused(offer, 400, "bad_handshake");
  }
}

TEST(WebSocketHandshakeTest, OtherVersionsNeedAnUpgrade) {
  for (const char* version : {"", "8", "0", "12", "14", "130", "013", "13, 8", "thirteen", "-13"}) {
    WebSocketOffer offer = valid_offer();
    offer.version = version;
    expect_refused(offer, 426, "unsupported_version");
  }
  WebSocketOffer offer = valid_offer();
  offer.version = " 13 ";
  terms_of(offer);
}

TEST(WebSocketHandshakeTest, KeyIsSixteenBytesInBase64) {
  for (const char* key : {"AAAAAAAAAAAAAAAAAAAAAA==", "/+/+/+/+/+/+/+/+/+/+/w==", " dGhlIHNhbXBsZSBub25jZQ== "}) {
    WebSocketOffer offer = valid_offer();
    offer.key = key;
    EXPECT_EQ(terms_of(offer).accept.size(), 28u);
  }
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub2-jZQ==",
        "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25 ZQ==", "dGhlIHNhbXBs=SBub25jZQ==", "SGVsbG8sIHdvcmxkIQ=="}) {
    SCOPED_TRACE(key);
    WebSocketOffer offer = valid_offer();
    offer.key = key;
    expect_refused(offer, 400, "bad_handshake");
  }
}

TEST(WebSocketHandshakeTest, FirstOfOurSubprotocolsIsChosen) {
  struct Case {
    const char* offered;
    const char* chosen;
    bool is_msgpack;
    const char* token;
  };
  const std::vector<Case> cases = {
      {"", "", false, ""},
      {"tickpipe.v1.json", "tickpipe.v1.json", false, ""},
      {"tickpipe.v1.msgpack", "tickpipe.v1.msgpack", true, ""},
      {"tickpipe.v1.json, tickpipe.v1.msgpack", "tickpipe.v1.json", false, ""},
      {"tickpipe.v1.msgpack,tickpipe.v1.json", "tickpipe.v1.msgpack", true, ""},
      {"mqtt, tickpipe.v1.msgpack", "tickpipe.v1.msgpack", true, ""},
      {"mqtt", "", false, ""},
      {"mqtt, wamp.2.json", "", false, ""},
      {"TICKPIPE.V1.MSGPACK", "", false, ""},
      {"tickpipe.v2.msgpack", "", false, ""},
      {"tickpipe.v1.msgpackx", "", false, ""},
      {"tickpipe.token.abc.DEF-_1", "", false, "abc.DEF-_1"},
      {"tickpipe.token.abc, tickpipe.v1.msgpack", "tickpipe.v1.msgpack", true, "abc"},
      {"tickpipe.v1.json, tickpipe.token.abc", "tickpipe.v1.json", false, "abc"},
      {"mqtt, tickpipe.token.abc", "", false, "abc"},
      {"tickpipe.token.one, tickpipe.token.two", "", false, "one"},
      {"tickpipe.token.", "", false, ""},
      {"tickpipe.token., tickpipe.token.two", "", false, "two"},
      {"tickpipe.token.tickpipe.v1.msgpack", "", false, "tickpipe.v1.msgpack"},
      {",, ,tickpipe.v1.json,", "tickpipe.v1.json", false, ""},
      {"\"tickpipe.v1.json\"", "", false, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.offered);
    WebSocketOffer offer = valid_offer();
    offer.protocols = c.offered;
    const WebSocketTerms terms = terms_of(offer);
    EXPECT_EQ(terms.protocol, c.chosen);
    EXPECT_EQ(terms.is_msgpack, c.is_msgpack);
    EXPECT_EQ(terms.token, c.token);
  }
}

TEST(WebSocketHandshakeTest, CompressionIsAgreedOnWhenBothWantIt) {
  WebSocketOffer offer = valid_offer();
  offer.extensions = "permessage-deflate; client_max_window_bits";
  const WebSocketTerms terms = terms_of(offer);
  EXPECT_TRUE(terms.deflate);
  EXPECT_EQ(terms.extensions, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_FALSE(terms_of(offer, false).deflate);
  EXPECT_EQ(terms_of(offer, false).extensions, "");
  offer.extensions = "permessage-deflate; nonsense";
  EXPECT_FALSE(terms_of(offer).deflate);
  EXPECT_EQ(terms_of(offer).extensions, "");
}

}  // namespace
}  // namespace tickpipe::internal
