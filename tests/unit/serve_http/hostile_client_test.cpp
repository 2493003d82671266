// What clients do wrong, by accident or on purpose: each gets a clear answer or is cut off, and nobody else notices.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "unit/serve_http/serving.h"

namespace tickpipe::internal {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::HttpClient;

class HostileClientTest : public testing::ServingTest {
 protected:
  HostileClientTest() { options_.timeouts.linger = milliseconds{200}; }
  void expect_served() {
    auto other = client();
    const auto reply = other.get("/ok");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
  }
};

struct Refusal {
  std::string name;
  std::string bytes;
  int status = 0;
  std::string code;

  friend std::ostream& operator<<(std::ostream& out, const Refusal& refusal) { return out << refusal.name; }
};

class HostileRequestTest : public HostileClientTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(HostileRequestTest, IsRefusedAndTheConnectionClosed) {
  serve();
  auto client = this->client();
  const auto reply = client.ask(GetParam().bytes);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, GetParam().status);
  EXPECT_EQ(reply->header("content-type"), "application/problem+json");
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_THAT(reply->body, HasSubstr("\"code\":\"" + GetParam().code + "\""));
  EXPECT_THAT(reply->body, HasSubstr("\"status\":" + std::to_string(GetParam().status)));
  client.finish_sending();
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(server_->counters().requests, 0u);
  expect_served();
}

const std::string kHost = "Host: localhost\r\n";

