// Input: a flag (whether the limits are small), the number of reads that have a size of their own, those sizes, then
// the bytes of a connection. They are read once as a whole and once in pieces of these sizes, the rest byte by byte.

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/fuzzing.h"
#include "serve/request_reader.h"

namespace tickpipe::internal::fuzzing {
namespace {

struct Seen {
  HttpRequest request;
  RequestReader::Traits traits;
};

bool same(const Seen& a, const Seen& b) {
  const HttpRequest& x = a.request;
  const HttpRequest& y = b.request;
  return x.method == y.method && x.target == y.target && x.body == y.body && x.content_type == y.content_type &&
         x.host == y.host && x.origin == y.origin && x.content_encoding == y.content_encoding &&
         x.has_body == y.has_body && a.traits.is_http_1_1 == b.traits.is_http_1_1 &&
         a.traits.keeps_alive == b.traits.keeps_alive && a.traits.expects_continue == b.traits.expects_continue &&
         a.traits.asks_to_read == b.traits.asks_to_read && a.traits.accept_encoding == b.traits.accept_encoding;
}

/// What one connection comes to: its requests, then a fault, or an end in the middle.
class Connection {
 public:
  explicit Connection(const RequestReader::Limits& limits) : limits_(limits), reader_(limits) {}

  void receive(std::string_view bytes) {
    if (fault_.status != 0) return;
    unread_.append(bytes);
    while (step()) {
    }
  }
  [[nodiscard]] const std::vector<Seen>& requests() const { return requests_; }
  [[nodiscard]] const RequestFault& fault() const { return fault_; }
  [[nodiscard]] bool is_in_body() const { return reader_.is_in_body(); }

 private:
  /// Whether there may be more to do.
  bool step() {
    std::size_t consumed = 0;
    // As a copy of just its size, so that a sanitizer sees every byte read beyond.
    const std::vector<char> bytes(unread_.begin(), unread_.end());
    const auto result = reader_.read({bytes.data(), bytes.size()}, consumed);
    require(consumed <= unread_.size(), "no more is consumed than there is");
    unread_.erase(0, consumed);
    switch (result) {
      case RequestReader::Step::kNeedMore:
        require(unread_.size() <= limits_.max_head_bytes + 32'768, "what is not taken is bounded");
        return false;
      case RequestReader::Step::kHead:
        require(reader_.is_in_body(), "behind a head comes a body");
        return true;
      case RequestReader::Step::kComplete:
        check_request(reader_.request());
        requests_.push_back({reader_.request(), reader_.traits()});
        reader_.next();
        return true;
      case RequestReader::Step::kFault:
        fault_ = reader_.fault();
        require(fault_.status >= 400 && fault_.status < 600 && !fault_.code.empty() && !fault_.detail.empty(),
                "a fault says what it is");
        return false;
    }
    return false;
  }

  void check_request(const HttpRequest& request) const {
    require(request.target.starts_with('/') || (request.target == "*" && request.method == HttpMethod::kOptions),
            "a target is a path");
    require(request.target.size() <= limits_.max_target_bytes + 1, "a target is within its limit");
    require(request.body.size() <= limits_.max_body_bytes, "a body is within its limit");
    require(request.has_body || request.body.empty(), "a body was announced");
    for (const std::string* text :
         {&request.target, &request.host, &request.origin, &request.content_type, &request.content_encoding}) {
      for (const char c : *text) require(c == '\t' || static_cast<unsigned char>(c) >= 0x20, "no control characters");
    }
  }

  RequestReader::Limits limits_;
  RequestReader reader_;
  std::string unread_;
  std::vector<Seen> requests_;
  RequestFault fault_;
};

std::string_view method_name(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kHead:
      return "HEAD";
    case HttpMethod::kPost:
      return "POST";
    case HttpMethod::kPut:
      return "PUT";
    case HttpMethod::kDelete:
      return "DELETE";
    case HttpMethod::kPatch:
      return "PATCH";
    case HttpMethod::kOptions:
      return "OPTIONS";
    case HttpMethod::kOther:
      break;
  }
  return "OTHER";
}

/// A request, written down in its plainest form, is the same request.
void check_round_trip(const Seen& seen) {
  const HttpRequest& request = seen.request;
  std::string text(method_name(request.method));
  text += ' ' + request.target + (seen.traits.is_http_1_1 ? " HTTP/1.1" : " HTTP/1.0") + "\r\nHost: " + request.host;
  text += seen.traits.keeps_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
  if (!request.origin.empty()) text += "\r\nOrigin: " + request.origin;
  if (!request.content_type.empty()) text += "\r\nContent-Type: " + request.content_type;
  if (!request.content_encoding.empty()) text += "\r\nContent-Encoding: " + request.content_encoding;
  if (!seen.traits.accept_encoding.empty()) text += "\r\nAccept-Encoding: " + seen.traits.accept_encoding;
  if (seen.traits.expects_continue) text += "\r\nExpect: 100-continue";
  if (seen.traits.asks_to_read) text += "\r\nAccess-Control-Request-Method: GET";
  if (request.has_body) text += "\r\nContent-Length: " + std::to_string(request.body.size());
  text += "\r\n\r\n" + request.body;
  Connection again({.max_head_bytes = 65'536, .max_target_bytes = 16'384, .max_body_bytes = 65'536});
  again.receive(text);
  require(again.requests().size() == 1 && same(again.requests().front(), seen),
          "a request, written down, is the same request");
}

}  // namespace

void check(Input input) {
  RequestReader::Limits limits;
  limits.max_body_bytes = 16'384;
  if (input.flag()) limits = {.max_head_bytes = 200, .max_target_bytes = 40, .max_body_bytes = 60};
  std::vector<std::size_t> sizes(input.byte() % 32);
  for (std::size_t& size : sizes) size = input.byte();
  std::string_view bytes = input.rest();
  if (bytes.size() > 4096) bytes = bytes.substr(0, 4096);

  Connection whole(limits);
  whole.receive(bytes);

  Connection pieces(limits);
  std::string_view unsent = bytes;
  for (const std::size_t size : sizes) {
    pieces.receive(unsent.substr(0, size));
    unsent.remove_prefix(std::min(size, unsent.size()));
  }
  for (std::size_t i = 0; i < unsent.size(); ++i) pieces.receive(unsent.substr(i, 1));

  require(std::equal(whole.requests().begin(), whole.requests().end(), pieces.requests().begin(),
                     pieces.requests().end(), same),
          "the same requests come of the same bytes, in whatever pieces they come");
  require(whole.fault().status == pieces.fault().status && whole.fault().code == pieces.fault().code,
          "the same fault comes of the same bytes, in whatever pieces they come");
  require(whole.fault().status != 0 || whole.is_in_body() == pieces.is_in_body(), "the end finds the same state");
  for (const Seen& seen : whole.requests()) check_round_trip(seen);
}

}  // namespace tickpipe::internal::fuzzing
