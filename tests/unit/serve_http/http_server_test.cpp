#include "serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "unit/serve_http/serving.h"

namespace tickpipe::internal {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::HttpClient;
using testing::Parking;

class HttpServerTest : public testing::ServingTest {};

HttpResponse with_status(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

std::string gunzip(const std::string& compressed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return {};
  std::string out(16 * 1024 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = inflate(&stream, Z_FINISH);
  out.resize(ended == Z_STREAM_END ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

TEST_F(HttpServerTest, AnswersWithTheStandardHeadersAndKeepsTheConnection) {
  serve();
  auto client = this->client();
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.get("/a?b=c");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "0 /a?b=c 0");
    EXPECT_EQ(reply->header("server"), "tickpipe");
    EXPECT_EQ(reply->header("content-type"), "application/json");
    EXPECT_EQ(reply->header("x-content-type-options"), "nosniff");
    EXPECT_EQ(reply->header("cache-control"), "no-store");
    EXPECT_EQ(reply->header("access-control-allow-origin"), "*");
    EXPECT_EQ(reply->header("connection"), "");
    EXPECT_THAT(reply->header("date"), ::testing::EndsWith(" GMT"));
  }
  EXPECT_EQ(server_->counters().accepted, 1u);
  EXPECT_EQ(server_->counters().requests, 3u);
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  serve();
  auto client = this->client();
  const auto reply = client.ask("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n", false);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header("content-length"), std::to_string(std::string("1 /x 0").size()));
  EXPECT_EQ(client.get("/y")->body, "0 /y 0");
}

TEST_F(HttpServerTest, ConnectionCloseAndHttp10CloseUnlessAskedToStay) {
  serve();
  auto closing = client();
  EXPECT_EQ(closing.get("/", "Connection: close\r\n")->header("connection"), "close");
  EXPECT_TRUE(closing.is_closed());
  auto old = client();
  EXPECT_EQ(old.ask("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")->header("connection"), "close");
  EXPECT_TRUE(old.is_closed());
  auto staying = client();
  const std::string request = "GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(staying.ask(request)->header("connection"), "keep-alive");
  EXPECT_EQ(staying.ask(request)->status, 200);
}

TEST_F(HttpServerTest, ABodyMayComeChunkedAndInPieces) {
  serve();
  auto client = this->client();
  for (const char c : std::string("POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  }
  EXPECT_EQ(client.read()->body, "2 /p 13");
  EXPECT_EQ(client.post("/q", "12345")->body, "2 /q 5");
}

TEST_F(HttpServerTest, ContinueIsSentOnlyForAnAcceptableHead) {
  serve();
  auto client = this->client();
  EXPECT_EQ(
      client.ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")->status,
      100);
  EXPECT_EQ(client.ask("abc")->body, "2 / 3");
  EXPECT_EQ(
      client.ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
          ->status,
      413);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, ATooLargeBodyIsRefusedWhetherAnnouncedOrChunked) {
  options_.max_body_bytes = 100'000;
  serve();
  auto announced = client();
  const auto first = announced.post("/", std::string(3'000'000 / 3, 'x'));  // sent in full, then read
  ASSERT_TRUE(first);
  EXPECT_EQ(first->status, 413);
  EXPECT_THAT(first->body, HasSubstr(R"("code":"body_too_large")"));
  EXPECT_EQ(first->header("content-type"), "application/problem+json");
  auto chunked = client();
  chunked.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 101; ++i) chunked.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(chunked.read()->status, 413);
  auto fitting = client();
  EXPECT_EQ(fitting.post("/", std::string(100'000, 'x'))->body, "2 / 100000");
  EXPECT_EQ(server_->counters().bad_requests, 2u);
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  auto client = this->client();
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab";
  }
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 1000; ++i) {
    const auto reply = client.read();
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->body, "2 /" + std::to_string(i) + " 2");
  }
  sender.join();
}

TEST_F(HttpServerTest, ThePipelinedNextIsNotHandledBeforeTheAnswer) {
  Parking parking;
  handler_.will(parking.act());
  serve();
  auto client = this->client();
  client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Respond first = parking.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(server_->counters().requests, 1u);
  first(with_status(201));
  EXPECT_EQ(client.read()->status, 201);
  Respond second = parking.take();
  ASSERT_TRUE(second);
  second(with_status(202));
  second(with_status(500));  // once is enough
  EXPECT_EQ(client.read()->status, 202);
  EXPECT_FALSE(client.is_readable());
}

TEST_F(HttpServerTest, AnswersMayComeFromOtherThreads) {
  std::vector<std::jthread> workers;
  std::mutex mutex;
  handler_.will([&](HttpRequest&& request, Respond respond) {
    const std::lock_guard lock(mutex);
    workers.emplace_back([text = std::move(request.target), respond = std::move(respond)] {
      HttpResponse response;
      response.body = text + std::string(3000, 'x');
      respond(std::move(response));
    });
  });
  serve();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(client());
  for (int round = 0; round < 20; ++round) {
    const std::string target = "/" + std::to_string(round);
    for (auto& client : clients) {
      client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
    }
    for (auto& client : clients) ASSERT_EQ(gunzip(client.read()->body), target + std::string(3000, 'x'));
  }
}

TEST_F(HttpServerTest, ARequestThatNobodyAnswersGets500) {
  handler_.will([](HttpRequest&&, const Respond&) {});
  serve();
  auto client = this->client();
  EXPECT_EQ(client.get("/")->status, 500);
  handler_.will([](HttpRequest&&, const Respond&) { throw std::runtime_error("no"); });
  EXPECT_EQ(client.get("/")->status, 500);
  EXPECT_THAT(log_.lines(), ::testing::ElementsAre("a handler threw: no"));
}

TEST_F(HttpServerTest, AnAnswerAfterTheConnectionOrTheServerIsGoneIsHarmless) {
  Parking parking;
  handler_.will(parking.act());
  serve();
  auto first = client();
  first.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Respond to_nobody = parking.take();
  ASSERT_TRUE(to_nobody);
  first.close();
  to_nobody({});
  auto second = client();
  second.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Respond too_late = parking.take();
  ASSERT_TRUE(too_late);
  server_.reset();
  EXPECT_TRUE(second.is_closed());
  too_late({});
}

TEST_F(HttpServerTest, LargeBodiesGoInAndOut) {
  handler_.will([](HttpRequest&& request, const Respond& respond) {
    HttpResponse response;
    response.content_type = "application/octet-stream";
    response.body = std::move(request.body);
    respond(std::move(response));
  });
  serve();
  std::string body(8 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * i >> 7U);
  auto client = this->client();
  for (int i = 0; i < 2; ++i) {
    const auto reply = client.post("/", body);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->body == body);
  }
  // Large answers to pipelined requests, read late.
  const std::string one =
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + body.substr(0, 1000000);
  std::thread sender([&] {
    for (int i = 0; i < 5; ++i) client.send(one);
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client.read()->body == body.substr(0, 1000000));
  sender.join();
}

TEST_F(HttpServerTest, CompressesWhatIsWorthItWhenAsked) {
  const std::string text(5000, 'a');
  handler_.will([&](HttpRequest&& request, const Respond& respond) {
    HttpResponse response;
    if (request.target == "/binary") response.content_type = "application/octet-stream";
    response.body = request.target == "/small" ? text.substr(0, 1023) : text;
    respond(std::move(response));
  });
  serve();
  auto client = this->client();
  const auto compressed = client.get("/", "Accept-Encoding: br, gzip;q=0.5\r\n");
  EXPECT_EQ(compressed->header("content-encoding"), "gzip");
  EXPECT_EQ(compressed->header("vary"), "Accept-Encoding");
  EXPECT_EQ(gunzip(compressed->body), text);
  const auto plain = client.get("/", "Accept-Encoding: gzip;q=0, *\r\n");
  EXPECT_EQ(plain->header("content-encoding"), "");
  EXPECT_EQ(plain->header("vary"), "Accept-Encoding");
  EXPECT_EQ(plain->body, text);
  EXPECT_EQ(client.get("/small", "Accept-Encoding: gzip\r\n")->header("content-encoding"), "");
  EXPECT_EQ(client.get("/binary", "Accept-Encoding: gzip\r\n")->header("content-encoding"), "");
  const auto head = client.ask("HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n", false);
  EXPECT_EQ(head->header("content-length"), std::to_string(compressed->body.size()));
}

TEST_F(HttpServerTest, OwnHeadersAreSentAndCannotSplitTheResponse) {
  handler_.will([](HttpRequest&&, const Respond& respond) {
    HttpResponse response;
    response.headers.emplace_back("Cache-Control", "max-age=60");
    response.headers.emplace_back("Link", "<a>\r\nSet-Cookie: b");
    response.status = 204;
    respond(std::move(response));
  });
  serve();
  auto client = this->client();
  const auto reply = client.get("/");
  EXPECT_EQ(reply->header("cache-control"), "max-age=60");
  EXPECT_EQ(reply->header("link"), "<a>  Set-Cookie: b");
  EXPECT_EQ(reply->headers.count("set-cookie"), 0u);
  EXPECT_EQ(reply->headers.count("content-length"), 0u);
  EXPECT_EQ(client.get("/")->status, 204);
}

TEST_F(HttpServerTest, HalfClosedClientsGetAllTheirAnswers) {
  serve();
  auto client = this->client();
  client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /3 HT");
  client.finish_sending();
  EXPECT_EQ(client.read()->body, "0 /1 0");
  EXPECT_EQ(client.read()->body, "0 /2 0");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, ForeignHostsAndOriginsAreRefused) {
  serve();
  const auto status = [this](const std::string& request) { return client().ask(request)->status; };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nOrigin: http://evil.example\r\n\r\n"), 200);
  EXPECT_EQ(status("GET /admin/x HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"), 403);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n"), 403);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: localhost:9\r\nOrigin: http://localhost:9\r\nContent-Length: 0\r\n\r\n"),
            200);
  EXPECT_THAT(client().ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")->body, HasSubstr("\"host_not_allowed\""));
  EXPECT_THAT(client().ask("DELETE / HTTP/1.1\r\nHost: [::1]\r\nOrigin: null\r\n\r\n")->body,
              HasSubstr("\"origin_not_allowed\""));
}

