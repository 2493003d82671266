#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tickpipe::internal::testing {

struct HttpReply {
  int status = 0;
  std::string head;                            ///< as received, without the empty line
  std::map<std::string, std::string> headers;  ///< names in lower case; of repeated ones the last
  std::string body;

  [[nodiscard]] std::string header(const std::string& lower_name) const {
    const auto found = headers.find(lower_name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// A blocking HTTP client on a raw socket to this machine. Sends exactly the bytes it is given.
class HttpClient {
 public:
  /// A socket that is not connected yet.
  HttpClient() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (descriptor_ < 0) throw std::runtime_error("no socket");
  }
  explicit HttpClient(std::uint16_t port) : HttpClient() { connect(port); }
  ~HttpClient() { close(); }
  HttpClient(HttpClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), input_(std::move(other.input_)) {}
  HttpClient& operator=(HttpClient&&) = delete;

  void connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// Returns whether the peer took all of it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(descriptor_, SHUT_WR); }

  /// Reads one response; nothing when the connection ends or `patience` passes first. The body of an answer to HEAD
  /// must not be waited for: `has_body` is false then.
  std::optional<HttpReply> read(bool has_body = true) {
    HttpReply reply;
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return std::nullopt;
    }
    reply.head = input_.substr(0, end);
    input_.erase(0, end + 4);
    parse_head(reply);
    if (!has_body || reply.status == 204 || reply.status == 304 || reply.status < 200) return reply;
    if (reply.header("transfer-encoding") == "chunked") {
      if (!read_chunks(reply.body)) return std::nullopt;
    } else if (const std::string length = reply.header("content-length"); !length.empty()) {
      if (!take(std::stoul(length), reply.body)) return std::nullopt;
    } else {
      while (receive()) {
      }
      reply.body = std::exchange(input_, {});
    }
    return reply;
  }

  /// Sends a request and reads its answer.
  std::optional<HttpReply> ask(std::string_view bytes, bool has_body = true) {
    send(bytes);
    return read(has_body);
  }
  std::optional<HttpReply> get(std::string_view target, std::string_view headers = {}) {
    return ask("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) + "\r\n");
  }
  std::optional<HttpReply> post(std::string_view target, std::string_view body, std::string_view headers = {}) {
    return ask("POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body));
  }

  /// Whether the peer ends the connection, in order or not, with nothing more to read.
  bool is_closed() {
    const bool received = receive();
    return !received && !timed_out_ && input_.empty();
  }
  /// Whether bytes are there, or the end, without waiting.
  [[nodiscard]] bool is_readable() const {
    pollfd wanted{descriptor_, POLLIN, 0};
    return ::poll(&wanted, 1, 0) == 1;
  }

  /// What came behind the last answer.
  [[nodiscard]] std::string take_unread() { return std::exchange(input_, {}); }

  /// Whether the last read waited in vain.
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  std::chrono::milliseconds patience{20'000};

 private:
  bool receive() {
    pollfd wanted{descriptor_, POLLIN, 0};
    timed_out_ = ::poll(&wanted, 1, static_cast<int>(patience.count())) == 0;
    if (timed_out_) return false;
    char buffer[64 * 1024];
    const ssize_t count = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  bool take(std::size_t size, std::string& to) {
    while (input_.size() < size) {
      if (!receive()) return false;
    }
    to.append(input_, 0, size);
    input_.erase(0, size);
    return true;
  }
  bool read_chunks(std::string& body) {
    while (true) {
      std::size_t end = 0;
      while ((end = input_.find("\r\n")) == std::string::npos) {
        if (!receive()) return false;
      }
      const std::size_t size = std::stoul(input_.substr(0, end), nullptr, 16);
      input_.erase(0, end + 2);
      std::string line_end;
      if (!take(size, body) || !take(2, line_end)) return false;
      if (size == 0) return true;
    }
  }
  static void parse_head(HttpReply& reply) {
    std::string_view rest = reply.head;
    if (rest.size() >= 12) reply.status = std::stoi(std::string(rest.substr(9, 3)));
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("\r\n"), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 2, rest.size()));
      const std::size_t colon = line.find(": ");
      if (colon == std::string_view::npos) continue;
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      reply.headers[name] = line.substr(colon + 2);
    }
  }

  int descriptor_ = -1;
  bool timed_out_ = false;
  std::string input_;
};

}  // namespace tickpipe::internal::testing