Refusal malformed(std::string name, std::string bytes) {
  return {std::move(name), std::move(bytes), 400, "malformed_request"};
}
Refusal bad_header(std::string name, const std::string& headers) {
  return malformed(std::move(name), "POST / HTTP/1.1\r\n" + kHost + headers + "\r\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileRequestTest,
    ::testing::Values(
        malformed("NoHost", "GET / HTTP/1.1\r\n\r\n"), bad_header("TwoHosts", kHost),
        bad_header("BothLengths", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        bad_header("BothLengthsTurned", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
        bad_header("BothLengthsOtherCoding", "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"),
        bad_header("DifferingLengths", "Content-Length: 3\r\nContent-Length: 4\r\n"),
        bad_header("DifferingLengthsInOneLine", "Content-Length: 3, 4\r\n"),
        bad_header("LengthWithSign", "Content-Length: +3\r\n"), bad_header("LengthInHex", "Content-Length: 0x3\r\n"),
        bad_header("NegativeLength", "Content-Length: -1\r\n"),
        bad_header("OverflowingLength", "Content-Length: 18446744073709551617\r\n"),
        bad_header("EmptyLength", "Content-Length: \r\n"),
        bad_header("TwoChunkedCodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        malformed("ChunkedInHttp10", "POST / HTTP/1.0\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n"),
        bad_header("FoldedLine", "A: b\r\n c\r\n"), bad_header("FoldedFirstLine", " A: b\r\n"),
        bad_header("NulInAValue", std::string("A: b\0c\r\n", 8)), bad_header("BareCr", "A: b\rc\r\n"),
        bad_header("BareLf", "A: b\nC: d\r\n"), bad_header("ControlCharacter", "A: b\x01\r\n"),
        bad_header("SpaceBeforeTheColon", "A : b\r\n"), bad_header("NoColon", "Ab\r\n"),
        bad_header("NoName", ": b\r\n"), bad_header("BadName", "A(b): c\r\n"),
        bad_header("TwoOrigins", "Origin: null\r\nOrigin: http://localhost\r\n"),
        bad_header("BadConnection", "Connection: @\r\n"), malformed("Http09", "GET /\r\n\r\n"),
        malformed("TwoSpaces", "GET  / HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("SpaceInTheTarget", "GET /a b HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("TabInTheTarget", "GET /a\tb HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("NonAsciiTarget", "GET /\xc3\xa4 HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("FragmentInTheTarget", "GET /#a HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("RelativeTarget", "GET a HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("StarForGet", "GET * HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("OtherScheme", "GET ftp://localhost/ HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("UserInTheTarget", "GET http://a@localhost/ HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("Connect", "CONNECT a:1 HTTP/1.1\r\n" + kHost + "\r\n"),
        malformed("BadMethod", "G@T / HTTP/1.1\r\n" + kHost + "\r\n"), malformed("LongMethod", std::string(40, 'A')),
        malformed("BadVersion", "GET / HTTQ/1.1\r\n" + kHost + "\r\n"),
        malformed("LowerCaseVersion", "GET / http/1.1\r\n" + kHost + "\r\n"),
        malformed("TlsClientHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)),
        malformed("Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), malformed("BlankLines", "\r\n\r\n"),
        bad_header("BadChunkSize", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        bad_header("OverflowingChunkSize", "Transfer-Encoding: chunked\r\n\r\n11111111111111111\r\n"),
        bad_header("NegativeChunkSize", "Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
        bad_header("BadChunkEnd", "Transfer-Encoding: chunked\r\n\r\n1\r\nabcd\r\n0\r\n"),
        bad_header("LongChunkExtension", "Transfer-Encoding: chunked\r\n\r\n1;a=" + std::string(9000, 'b')),
        bad_header("LongTrailers", "Transfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(9000, 'b')),
        Refusal{"Version20", "GET / HTTP/2.0\r\n" + kHost + "\r\n", 505, "version_not_supported"},
        Refusal{"Version12", "GET / HTTP/1.2\r\n" + kHost + "\r\n", 505, "version_not_supported"},
        Refusal{"UnknownCoding", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip\r\n\r\n", 501,
                "transfer_coding_not_supported"},
        Refusal{"ChunkedIsNotAlone", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501,
                "transfer_coding_not_supported"},
        Refusal{"Expectation", "POST / HTTP/1.1\r\n" + kHost + "Expect: magic\r\n\r\n", 417, "expectation_failed"},
        Refusal{"LongTarget", "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n", 414,
                "target_too_long"},
        Refusal{"EndlessTarget", "GET /" + std::string(9000, 'a'), 414, "target_too_long"},
        Refusal{"LargeHeaders", "GET / HTTP/1.1\r\n" + kHost + "A: " + std::string(17000, 'a'), 431,
                "headers_too_large"},
        Refusal{"CompressedBody",
                "POST / HTTP/1.1\r\n" + kHost + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415,
                "unsupported_media_type"},
        Refusal{"HugeBody", "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 8388609\r\n\r\n", 413, "body_too_large"},
        Refusal{"HugeChunk", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                413, "body_too_large"},
        Refusal{"ForeignHostInTheTarget", "GET http://evil.example/ HTTP/1.1\r\n" + kHost + "\r\n", 403,
                "host_not_allowed"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(HostileClientTest, UnusualButValidRequestsAreServed) {
  serve();
  auto client = this->client();
  EXPECT_EQ(client.ask("\r\nGET http://localhost:1/a?b HTTP/1.1\r\nHost: x\r\n\r\n")->body, "0 /a?b 0");
  EXPECT_EQ(client.ask("GET HTTP://localhost HTTP/1.1\r\nhost:localhost\r\n\r\n")->body, "0 / 0");
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\n" + kHost + "\r\n")->body, "6 * 0");
  EXPECT_EQ(client.ask("BREW /%00 HTTP/1.1\r\n" + kHost + "\r\n")->body, "7 /%00 0");
  EXPECT_EQ(client.ask("POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx")->body,
            "2 / 1");
  EXPECT_EQ(client.ask("POST / HTTP/1.1\r\n" + kHost + "Content-Encoding: identity\r\nContent-Length: 0\r\n\r\n")->body,
            "2 / 0");
  EXPECT_EQ(client.get("/" + std::string(8191, 'a'))->status, 200);
  EXPECT_EQ(client.get("/", "A: \xc3\xa4\t b\r\n")->status, 200);
}

TEST_F(HostileClientTest, SlowHeadersAreTimedOut) {
  options_.timeouts.header = milliseconds{200};
  serve();
  auto slow = client();
  slow.send("GET / HTTP/1.1\r\nHost: loc");
  const auto reply = slow.read();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 408);
  EXPECT_THAT(reply->body, HasSubstr("\"request_timeout\""));
  EXPECT_TRUE(slow.is_closed());
  auto silent = client();
  EXPECT_TRUE(silent.is_closed());
  EXPECT_EQ(server_->counters().timeouts, 1u);
  expect_served();
}

TEST_F(HostileClientTest, DrippingHeadersDoNotMoveTheDeadline) {
  options_.timeouts.header = milliseconds{200};
  serve();
  auto slow = client();
  slow.send("GET / HTTP/1.1\r\nA: ");
  EXPECT_TRUE(eventually([&] {
    slow.send("x");
    return slow.is_readable();
  }));
  EXPECT_EQ(slow.read()->status, 408);
}

TEST_F(HostileClientTest, SlowBodiesAreTimedOutWithAndWithoutProgress) {
  options_.timeouts.body_progress = milliseconds{200};
  options_.timeouts.body_total = milliseconds{600};
  serve();
  const std::string head = "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1000000\r\n\r\n";
  auto stuck = client();
  EXPECT_EQ(stuck.ask(head + "abc")->status, 408);
  auto dripping = client();
  dripping.send(head);
  EXPECT_TRUE(eventually([&] {
    dripping.send("x");
    return dripping.is_readable();
  }));
  EXPECT_EQ(dripping.read()->status, 408);
  expect_served();
}

TEST_F(HostileClientTest, IdleConnectionsAreClosed) {
  options_.timeouts.idle = milliseconds{200};
  serve();
  auto client = this->client();
  EXPECT_EQ(client.get("/")->status, 200);
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HostileClientTest, AReaderThatStopsIsCutOff) {
  options_.timeouts.write = milliseconds{200};
  handler_.will([](HttpRequest&& request, const Respond& respond) {
    HttpResponse response;
    response.content_type = "application/octet-stream";
    response.body.assign(request.target == "/ok" ? 10 : 32 * 1024 * 1024, 'x');
    respond(std::move(response));
  });
  serve();
  auto stuck = client();
  stuck.send("GET / HTTP/1.1\r\n" + kHost + "\r\n");
  EXPECT_TRUE(eventually([&] { return server_->counters().timeouts == 1 && server_->connections() == 0; }));
  expect_served();
}

TEST_F(HostileClientTest, APipeliningClientThatDoesNotReadIsHeldBack) {
  serve();
  auto greedy = client();
  std::string burst;
  for (int i = 0; i < 1000; ++i) burst += "GET / HTTP/1.1\r\n" + kHost + "\r\n";
  std::size_t sent = 0;
  int refused = 0;
  while (refused < 100) {  // until both socket buffers are full and stay so
    const ssize_t count = ::send(greedy.descriptor(), burst.data(), burst.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    refused = count > 0 ? 0 : refused + 1;
    if (count > 0) sent += static_cast<std::size_t>(count);
    if (count <= 0) ::usleep(2000);
    ASSERT_LT(sent, std::size_t{256} << 20U) << "the server reads without end";
  }
  expect_served();
}

TEST_F(HostileClientTest, BodiesOnTheirWayAreBoundedOverAllConnections) {
  options_.max_body_bytes = 1'000'000;
  options_.max_held_bytes = 2'000'000;
  serve();
  const std::string head = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n";
  const std::string most(899'999, 'x');
  std::vector<HttpClient> stuck;
  for (int i = 0; i < 4; ++i) stuck.emplace_back(client()).send(head + most);  // two of them fit
  HttpClient* refused = nullptr;
  EXPECT_TRUE(eventually([&] {
    for (HttpClient& each : stuck) {
      char byte = 0;
      if (::recv(each.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1) refused = &each;
    }
    return refused != nullptr;
  }));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->read()->status, 503);
  EXPECT_EQ(client().post("/x", "small")->status, 200);
  stuck.clear();
  EXPECT_TRUE(eventually([&] { return client().post("/x", std::string(900'000, 'y'))->status == 200; }));
}

TEST_F(HostileClientTest, ALargeAnswerIsRefusedWhileOthersAreNotRead) {
  options_.max_body_bytes = 1'000'000;
  options_.max_held_bytes = 2'000'000;
  handler_.will([](HttpRequest&& request, Respond respond) {
    HttpResponse response;
    response.body = std::string(request.target == "/large" ? 20'000'000 : 10, 'x');
    respond(std::move(response));
  });
  serve();
  HttpClient reader;
  const int window = 65'536;  // else the kernel may take all of it
  ::setsockopt(reader.descriptor(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
  reader.connect(server_->port());
  reader.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return server_->counters().requests == 1; }));
  EXPECT_TRUE(eventually([&] { return client().get("/large")->status == 503; }));
  EXPECT_EQ(client().get("/small")->status, 200);
  EXPECT_EQ(reader.read()->body.size(), 20'000'000U);  // the first one gets all of its answer
  EXPECT_TRUE(eventually([&] { return client().get("/large")->status == 200; }));
}

TEST_F(HostileClientTest, ConnectionsBeyondTheLimitAreToldAndClosed) {
  options_.max_connections = 3;
  serve();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    EXPECT_EQ(clients.back().get("/")->status, 200);
  }
  auto further = client();
  const auto reply = further.get("/");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_THAT(reply->body, HasSubstr("\"too_many_connections\""));
  EXPECT_TRUE(further.is_closed());
  EXPECT_EQ(server_->counters().turned_away, 1u);
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 2; }));
  expect_served();
}

TEST_F(HostileClientTest, ManyConnectionsAreServedAtOnce) {
  serve();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 400; ++i) clients.push_back(client());
  for (auto& client : clients) client.send("GET /x HTTP/1.1\r\n" + kHost + "\r\n");
  for (auto& client : clients) ASSERT_EQ(client.read()->body, "0 /x 0");
  EXPECT_EQ(server_->connections(), 400u);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HostileClientTest, WithoutFreeDescriptorsAcceptingPausesAndGoesOn) {
  serve();
  expect_served();
  std::vector<HttpClient> clients(3);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(::dup(0));
  ::close(static_cast<int>(tight.rlim_cur));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (auto& client : clients) client.connect(server_->port());
  const bool logged = eventually([&] { return !log_.lines().empty(); });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(logged);
  for (auto& client : clients) EXPECT_EQ(client.get("/")->status, 200);
  EXPECT_EQ(log_.lines().size(), 1u);
  EXPECT_THAT(log_.lines().front(), HasSubstr("ulimit -n"));
}

/// Seeded changes of valid requests. Every one must be answered or closed once the client has finished sending.
TEST_F(HostileClientTest, TenThousandMutationsNeitherCrashNorHang) {
  serve();
  const std::vector<std::string> seeds = {
      "GET /api/quotes/latest/EURUSD?limit=10 HTTP/1.1\r\nHost: localhost:7999\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n",
      "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
      "{\"a\":\"bcde\"}",
      "POST / HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
      "5;a=\"b\"\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nT: u\r\n\r\n",
      "OPTIONS * HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nOrigin: http://localhost\r\n\r\n",
  };
  const std::vector<std::string> pieces = {"\r\n",
                                           "\r",
                                           "\n",
                                           " ",
                                           ":",
                                           ";",
                                           "\t",
                                           std::string(1, '\0'),
                                           "\xff",
                                           "0",
                                           "ffffffff",
                                           "Content-Length: 5\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "\r\n\r\n",
                                           "HTTP/1.1",
                                           "Connection: close\r\n",
                                           "%",
                                           "//",
                                           ","};
  std::mt19937_64 random(20'240'229);
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes = seeds[below(seeds.size())];
    if (below(4) == 0) bytes += seeds[below(seeds.size())];
    for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + below(8));
          break;
        case 2:
          bytes.insert(at, pieces[below(pieces.size())]);
          break;
        case 3:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(40)));
          break;
        default:
          bytes.resize(at);
          break;
      }
    }
    auto client = this->client();
    const std::size_t cut = bytes.empty() ? 0 : below(bytes.size());
    client.send(std::string_view(bytes).substr(0, cut));
    client.send(std::string_view(bytes).substr(cut));
    client.finish_sending();
    while (client.read()) {
    }
    ASSERT_FALSE(client.timed_out()) << "round " << round << " hangs";
  }
  expect_served();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 1 || server_->connections() == 0; }));
}

}  // namespace
}  // namespace tickpipe::internal
