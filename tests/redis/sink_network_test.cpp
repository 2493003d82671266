// Redis behind TLS, and behind a network that is slow.

#include <gmock/gmock.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "core/decimal.h"
#include "support/redis_fixture.h"

namespace tickpipe::internal::testing {
namespace {

using ::testing::HasSubstr;

void post_some(const RunningServer& server, int count) {
  std::string lines;
  const std::int64_t now = wall_clock().ns;
  for (int i = 0; i < count; ++i) {
    lines += R"({"symbol":"EURUSD","bid":)" + decimal_to_string(1'100'000'000 + i * 10'000) +
             R"(,"ask":1.3,"timestamp_ns":)" + std::to_string(now - (count - i) * 100'000) + "}\n";
  }
  const auto reply = server.post("/api/ingest", lines, "Content-Type: application/x-ndjson\r\n");
  ASSERT_EQ(reply.status, 200) << reply.body;
}

class RedisTlsTest : public RedisTest {
 protected:
  /// A certificate of an authority of its own, for this name.
  bool make_certificates(const std::string& name) {
    const std::string folder = folder_.path().string();
    const std::string script =
        "cd " + folder +
        "\nopenssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority\n"
        "openssl req -newkey rsa:2048 -nodes -keyout redis.key -out redis.csr -subj /CN=redis\n"
        "printf 'subjectAltName=" +
        name +
        "' > ext\n"
        "openssl x509 -req -in redis.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out redis.pem -days 2 -extfile "
        "ext\n";
    Process process({"/bin/bash", file("certificates.sh", "set -e\n" + script)}, folder_ / "openssl");
    return process.wait() == 0;
  }
  std::vector<std::string> tls_options(std::uint16_t port) {
    return {"--save",
            "",
            "--tls-port",
            std::to_string(port),
            "--tls-cert-file",
            folder_ / "redis.pem",
            "--tls-key-file",
            folder_ / "redis.key",
            "--tls-ca-cert-file",
            folder_ / "ca.pem",
            "--tls-auth-clients",
            "no"};
  }
};

TEST_F(RedisTlsTest, TheCertificateIsChecked) {
  if (::access("/usr/bin/openssl", X_OK) != 0) GTEST_SKIP() << "openssl is missing: Debian package openssl";
  ASSERT_TRUE(make_certificates("DNS:localhost"));
  const std::uint16_t port = free_port();
  const auto redis = start_redis("redis", tls_options(port));
  const std::string at = ":" + std::to_string(port);
  const std::string trusted = R"("redis_tls":true,"redis_tls_ca":")" + (folder_ / "ca.pem") + R"(")";
  {
    const auto server = serve_to("localhost" + at, trusted);
    post_some(*server, 200);
    EXPECT_TRUE(is_in_step(*server)) << redis_health(*server).dump();
    expect_keys_fit(*server, *redis, {"EURUSD"});
    server->stop();
  }
  for (const auto& [host, more] :
       {std::pair{"localhost", std::string(R"("redis_tls":true)")}, std::pair{"127.0.0.1", trusted}}) {
    const auto server = serve_to(host + at, more);  // nobody the system trusts; the name of another server
    EXPECT_TRUE(eventually([&] {
      const auto health = redis_health(*server);
      return health["status"] == "degraded" &&
             health["detail"].get<std::string>().find("certificate verify failed") != std::string::npos;
    })) << redis_health(*server).dump();
    server->stop();
  }
}

/// Passes bytes on to a server, at most so many a second.
class SlowNetwork {
 public:
  SlowNetwork(std::uint16_t target, int bytes_per_second)
      : target_(target), piece_(static_cast<std::size_t>(bytes_per_second / 50)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no slow network");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~SlowNetwork() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }
  SlowNetwork(const SlowNetwork&) = delete;
  SlowNetwork& operator=(const SlowNetwork&) = delete;
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  /// One connection at a time, which is what a sink makes.
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!is_readable(listener_)) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(target_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        while (!stop.stop_requested() && pass(client, server) && pass(server, client)) {
        }
      }
      ::close(client);
      ::close(server);
    }
  }
  bool pass(int from, int to) const {
    if (!is_readable(from)) return true;
    std::string bytes(piece_, '\0');
    const auto size = ::recv(from, bytes.data(), bytes.size(), 0);
    return size > 0 && ::send(to, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
  }
  static bool is_readable(int descriptor) {
    pollfd waiting{descriptor, POLLIN, 0};
    return ::poll(&waiting, 1, 10) > 0;
  }

  const std::uint16_t target_;
  const std::size_t piece_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

TEST_F(RedisTlsTest, BehindASlowNetworkTheNewestIsToldAndTheKeysComeRight) {
  const auto redis = start_redis();
  const SlowNetwork network(redis->port(), 100'000);
  const auto server = serve_to(network.address());
  // Two MB of quotes, of which a tenth can stay.
  for (int i = 0; i < 20; ++i) post_some(*server, 500);
  const auto stats = server->json("/api/pipeline/stats");
  EXPECT_EQ(stats["ticks_processed"], 10'000) << "nobody waited";
  expect_keys_fit(*server, *redis, {"EURUSD"});
  EXPECT_TRUE(is_in_step(*server));
  server->stop();
}

}  // namespace
}  // namespace tickpipe::internal::testing
