#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "core/log.h"
#include "serve/http.h"
#include "serve/io_loop.h"

namespace tickpipe::internal {

/// Serves event streams to readers without a socket of their own: the session writes into one end of a pair of local
/// sockets, the reader has the other. So it is bounded, paced and ended as a client of the HTTP server is.
///
/// Threads: open() from any; one of its own, "api-streams", from the first stream on. Lifetime: stop() comes before the
/// end of the handler.
class StreamPipes {
 public:
  /// Both outlive it.
  StreamPipes(HttpHandler& handler, Log& log) : handler_(handler), log_(log) {}
  ~StreamPipes() { stop(); }
  StreamPipes(const StreamPipes&) = delete;
  StreamPipes& operator=(const StreamPipes&) = delete;

  /// Begins a stream. Returns the reader's end, which the caller closes; -1 after stop(), or without descriptors.
  int open(TakeOver take_over);
  /// Tells all clients that it is over, gives them 3 s to take that, and closes them. Idempotent.
  void stop();

 private:
  HttpHandler& handler_;
  Log& log_;
  std::mutex mutex_;
  bool is_stopped_ = false;
  std::shared_ptr<IoLoop> loop_;
  std::shared_ptr<std::atomic<std::uint64_t>> streams_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::thread thread_;
};

}  // namespace tickpipe::internal
