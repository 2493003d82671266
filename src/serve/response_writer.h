#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "serve/http.h"

namespace tickpipe::internal {

/// What a request says about the form of its answer.
struct AnswerForm {
  bool is_http_1_1 = true;
  bool keeps_alive = false;
  bool is_head = false;  ///< the body is left out
  bool allows_gzip = false;
  bool is_readable_by_all = false;  ///< pages of any site may read the answer (GET and HEAD outside /admin)
  bool is_read_preflight = false;   ///< a browser asks whether such a page may GET
};

/// Compresses a body that is worth it if the client takes gzip, and names in Vary that it depends on that.
void compress_body(HttpResponse& response, bool allows_gzip);

/// Writes the heads of answers. Threads: one per I/O thread; keeps the text of the current second's Date.
class ResponseWriter {
 public:
  /// Appends status line and headers; Content-Length is that of the body, which is not appended. Control characters
  /// in header values become spaces.
  void append_head(std::string& out, const HttpResponse& response, const AnswerForm& form);

 private:
  SystemClock clock_;
  std::int64_t second_ = -1;
  std::string date_lines_;
};

}  // namespace tickpipe::internal
