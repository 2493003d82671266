#include "redis/redis_connection.h"

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <charconv>
#include <utility>

#include "core/safe_text.h"

namespace tickpipe::internal {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Moved = std::function<void(error_code, std::size_t)>;

constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

/// The bytes of a connection, plain or encrypted.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual tcp::socket& socket() = 0;
  virtual void handshake(const std::string& host, std::function<void(error_code)> done) = 0;
  virtual void read_some(asio::mutable_buffer into, Moved moved) = 0;
  virtual void write_some(asio::const_buffer from, Moved moved) = 0;
};

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(asio::io_context& context) : socket_(context) {}
  tcp::socket& socket() override { return socket_; }
  void handshake(const std::string& /*host*/, std::function<void(error_code)> done) override { done({}); }
  void read_some(asio::mutable_buffer into, Moved moved) override { socket_.async_read_some(into, std::move(moved)); }
  void write_some(asio::const_buffer from, Moved moved) override { socket_.async_write_some(from, std::move(moved)); }

 private:
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(asio::io_context& context, const std::string& ca_file)
      : tls_(asio::ssl::context::tls_client), stream_(context, trusting(tls_, ca_file)) {}
  tcp::socket& socket() override { return stream_.next_layer(); }
  void handshake(const std::string& host, std::function<void(error_code)> done) override {
    SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());
    stream_.set_verify_callback(asio::ssl::host_name_verification(host));
    stream_.async_handshake(asio::ssl::stream_base::client, std::move(done));
  }
  void read_some(asio::mutable_buffer into, Moved moved) override { stream_.async_read_some(into, std::move(moved)); }
  void write_some(asio::const_buffer from, Moved moved) override { stream_.async_write_some(from, std::move(moved)); }

 private:
  static asio::ssl::context& trusting(asio::ssl::context& tls, const std::string& ca_file) {
    tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls.set_verify_mode(asio::ssl::verify_peer);
    error_code ec;
    if (ca_file.empty()) {
      tls.set_default_verify_paths(ec);
    } else {
      tls.load_verify_file(ca_file, ec);
    }
    if (ec) throw RedisError("redis_tls_ca: cannot read " + safe_text(ca_file, 256) + ": " + ec.message());
    return tls;
  }

  asio::ssl::context tls_;
  asio::ssl::stream<tcp::socket> stream_;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::optional<RedisEndpoint> parse_redis_endpoint(std::string_view text) {
  RedisEndpoint endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    endpoint.host = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
      return std::nullopt;  // no port, or an IPv6 address without brackets
    }
    endpoint.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (endpoint.host.empty() || endpoint.host.find_first_of(" \t\r\n/[]") != std::string::npos) return std::nullopt;
  const auto number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return std::nullopt;
  endpoint.port = *number;
  return endpoint;
}

std::string to_string(const RedisEndpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return safe_text(is_v6 ? "[" + endpoint.host + "]" : endpoint.host, 256) + ":" + std::to_string(endpoint.port);
}

struct RedisConnection::Impl {
  Impl(RedisEndpoint where, Options how) : endpoint(std::move(where)), options(std::move(how)) {}

  [[noreturn]] void fail(const std::string& what) {
    is_broken = true;
    error_code ignored;
    if (transport) transport->socket().close(ignored);
    throw RedisError("Redis at " + to_string(endpoint) + ": " + what);
  }
  [[noreturn]] void fail(error_code ec) { fail(ec == asio::error::eof ? "it closed the connection" : ec.message()); }

  /// Lets one thing happen, until the deadline at most. False: nothing did.
  bool step(SteadyClock::time_point until) {
    if (is_interrupted.load(std::memory_order_acquire)) fail("interrupted");
    context.restart();
    const bool happened = context.run_one_until(until) != 0;
    if (is_interrupted.load(std::memory_order_acquire)) fail("interrupted");
    if (failure) fail(failure);
    return happened;
  }

  void start_read() {
    if (is_reading) return;
    is_reading = true;
    transport->read_some(asio::buffer(in), [this](error_code ec, std::size_t size) {
      is_reading = false;
      failure = ec;
      if (ec) return;
      last_moved = SteadyClock::now();
      replies.feed({in.data(), size});
    });
  }

  void start_write() {
    transport->write_some(asio::buffer(unsent.data(), unsent.size()), [this](error_code ec, std::size_t size) {
      failure = ec;
      if (ec) return;
      last_moved = SteadyClock::now();
      unsent.remove_prefix(size);
      if (!unsent.empty()) start_write();
    });
  }

