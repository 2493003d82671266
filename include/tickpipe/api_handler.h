#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tickpipe/export.h"
#include "tickpipe/pipeline.h"

namespace tickpipe {

struct ApiRequest {
  std::string method = "GET";
  std::string target = {};         ///< path and query as the client sent them, percent-encoded: `/api/symbols?…`
  std::string body = {};           ///< of POST
  std::string content_type = {};   ///< of POST, as sent
  std::string last_event_id = {};  ///< header Last-Event-ID of an event stream; empty = none
};

/// The body of an event stream, which goes on until the client or the pipeline ends it. What is not read for 10 s while
/// there is something to read ends it. Threads: one at a time; close() from any.
class TICKPIPE_API ApiStream {
 public:
  ~ApiStream();
  ApiStream(const ApiStream&) = delete;
  ApiStream& operator=(const ApiStream&) = delete;

  /// The next bytes; empty when none came within `timeout`; nothing at the end. Events are whole only when joined.
  [[nodiscard]] std::optional<std::string> read(std::chrono::milliseconds timeout);
  /// Gives `write` what comes, until the end or until it returns false. Blocks; `write` may block, and is called with
  /// an empty text about every `idle`, so that it can find out that its client is gone.
  void pump(const std::function<bool(std::string_view bytes)>& write,
            std::chrono::milliseconds idle = std::chrono::milliseconds{1000});
  /// Ends it; read() then returns nothing.
  void close() noexcept;

 private:
  friend class ApiHandler;
  explicit ApiStream(int descriptor) noexcept : descriptor_(descriptor) {}
  const int descriptor_;
};

struct ApiResponse {
  int status = 200;
  std::string content_type;                                  ///< empty for an answer without a body
  std::vector<std::pair<std::string, std::string>> headers;  ///< further ones, such as Allow, Link, Retry-After
  std::string body;
  std::shared_ptr<ApiStream> stream;  ///< if set, it is the body, and `body` is empty
};

/// Every path of the REST API without a socket: requests in, answers out, to be mounted in any HTTP server.
///
/// It adds no Date, Content-Length or CORS header, does not compress, and lets everyone in: who may read, POST and use
/// /admin is decided by the server it is mounted in. Event streams are served as ApiStream; /ws and /ws/ingest need a
/// connection and are served only by the pipeline's own HTTP server (426 here).
/// Threads: any. Lifetime: it may outlive the pipeline, and answers 503 then. Off: 503 `pipeline_off` to everything.
class TICKPIPE_API ApiHandler {
 public:
  explicit ApiHandler(Pipeline& pipeline);
  ~ApiHandler();
  ApiHandler(const ApiHandler&) = delete;
  ApiHandler& operator=(const ApiHandler&) = delete;

  /// Answers. What is in memory is answered on the calling thread, within microseconds; else it waits: for the disk, or
  /// with POST /api/ingest for the commit, up to `http.ingest_wait` and longer while the store fails. Throws
  /// std::bad_alloc only.
  [[nodiscard]] ApiResponse handle(ApiRequest request);
  /// The same without waiting: calls `done` exactly once, maybe before it returns, maybe from another thread. `done`
  /// must be quick and must not throw.
  void handle(ApiRequest request, std::function<void(ApiResponse)> done);

  /// Whether one of its paths begins so: `/api/`, `/admin/pipeline/`, `/healthz`, … For servers that ask per request.
  [[nodiscard]] static bool is_api_path(std::string_view target) noexcept;

 private:
  std::shared_ptr<internal::Engine> engine_;  ///< null: off
};

}  // namespace tickpipe