TEST_F(HttpServerTest, PreflightsAreAnsweredForReadingOnly) {
  serve();
  const auto ask = [this](const std::string& method) {
    return *client().ask(
        "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\n"
        "Access-Control-Request-Method: " +
        method + "\r\n\r\n");
  };
  EXPECT_EQ(ask("GET").header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(ask("GET").header("access-control-allow-origin"), "*");
  EXPECT_EQ(ask("POST").header("access-control-allow-methods"), "");
  EXPECT_EQ(ask("POST").header("access-control-allow-origin"), "");
  EXPECT_EQ(client().post("/", "")->header("access-control-allow-origin"), "");
}

TEST_F(HttpServerTest, AnyHostIsAllowedWhenInsecureIs) {
  options_.allow_insecure = true;
  options_.address = "0.0.0.0";
  serve();
  EXPECT_EQ(client().ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")->status, 200);
}

TEST_F(HttpServerTest, BindingErrorsNameTheCauseAndTheRemedy) {
  serve();
  const auto error_of = [this](const std::string& address, std::uint16_t port) -> std::string {
    HttpServer::Options options;
    options.address = address;
    options.port = port;
    HttpServer other(options, handler_, log_);
    try {
      other.start();
    } catch (const ConfigError& error) {
      return std::string("config: ") + error.what();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_EQ(error_of("127.0.0.1", server_->port()),
            "port " + std::to_string(server_->port()) +
                " on 127.0.0.1 is in use: stop the other process or choose another with --port or http.port");
  EXPECT_THAT(error_of("0.0.0.0", 0),
              ::testing::AllOf(HasSubstr("config: address 0.0.0.0"), HasSubstr("http.allow_insecure")));
  EXPECT_THAT(error_of("::", 0), HasSubstr("http.allow_insecure"));
  EXPECT_THAT(error_of("", 0), HasSubstr("cannot be resolved"));
  EXPECT_EQ(error_of("localhost", 0), "");
  EXPECT_EQ(error_of("127.9.9.9", 0), "");
}

TEST_F(HttpServerTest, StopClosesIdleConnectionsAndLetsRequestsFinish) {
  Parking parking;
  serve();
  auto idle = client();
  EXPECT_EQ(idle.get("/")->status, 200);
  handler_.will(parking.act());
  auto busy = client();
  busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Respond respond = parking.take();
  ASSERT_TRUE(respond);
  std::thread stopper([this] { server_->stop(milliseconds{20'000}); });
  EXPECT_TRUE(idle.is_closed());
  respond({});
  const auto reply = busy.read();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->header("connection"), "close");
  stopper.join();
  EXPECT_TRUE(busy.is_closed());
  EXPECT_THROW(client(), std::runtime_error);
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(HttpServerTest, StopCutsOffWhatDoesNotFinish) {
  Parking parking;
  handler_.will(parking.act());
  serve();
  auto busy = client();
  busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Respond respond = parking.take();
  auto slow = client();
  slow.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  server_->stop(milliseconds{50});
  EXPECT_TRUE(busy.is_closed());
  EXPECT_TRUE(slow.is_closed());
  respond({});
}

TEST_F(HttpServerTest, StopAcceptingLeavesConnectionsAlone) {
  serve();
  auto client = this->client();
  EXPECT_EQ(client.get("/")->status, 200);
  server_->stop_accepting();
  EXPECT_THROW(this->client(), std::runtime_error);
  EXPECT_EQ(client.get("/")->status, 200);
}

}  // namespace
}  // namespace tickpipe::internal
