// /ws of the real server, over its socket.

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/server_fixture.h"
#include "support/websocket_client.h"

namespace tickpipe::internal::testing {
namespace {

using Json = nlohmann::json;

std::string quote(const std::string& symbol, const std::string& bid, std::int64_t time_ns, const char* more = "") {
  return R"({"symbol":")" + symbol + R"(","bid":)" + bid + R"(,"ask":200,"lp":"LP1","timestamp_ns":)" +
         std::to_string(time_ns) + more + "}";
}

Json subscribe(const std::string& channel, const std::vector<std::string>& symbols, Json more = Json::object()) {
  more["op"] = "subscribe";
  more["id"] = 7;
  more["channel"] = channel;
  more["symbols"] = symbols;
  return more;
}

void put(const RunningServer& server, const std::string& body, bool is_historical = false) {
  const Json answer = server.ingest(body, is_historical);
  EXPECT_EQ(answer.at("rejected"), 0) << answer;
}

class ServerWebSocketTest : public ServerTest {};

TEST_F(ServerWebSocketTest, WelcomesAndAnswersTheHandshake) {
  const auto server = serve();
  WebSocketClient client(server->port(), "/ws", "Sec-WebSocket-Protocol: chat, tickpipe.v1.json\r\n");
  EXPECT_EQ(client.handshake().status, 101);
  EXPECT_EQ(client.handshake().header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455, 1.3
  EXPECT_EQ(client.handshake().header("sec-websocket-protocol"), "tickpipe.v1.json");
  const auto welcome = client.read();
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->at("type"), "welcome");
  EXPECT_EQ(welcome->at("epoch"), server->json("/api/pipeline/stats").at("epoch"));
  EXPECT_EQ(welcome->at("heartbeat_ms"), 25'000);
  EXPECT_EQ(welcome->at("protocol"), 1);
  EXPECT_FALSE(welcome->at("session").get<std::string>().empty());
}

TEST_F(ServerWebSocketTest, ASubscriptionStartsWithASnapshotAndGoesOnWithoutAHole) {
  const auto server = serve();
  const std::int64_t now = wall_clock().ns;
  put(*server, quote("EURUSD", "1.5", now));
  WebSocketClient client(server->port());
  client.send_json(subscribe("quotes", {"EURUSD", "eurusd", "NEWONE", "not a symbol"}, {{"mode", "all"}}));
  const auto answer = client.read("subscribed");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->at("id"), 7);
  EXPECT_EQ(answer->at("channel"), "quotes");
  EXPECT_EQ(answer->at("symbols"), Json({"EURUSD", "NEWONE"}));
  EXPECT_EQ(answer->at("errors"), Json::parse(R"([{"symbol":"not a symbol","code":"bad_symbol"}])"));
  EXPECT_EQ(*client.read(), Json({{"type", "tick"},
                                  {"symbol", "EURUSD"},
                                  {"bid", 1.5},
                                  {"ask", 200},
                                  {"spread", 198.5},
                                  {"timestamp", now / 1'000'000},
                                  {"lp", "LP1"},
                                  {"seq", 1},
                                  {"snapshot", true}}));
  put(*server, quote("NEWONE", "3", now) + "\n" + quote("NEWONE", "4", now + 1));
  put(*server, quote("EURUSD", "2.5", now + 1, R"(,"bid_size":3)"));
  put(*server, quote("EURUSD", "3.5", now - 1));
  for (const std::uint64_t seq : {1U, 2U}) {
    const auto tick = client.read();
    ASSERT_TRUE(tick);
    EXPECT_EQ(tick->at("symbol"), "NEWONE");
    EXPECT_EQ(tick->at("seq"), seq);
    EXPECT_EQ(tick->value("snapshot", false), seq == 1);
  }
  const auto second = client.read();
  EXPECT_EQ(second->at("seq"), 2);
  EXPECT_EQ(second->at("bid_size"), 3);
  EXPECT_EQ(second->count("skipped"), 0U);
  EXPECT_EQ(second->count("snapshot"), 0U);
  const auto late = client.read();
  EXPECT_EQ(late->at("seq"), 3);
  EXPECT_EQ(late->at("flags"), Json({"out_of_order"}));
  server->stop();
}

TEST_F(ServerWebSocketTest, MessagePackCarriesTheSameMaps) {
  const auto server = serve();
  put(*server, quote("EURUSD", "1.100000001", wall_clock().ns, R"(,"bid_size":0.5,"ask_size":7)"));
  WebSocketClient json(server->port());
  WebSocketClient packed(server->port(), "/ws", "Sec-WebSocket-Protocol: tickpipe.v1.msgpack\r\n");
  EXPECT_EQ(packed.handshake().header("sec-websocket-protocol"), "tickpipe.v1.msgpack");
  ASSERT_EQ(packed.read()->at("type"), "welcome");
  const Json request = subscribe("quotes", {"EURUSD"});
  json.send_json(request);
  const auto bytes = Json::to_msgpack(request);
  packed.send_bytes(client_binary({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  EXPECT_EQ(*packed.read("subscribed"), *json.read("subscribed"));
  const auto tick = json.read("tick");
  EXPECT_EQ(*packed.read("tick"), *tick);
  EXPECT_EQ(tick->at("bid"), 1.100000001);
  const Json bars = subscribe("bars", {"EURUSD"}, {{"timeframe", "5m"}});
  json.send_json(bars);
  const auto bar_bytes = Json::to_msgpack(bars);
  packed.send_bytes(client_binary({reinterpret_cast<const char*>(bar_bytes.data()), bar_bytes.size()}));
  EXPECT_EQ(*packed.read("bar"), *json.read("bar"));
  server->stop();
}

TEST_F(ServerWebSocketTest, OldClientsNameTheirSymbolsInTheAddress) {
  const auto server = serve();
  const std::int64_t now = wall_clock().ns;
  put(*server, quote("EURUSD", "1", now) + "\n" + quote("GBPUSD", "2", now));
  WebSocketClient two(server->port(), "/ws?symbols=EURUSD,GBPUSD");
  std::set<std::string> seen;
  for (int i = 0; i < 2; ++i) seen.insert(two.read("tick")->at("symbol"));
  EXPECT_EQ(seen, (std::set<std::string>{"EURUSD", "GBPUSD"}));
  WebSocketClient all(server->port(), "/ws?symbols=*");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(all.read("tick"));
  put(*server, quote("USDJPY", "3", now));
  EXPECT_EQ(all.read("tick")->at("symbol"), "USDJPY");
  server->stop();
}

TEST_F(ServerWebSocketTest, AWrongMessageIsAnErrorAndTheConnectionGoesOn) {
  const auto server = serve();
  WebSocketClient client(server->port());
  ASSERT_TRUE(client.read("welcome"));
  const std::pair<std::string, std::string> cases[] = {
      {"{", "malformed"},
      {"[1]", "malformed"},
      {std::string(50'000, '['), "malformed"},
      {R"({"id":"x"})", "bad_request"},
      {R"({"op":"fly"})", "unknown_op"},
      {R"({"op":"subscribe"})", "bad_request"},
      {R"({"op":"subscribe","channel":"weather","symbols":["EURUSD"]})", "unknown_channel"},
      {R"({"op":"subscribe","channel":"alerts"})", "not_in_this_build"},
      {R"({"op":"subscribe","channel":"quotes"})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":[]})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":[1]})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":["A"],"mode":"fast"})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":["A"],"interval_ms":-1})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":["A"],"interval_ms":1.5})", "bad_request"},
      {R"({"op":"subscribe","channel":"quotes","symbols":["A"],"resume":{"epoch":1}})", "bad_request"},
      {R"({"op":"subscribe","channel":"bars","symbols":["A"],"timeframe":"7m"})", "unknown_timeframe"},
  };
  for (const auto& [message, code] : cases) {
    client.send(message);
    const auto error = client.read();
    ASSERT_TRUE(error) << message.substr(0, 80);
    EXPECT_EQ(error->at("type"), "error") << message.substr(0, 80);
    EXPECT_EQ(error->at("code"), code) << message.substr(0, 80) << " " << *error;
    EXPECT_FALSE(error->at("message").get<std::string>().empty());
  }
  client.send_json(Json{{"op", "ping"}, {"id", "still there"}});
  EXPECT_EQ(*client.read(), Json({{"type", "pong"}, {"id", "still there"}}));
  client.send_bytes(client_ping("payload"));
  const auto pong = client.read_frame();
  EXPECT_EQ(pong->opcode, WsOpcode::kPong);
  EXPECT_EQ(pong->payload, "payload");
  server->stop();
}

TEST_F(ServerWebSocketTest, LimitsCloseTheConnectionWithTheirCodes) {
  const auto server = serve();
  WebSocketClient large(server->port());
  ASSERT_TRUE(large.read("welcome"));
  large.send(std::string(65'537, ' '));
  EXPECT_FALSE(large.read());
  EXPECT_EQ(large.close_code, 1009U);

  WebSocketClient flood(server->port());
  std::string pings;
  for (int i = 0; i < 300; ++i) pings += client_text(R"({"op":"ping"})");
  flood.send_bytes(pings);
  while (flood.read()) {
  }
  EXPECT_EQ(flood.close_code, 4009U);

  WebSocketClient many(server->port());
  std::vector<std::string> symbols;
  for (int i = 0; i < 1'005; ++i) symbols.push_back("S" + std::to_string(i));
  many.send_json(subscribe("quotes", symbols));
  const auto answer = many.read("subscribed");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->at("symbols").size(), 1'000U);
  ASSERT_EQ(answer->at("errors").size(), 5U);
  EXPECT_EQ(answer->at("errors")[0], Json({{"symbol", "S1000"}, {"code", "too_many_subscriptions"}}));

  WebSocketClient unmasked(server->port());
  ASSERT_TRUE(unmasked.read("welcome"));
  unmasked.send_bytes(client_frame({.opcode = WsOpcode::kText, .payload = "{}", .masked = false}));
  EXPECT_FALSE(unmasked.read());
  EXPECT_EQ(unmasked.close_code, 1002U);
  server->stop();
}

TEST_F(ServerWebSocketTest, OnlyAllowedSymbolsAndOwnOriginsAreServed) {
  const auto server = serve_with(R"({"symbols": ["EURUSD"]})");
  WebSocketClient client(server->port());
  client.send_json(subscribe("quotes", {"EURUSD", "GBPUSD"}));
  const auto answer = client.read("subscribed");
  EXPECT_EQ(answer->at("symbols"), Json({"EURUSD"}));
  EXPECT_EQ(answer->at("errors"), Json::parse(R"([{"symbol":"GBPUSD","code":"unknown_symbol"}])"));
  const WebSocketClient foreign(server->port(), "/ws", "Origin: https://example.com\r\n");
  EXPECT_EQ(foreign.handshake().status, 403);
  const WebSocketClient own(server->port(), "/ws", "Origin: http://localhost\r\n");
  EXPECT_EQ(own.handshake().status, 101);
  EXPECT_EQ(server->get("/ws").status, 400);
  const auto outdated = server->get("/ws",
                                    "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  EXPECT_EQ(outdated.status, 426);
  EXPECT_NE(outdated.body.find(R"("title":"Upgrade Required")"), std::string::npos) << outdated.body;
  server->stop();
}

TEST_F(ServerWebSocketTest, BarsStartWithTheStateAndTellEveryCloseAndRevision) {
  const auto server = serve();
  const std::int64_t minute = 1'700'000'040'000'000'000;  // a full minute
  const auto load = [&](const std::string& bid, std::int64_t seconds) {
    put(*server, quote("EURUSD", bid, minute + seconds * 1'000'000'000), true);
  };
  load("100", 1);
  load("101", 61);
  load("102", 121);  // all of it is long past: each minute is closed by the clock of history
  WebSocketClient client(server->port());
  client.send_json(subscribe("bars", {"EURUSD"}, {{"timeframe", "1m"}}));
  EXPECT_EQ(client.read("subscribed")->at("timeframe"), "1m");
  const auto state = client.read("bar");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->at("snapshot"), true);
  EXPECT_EQ(state->at("timeframe"), "1m");

  load("103", 2);  // corrects the first minute
  const auto is_revision = [&](const Json& bar) { return bar.at("open_time") == "2023-11-14T22:14:00.000Z"; };
  std::optional<Json> bar;
  while ((bar = client.read("bar")) && !is_revision(*bar)) {
  }
  ASSERT_TRUE(bar);
  EXPECT_EQ(bar->at("revision"), 1);
  EXPECT_EQ(bar->at("is_closed"), true);
  EXPECT_EQ(bar->at("tick_count"), 2);
  EXPECT_EQ(bar->count("snapshot"), 0U);
  Json rest = server->json("/api/ohlc/EURUSD?timeframe=1m&limit=1&to=2023-11-14T22:15:00Z").at(0);
  rest["type"] = "bar";
  EXPECT_EQ(*bar, rest);

  const std::int64_t now = wall_clock().ns;
  put(*server, quote("EURUSD", "104", now));
  while ((bar = client.read("bar")) && bar->at("open") != 152) {
  }
  ASSERT_TRUE(bar);
  EXPECT_EQ(bar->at("tick_count"), 1);
  EXPECT_EQ(bar->at("is_closed"), false);
  client.send_json(Json{{"op", "unsubscribe"}, {"channel", "bars"}, {"symbols", {"EURUSD"}}, {"timeframe", "M1"}});
  EXPECT_EQ(client.read("unsubscribed")->at("symbols"), Json({"EURUSD"}));
  server->stop();
}

TEST_F(ServerWebSocketTest, StatsAndHealthAreChannels) {
  const auto server = serve();
  WebSocketClient client(server->port());
  for (const char* channel : {"stats", "health"}) {
    client.send_json(Json{{"op", "subscribe"}, {"channel", channel}});
    ASSERT_TRUE(client.read("subscribed"));
    ASSERT_TRUE(client.read(channel));
  }
  const auto first = client.read("stats");
  const auto second = client.read("stats");
  ASSERT_TRUE(first && second);
  EXPECT_GT(second->at("uptime_seconds"), first->at("uptime_seconds"));
  EXPECT_EQ(second->at("stream_clients"), 1);
  server->stop();
}

TEST_F(ServerWebSocketTest, AllAreToldWhenTheServerEnds) {
  const auto server = serve();
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<WebSocketClient>(server->port(), i % 2 == 0 ? "/ws" : "/ws/ingest"));
    ASSERT_TRUE(clients.back()->read("welcome"));
  }
  server->signal(SIGTERM);
  for (const auto& client : clients) {
    EXPECT_FALSE(client->read());
    EXPECT_EQ(client->close_code, 4001U);
    client->close();
  }
  EXPECT_EQ(server->wait(), 0) << server->log();
}

TEST_F(ServerWebSocketTest, MessagesAreEncodedOnceHoweverManyClientsThereAre) {
  const auto server = serve();
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<WebSocketClient>(server->port()));
    clients.back()->send_json(subscribe("quotes", {"EURUSD"}, {{"mode", "all"}}));
    ASSERT_TRUE(clients.back()->read("subscribed"));
  }
  constexpr int kTicks = 200;
  for (int i = 0; i < kTicks; ++i) {
    put(*server, quote("EURUSD", std::to_string(100 + i % 7), wall_clock().ns + i));
  }
  for (const auto& client : clients) {
    for (std::uint64_t seq = 1; seq <= kTicks; ++seq) ASSERT_EQ(client->read("tick")->at("seq"), seq);
  }
  const Json stats = server->json("/api/pipeline/stats");
  EXPECT_EQ(stats.at("messages_encoded"), kTicks);
  EXPECT_EQ(stats.at("catch_up_messages_encoded"), 0);
  EXPECT_EQ(stats.at("stream_messages"), 40 * kTicks);
  server->stop();
}

TEST_F(ServerWebSocketTest, AnIntervalBringsTheNewestValueAndSaysHowManyWereSkipped) {
  const auto server = serve();
  WebSocketClient client(server->port());
  client.send_json(subscribe("quotes", {"EURUSD"}, {{"interval_ms", 1'000}}));
  ASSERT_TRUE(client.read("subscribed"));
  constexpr std::uint64_t kTicks = 300;
  for (std::uint64_t i = 0; i < kTicks; ++i) {
    put(*server, quote("EURUSD", "100", wall_clock().ns + static_cast<std::int64_t>(i)));
  }
  std::uint64_t last = 0;
  std::size_t messages = 0;
  while (last < kTicks) {
    const auto tick = client.read("tick");
    ASSERT_TRUE(tick);
    const std::uint64_t seq = tick->at("seq");
    if (last != 0) {
      EXPECT_EQ(seq, last + 1 + tick->value("skipped", std::uint64_t{0}));
    }
    EXPECT_GT(seq, last);
    last = seq;
    ++messages;
  }
  EXPECT_LT(messages, kTicks / 2);
  server->stop();
}

TEST_F(ServerWebSocketTest, WhoComesBackGetsWhatItMissedOrIsToldThatItCannot) {
  auto server = serve();
  const std::int64_t now = wall_clock().ns;
  for (int i = 1; i <= 20; ++i) put(*server, quote("EURUSD", std::to_string(100 + i % 5), now + i));
  const std::string epoch = server->json("/api/pipeline/stats").at("epoch");
  server->stop();
  server = serve();
  const auto resume = [&](const std::string& from_epoch, std::uint64_t seq) {
    auto client = std::make_unique<WebSocketClient>(server->port());
    client->send_json(subscribe("quotes", {"EURUSD"},
                                {{"mode", "all"}, {"resume", {{"epoch", from_epoch}, {"seq", {{"EURUSD", seq}}}}}}));
    return client;
  };
  const auto client = resume(epoch, 5);
  EXPECT_EQ(client->read("subscribed")->at("recovered"), true);
  for (std::uint64_t seq = 6; seq <= 20; ++seq) {
    const auto tick = client->read("tick");
    ASSERT_TRUE(tick);
    EXPECT_EQ(tick->at("seq"), seq);
    EXPECT_EQ(tick->count("snapshot"), 0U);
  }
  put(*server, quote("EURUSD", "99", wall_clock().ns));
  EXPECT_EQ(client->read("tick")->at("seq"), 21);

  for (const auto& stranger : {resume("0123456789abcdef", 5), resume(epoch, 1'000)}) {
    EXPECT_EQ(stranger->read("subscribed")->at("recovered"), false);
    const auto tick = stranger->read("tick");
    ASSERT_TRUE(tick);
    EXPECT_EQ(tick->at("seq"), 21);
    EXPECT_EQ(tick->at("snapshot"), true);
    EXPECT_EQ(tick->at("recovered"), false);
  }
  server->stop();
}

TEST_F(ServerWebSocketTest, OneThatNeverReadsIsClosedAndTheOthersGetEverything) {
  const auto server = serve();
  WebSocketClient lazy(server->port());
  WebSocketClient good(server->port());
  for (WebSocketClient* const client : {&lazy, &good}) {
    client->send_json(subscribe("quotes", {"EURUSD"}, {{"mode", "all"}}));
    ASSERT_TRUE(client->read("subscribed"));
  }
  // Far more than the sockets between hold.
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!stop) {
      const auto tick = good.read("tick");
      if (!tick) break;
      const std::uint64_t seq = tick->at("seq");
      EXPECT_EQ(seq, last + 1);
      last = seq;
    }
  });
  HttpClient feeder = server->connect();
  std::int64_t time = wall_clock().ns;
  const auto is_alone = [&] { return server->json("/api/pipeline/stats").at("stream_clients") == 1; };
  const bool was_closed = eventually([&] {
    std::string body;
    for (int i = 0; i < 500; ++i) body += quote("EURUSD", "100", ++time) + "\n";
    EXPECT_EQ(feeder.post("/api/ingest", body, "Content-Type: application/x-ndjson\r\n")->status, 200);
    return is_alone();
  });
  EXPECT_TRUE(was_closed);
  stop = true;
  put(*server, quote("EURUSD", "100", ++time));
  reader.join();
  server->stop();
}

TEST_F(ServerWebSocketTest, QuotesComeInOnAConnectionOfTheirOwn) {
  const auto server = serve();
  WebSocketClient sender(server->port(), "/ws/ingest");
  ASSERT_EQ(sender.read()->at("type"), "welcome");
  const std::int64_t now = wall_clock().ns;
  sender.send(quote("EURUSD", "100", now));
  sender.send("[" + quote("EURUSD", "101", now + 1) + "," + quote("EURUSD", "-1", now + 2) + "]");
  sender.send(std::string("[{"));
  const auto first = sender.read("ack");
  EXPECT_EQ(first->at("accepted"), 1);
  const auto second = sender.read("ack");
  EXPECT_EQ(second->at("message_number"), 2);
  EXPECT_EQ(second->at("received"), 2);
  EXPECT_EQ(second->at("accepted"), 1);
  EXPECT_EQ(second->at("errors")[0].at("line"), 2);
  EXPECT_EQ(second->at("errors")[0].at("reason"), "bad_price");
  const auto third = sender.read("error");
  EXPECT_EQ(third->at("code"), "not_well_formed");
  EXPECT_EQ(server->json("/api/quotes/latest/EURUSD").at("seq"), 2);
  // More than a frame of /ws may hold.
  std::string many = "[";
  for (int i = 0; i < 5'000; ++i) many += (i == 0 ? "" : ",") + quote("GBPUSD", "100", now + i);
  sender.send(many + "]");
  EXPECT_EQ(sender.read("ack")->at("accepted"), 5'000);
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