  /// Sends what is unsent, reads meanwhile, until `is_done()`.
  template <typename Done>
  void move(const Done& is_done) {
    if (is_broken || !transport) fail("not connected");
    last_moved = SteadyClock::now();
    if (!unsent.empty()) start_write();
    while (!is_done()) {
      start_read();
      if (!step(last_moved + options.idle_timeout) && SteadyClock::now() >= last_moved + options.idle_timeout) {
        fail("no answer for " + std::to_string(options.idle_timeout.count()) + " ms");
      }
    }
  }

  RedisEndpoint endpoint;
  Options options;
  asio::io_context context{1};
  std::unique_ptr<Transport> transport;
  ReplyReader replies;
  std::array<char, kReadBytes> in{};
  std::string_view unsent;
  bool is_reading = false;
  bool is_broken = false;
  error_code failure;
  SteadyClock::time_point last_moved;
  std::atomic<bool> is_interrupted{false};
};

RedisConnection::RedisConnection(RedisEndpoint endpoint, Options options)
    : impl_(std::make_unique<Impl>(std::move(endpoint), std::move(options))) {}
RedisConnection::~RedisConnection() = default;

const RedisEndpoint& RedisConnection::endpoint() const noexcept { return impl_->endpoint; }

void RedisConnection::connect() {
  Impl& all = *impl_;
  error_code ec;
  tcp::resolver resolver(all.context);
  const auto found = resolver.resolve(all.endpoint.host, std::to_string(all.endpoint.port), ec);
  if (ec) all.fail("cannot find the host: " + ec.message());
  if (all.options.uses_tls) {
    all.transport = std::make_unique<TlsTransport>(all.context, all.options.ca_file);
  } else {
    all.transport = std::make_unique<PlainTransport>(all.context);
  }
  bool is_ready = false;
  const auto deadline = SteadyClock::now() + all.options.connect_timeout;
  asio::async_connect(all.transport->socket(), found, [&all, &is_ready](error_code result, const tcp::endpoint&) {
    all.failure = result;
    if (result) return;
    error_code ignored;
    all.transport->socket().set_option(tcp::no_delay(true), ignored);
    all.transport->handshake(all.endpoint.host, [&all, &is_ready](error_code shaken) {
      all.failure = shaken;
      is_ready = !shaken;
    });
  });
  try {
    while (!is_ready) {
      if (!all.step(deadline) && SteadyClock::now() >= deadline) {
        all.fail("no connection within " + std::to_string(all.options.connect_timeout.count()) + " ms");
      }
    }
  } catch (const RedisError&) {
    all.context.restart();
    all.context.poll();  // the handlers refer to what is on this stack
    throw;
  }
}

void RedisConnection::exchange(const RedisCommands& commands,
                               const std::function<void(std::size_t, RedisReply&&)>& take) {
  Impl& all = *impl_;
  all.unsent = commands.bytes();
  std::size_t taken = 0;
  const auto is_done = [&] {
    while (taken < commands.count()) {
      auto reply = all.replies.next();
      if (!reply) return false;
      take(taken++, std::move(*reply));
    }
    return all.unsent.empty();
  };
  try {
    all.move(is_done);
  } catch (...) {
    all.is_broken = true;
    throw;
  }
}

RedisReply RedisConnection::call(const RedisCommands& command) {
  RedisReply answer;
  exchange(command, [&answer](std::size_t, RedisReply&& reply) { answer = std::move(reply); });
  return answer;
}

void RedisConnection::send(const RedisCommands& commands) {
  impl_->unsent = commands.bytes();
  impl_->move([this] { return impl_->unsent.empty(); });
}

std::optional<RedisReply> RedisConnection::receive(std::chrono::nanoseconds timeout) {
  Impl& all = *impl_;
  if (all.is_broken || !all.transport) all.fail("not connected");
  const auto deadline = SteadyClock::now() + timeout;
  while (true) {
    if (auto reply = all.replies.next()) return reply;
    all.start_read();
    if (!all.step(deadline) && SteadyClock::now() >= deadline) return std::nullopt;
  }
}

void RedisConnection::interrupt() {
  impl_->is_interrupted.store(true, std::memory_order_release);
  asio::post(impl_->context, [] {});
}

}  // namespace tickpipe::internal
