#pragma once

#include <string>
#include <string_view>

#include "load/target.h"

namespace tickpipe::internal::load {

/// The head of a request with a body of `body_bytes`, its blank line included. `headers` are whole lines.
std::string http_head(const Target& target, std::string_view method, std::string_view path, std::string_view headers,
                      std::size_t body_bytes);

/// Puts an answer together from what is read; for answers with Content-Length or chunks.
class HttpAnswerReader {
 public:
  /// True once the answer is complete. Throws Error when it is none.
  bool read(std::string_view bytes);
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] const std::string& body() const noexcept { return body_; }
  [[nodiscard]] const std::string& head() const noexcept { return head_; }
  void reset();

 private:
  bool take_chunks();

  std::string input_;
  std::string head_;
  std::string body_;
  bool is_chunked_ = false;
  std::size_t length_ = 0;
  int status_ = 0;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// One request on a connection of its own; waits for the answer. Throws Error when there is none within 5 s.
HttpAnswer http_request(const Target& target, std::string_view method, std::string_view path,
                        std::string_view headers = {}, std::string_view body = {});

}  // namespace tickpipe::internal::load
