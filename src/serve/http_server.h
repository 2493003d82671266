#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/log.h"
#include "serve/http.h"
#include "serve/http_timeouts.h"

namespace tickpipe::internal {

/// HTTP/1.0 and 1.1 on one address. Place: clients -> [server] -> HttpHandler.
///
/// Rules:   without authentication only programs and pages of this machine may use it: serve/access_rules.h.
/// Errors:  what a client does wrong is answered with a problem document, or its connection is closed; it never throws,
///          ends the process or disturbs other connections.
/// Bodies:  an answer that is given on the I/O thread is compressed there (about 10 ms per MiB); one given by another
///          thread is compressed by that thread. So large answers belong to other threads.
/// Threads: one loop per thread; a connection stays with its thread. start() and stop() by the owner; the rest from
/// any.
class HttpServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address, or a name; of several the first that can be bound
    std::uint16_t port = 7999;          ///< 0 = any that is free
    bool allow_insecure = false;        ///< may be reached from outside, under any name
    std::uint32_t max_connections = 20000;
    std::uint64_t max_body_bytes = 8'388'608;  ///< after chunks are put together
    /// For large bodies on their way in or out, of all connections together; beyond it they are answered 503 `busy`.
    std::uint64_t max_held_bytes = std::uint64_t{256} << 20;
    std::size_t max_head_bytes = 16'384;
    std::size_t max_target_bytes = 8'192;
    unsigned threads = 0;  ///< 0 = half of the processors, at least one and at most four
    HttpTimeouts timeouts;
  };
  /// Since start.
  struct Counters {
    std::uint64_t accepted = 0;      ///< connections, with those turned away
    std::uint64_t requests = 0;      ///< given to the handler
    std::uint64_t bad_requests = 0;  ///< refused before that
    std::uint64_t timeouts = 0;      ///< connections that took too long to send or to read
    std::uint64_t turned_away = 0;   ///< connections beyond max_connections
  };

  /// `handler` and `log` outlive the server.
  HttpServer(Options options, HttpHandler& handler, Log& log);
  /// Stops without grace.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and serves. Throws ConfigError for an address that is not of this machine alone without allow_insecure or
  /// that cannot be resolved, Error for one that cannot be bound. To be called once.
  void start();
  /// Closes the listening socket. Connections go on. Returns once it is closed.
  void stop_accepting();
  /// Stops accepting, closes idle connections, gives the others `grace` to be answered, cuts off the rest and joins the
  /// threads. Answers that come later are dropped.
  void stop(std::chrono::milliseconds grace);

  /// The port that is bound; 0 before start().
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint64_t connections() const noexcept;
  [[nodiscard]] Counters counters() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
