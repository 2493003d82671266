#include "load/http_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "load/handshake.h"

namespace tickpipe::internal::load {

namespace {

constexpr int kTimeoutSeconds = 5;

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value, base).ec != std::errc{}) {
    throw Error("the server's HTTP answer has no length");
  }
  return value;
}

}  // namespace

std::string http_head(const Target& target, std::string_view method, std::string_view path, std::string_view headers,
                      std::size_t body_bytes) {
  std::string head(method);
  head.append(" ").append(path).append(" HTTP/1.1\r\nHost: ").append(target.authority()).append("\r\n");
  head += headers;
  if (body_bytes > 0) head.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
  return head + "\r\n";
}

void HttpAnswerReader::reset() { *this = {}; }

bool HttpAnswerReader::read(std::string_view bytes) {
  input_ += bytes;
  if (head_.empty()) {
    const std::size_t end = input_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    head_ = input_.substr(0, end + 2);
    input_.erase(0, end + 4);
    if (!head_.starts_with("HTTP/1.1 ") || head_.size() < 12) throw Error("the server's answer is not HTTP");
    status_ = static_cast<int>(number(std::string_view(head_).substr(9, 3), 10));
    is_chunked_ = header_value(head_, "transfer-encoding") == "chunked";
    if (!is_chunked_) length_ = number(header_value(head_, "content-length"), 10);
  }
  if (is_chunked_) return take_chunks();
  if (input_.size() < length_) return false;
  body_ = input_.substr(0, length_);
  return true;
}

bool HttpAnswerReader::take_chunks() {
  for (std::size_t line = input_.find("\r\n"); line != std::string::npos; line = input_.find("\r\n")) {
    const std::size_t size = number(std::string_view(input_).substr(0, line), 16);
    if (input_.size() < line + 2 + size + 2) return false;
    body_.append(input_, line + 2, size);
    input_.erase(0, line + 2 + size + 2);
    if (size == 0) return true;
  }
  return false;
}

HttpAnswer http_request(const Target& target, std::string_view method, std::string_view path, std::string_view headers,
                        std::string_view body) {
  const Descriptor socket = connect_blocking(target, kTimeoutSeconds);
  std::string request = http_head(target, method, path, headers, body.size());
  request += body;
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t put = ::send(socket.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) throw Error("the server does not take " + std::string(method) + " " + std::string(path));
    sent += static_cast<std::size_t>(put);
  }
  HttpAnswerReader reader;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) throw Error("the server does not answer " + std::string(method) + " " + std::string(path));
    if (reader.read(std::string_view(buffer.data(), static_cast<std::size_t>(got)))) break;
  }
  return {reader.status(), reader.body()};
}

}  // namespace tickpipe::internal::load
