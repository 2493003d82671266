#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http.h"

namespace tickpipe::internal {

/// Why a request is refused before a handler sees it.
struct RequestFault {
  int status = 0;
  std::string_view code;
  std::string_view detail;
};

/// Cuts HTTP/1.x requests out of the bytes of one connection, strictly: whatever two readers could understand
/// differently (both lengths, folded lines, bare line ends, odd bytes) is a fault.
///
/// Use:     read() until kHead, then again until kComplete, take request(), then next(). After kFault nothing more.
/// Threads: not thread-safe; owned by its connection.
class RequestReader {
 public:
  struct Limits {
    std::size_t max_head_bytes = 16'384;
    std::size_t max_target_bytes = 8'192;
    std::uint64_t max_body_bytes = 8'388'608;
  };
  enum class Step : std::uint8_t {
    kNeedMore,
    kHead,      ///< request() is complete but for its body
    kComplete,  ///< the body is complete too
    kFault
  };
  /// What a request says about the connection and the form of its answer.
  struct Traits {
    bool is_http_1_1 = true;
    bool keeps_alive = false;
    bool expects_continue = false;
    bool asks_to_read = false;  ///< Access-Control-Request-Method is GET or HEAD
    std::string accept_encoding;
  };

  explicit RequestReader(const Limits& limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Takes what it can from the front of `bytes` and says in `consumed` how much; the rest must be the front of the
  /// next call. A head is taken as a whole.
  Step read(std::string_view bytes, std::size_t& consumed);

  [[nodiscard]] HttpRequest& request() noexcept;
  [[nodiscard]] const Traits& traits() const noexcept;
  [[nodiscard]] const RequestFault& fault() const noexcept { return fault_; }
  /// Whether the head of the current request is complete.
  [[nodiscard]] bool is_in_body() const noexcept { return is_in_body_; }
  /// Forgets the finished request and expects the next.
  void next();

 private:
  class Parser;

  Step scan_head(std::string_view bytes, std::size_t& size);
  bool check_request_line(std::string_view line);
  Step parse_head(std::string_view head);
  bool check_head();
  bool take_target();
  Step read_body(std::string_view bytes, std::size_t& consumed);
  Step fail(int status, std::string_view code, std::string_view detail);
  Step malformed(std::string_view detail) { return fail(400, "malformed_request", detail); }

  Limits limits_;
  RequestFault fault_;
  std::unique_ptr<Parser> parser_;
  std::size_t line_ = 0;      ///< where the line begins that is not complete yet
  std::size_t searched_ = 0;  ///< up to here there is no line end in it
  bool skipped_blank_ = false;
  bool is_in_body_ = false;
  std::uint64_t body_wire_bytes_ = 0;
};

}  // namespace tickpipe::internal
