#include "serve/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;
using BeastText = boost::beast::string_view;

/// Longer than any method; a first line without a space in that many bytes is no request.
constexpr std::size_t kMaxMethodBytes = 32;
/// A chunk header or a trailer section longer than this is refused.
constexpr std::size_t kMaxChunkOverheadBytes = 8'192;
/// Chunk framing allowed beside the data: for chunks of one byte, and a little more.
constexpr std::uint64_t kFramingPerByte = 8;
constexpr std::size_t kReservedBodyBytes = 262'144;

std::string_view view(BeastText text) noexcept { return {text.data(), text.size()}; }

bool is_token_char(char c) noexcept {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
}

bool is_target_char(char c) noexcept { return c > ' ' && c < '\x7f' && c != '#'; }

bool is_field_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

HttpMethod to_method(beast_http::verb verb) noexcept {
  switch (verb) {
    case beast_http::verb::get:
      return HttpMethod::kGet;
    case beast_http::verb::head:
      return HttpMethod::kHead;
    case beast_http::verb::post:
      return HttpMethod::kPost;
    case beast_http::verb::put:
      return HttpMethod::kPut;
    case beast_http::verb::delete_:
      return HttpMethod::kDelete;
    case beast_http::verb::patch:
      return HttpMethod::kPatch;
    case beast_http::verb::options:
      return HttpMethod::kOptions;
    default:
      return HttpMethod::kOther;
  }
}

}  // namespace

/// Beast splits the head and decodes chunks; this keeps what a request consists of here.
class RequestReader::Parser final : public beast_http::basic_parser<true> {
 public:
  Parser() { eager(true); }

  HttpRequest request;
  Traits traits;
  std::uint32_t hosts = 0;
  std::uint32_t transfer_encodings = 0;
  bool has_length = false;
  bool is_chunked = false;        ///< the one Transfer-Encoding says `chunked` and nothing else
  bool has_other_expect = false;  ///< an expectation that is not 100-continue
  std::string connections;
  bool has_repeated_field = false;  ///< of those that may come once

 private:
  void on_request_impl(beast_http::verb verb, BeastText /*name*/, BeastText target, int version,
                       error_code& ec) override {
    request.method = to_method(verb);
    request.target = view(target);
    traits.is_http_1_1 = version == 11;
    ec = {};
  }
  void on_response_impl(int /*status*/, BeastText /*reason*/, int /*version*/, error_code& ec) override { ec = {}; }

  void on_field_impl(beast_http::field name, BeastText name_text, BeastText text, error_code& ec) override {
    ec = {};
    if (is_header_done()) return;  // a trailer
    const std::string_view value = view(text);
    const auto take_once = [this, value](std::string& to, bool& seen) {
      has_repeated_field = has_repeated_field || seen;
      seen = true;
      to = value;
    };
    switch (name) {
      case beast_http::field::host:
        ++hosts;
        request.host = value;
        break;
      case beast_http::field::origin:
        take_once(request.origin, has_origin_);
        break;
      case beast_http::field::content_type:
        take_once(request.content_type, has_type_);
        break;
      case beast_http::field::content_encoding:
        append_list(request.content_encoding, value);
        break;
      case beast_http::field::accept_encoding:
        append_list(traits.accept_encoding, value);
        break;
      case beast_http::field::content_length:
        has_length = true;
        break;
      case beast_http::field::transfer_encoding:
        ++transfer_encodings;
        is_chunked = equals_ignoring_case(value, "chunked");
        break;
      case beast_http::field::expect:
        if (equals_ignoring_case(value, "100-continue")) {
          traits.expects_continue = true;
        } else {
          has_other_expect = true;
        }
        break;
      case beast_http::field::upgrade:
        append_list(stream().upgrade, value);
        break;
      case beast_http::field::connection:
        append_list(connections, value);
        break;
      case beast_http::field::sec_websocket_key:
        take_once(stream().key, has_key_);
        break;
      case beast_http::field::sec_websocket_version:
        take_once(stream().version, has_version_);
        break;
      case beast_http::field::sec_websocket_protocol:
        append_list(stream().protocols, value);
        break;
      case beast_http::field::sec_websocket_extensions:
        append_list(stream().extensions, value);
        break;
      case beast_http::field::access_control_request_method:
        traits.asks_to_read = value == "GET" || value == "HEAD";
        break;
      case beast_http::field::unknown:
        if (equals_ignoring_case(view(name_text), "Last-Event-ID")) take_once(stream().last_event_id, has_event_id_);
        break;
      default:
        break;
    }
  }
  void on_header_impl(error_code& ec) override { ec = {}; }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override {
    ec = {};
    if (length) request.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, kReservedBodyBytes)));
  }
  std::size_t on_body_impl(BeastText body, error_code& ec) override {
    ec = {};
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, BeastText /*extensions*/, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastText body, error_code& ec) override {
    return on_body_impl(body, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }

  /// RFC 9110, 5.6.1: elements of a list may be empty and are of no account.
  static void append_list(std::string& list, std::string_view more) {
    if (!list.empty() && !more.empty()) list.append(", ");
    list.append(more);
  }

  StreamHeaders& stream() {
    if (!request.stream) request.stream = std::make_shared<StreamHeaders>();
    return *request.stream;
  }

  bool has_key_ = false;
  bool has_version_ = false;
  bool has_event_id_ = false;
  bool has_origin_ = false;
  bool has_type_ = false;
};

RequestReader::RequestReader(const Limits& limits) : limits_(limits) {}
RequestReader::~RequestReader() = default;

HttpRequest& RequestReader::request() noexcept { return parser_->request; }
const RequestReader::Traits& RequestReader::traits() const noexcept { return parser_->traits; }

void RequestReader::next() {
  parser_.reset();
  line_ = 0;
  searched_ = 0;
  skipped_blank_ = false;
  is_in_body_ = false;
  body_wire_bytes_ = 0;
}

RequestReader::Step RequestReader::read(std::string_view bytes, std::size_t& consumed) {
  consumed = 0;
  if (is_in_body_) return read_body(bytes, consumed);
  if (!skipped_blank_ && bytes.starts_with("\r\n")) {  // RFC 9112, 2.2: one is tolerated
    skipped_blank_ = true;
    bytes.remove_prefix(2);
    consumed = 2;
  }
  if (bytes.empty() || (!skipped_blank_ && bytes == "\r")) return Step::kNeedMore;
  std::size_t size = 0;
  Step step = scan_head(bytes, size);
  if (step != Step::kHead) return step;
  step = parse_head(bytes.substr(0, size));
  if (step == Step::kHead) consumed += size;
  return step;
}

RequestReader::Step RequestReader::scan_head(std::string_view bytes, std::size_t& size) {
  if (!is_token_char(bytes.front())) return malformed("The request does not begin with a method.");
  while (true) {
    const std::size_t end = bytes.find('\n', searched_);
    const bool in_first_line = line_ == 0;
    const std::size_t seen = end == std::string_view::npos ? bytes.size() : end + 1;
    if (in_first_line) {
      const std::size_t space = bytes.substr(0, std::min(seen, kMaxMethodBytes)).find(' ');
      if (space == std::string_view::npos && seen >= kMaxMethodBytes) return malformed("The method is too long.");
      if (seen > limits_.max_target_bytes + 2 * kMaxMethodBytes) {
        return fail(414, "target_too_long", "The request target is too long.");
      }
    }
    if (seen > limits_.max_head_bytes) return fail(431, "headers_too_large", "The request headers are too large.");
    if (end == std::string_view::npos) {
      searched_ = bytes.size();
      return Step::kNeedMore;
    }
    std::string_view line = bytes.substr(line_, end - line_);
    if (!line.ends_with('\r')) return malformed("A line does not end in CR and LF.");
    line.remove_suffix(1);
    line_ = searched_ = end + 1;
    if (in_first_line) {
      if (!check_request_line(line)) return Step::kFault;
    } else if (line.empty()) {
      size = end + 1;
      return Step::kHead;
    } else if (line.front() == ' ' || line.front() == '\t') {
      return malformed("A header continues on a further line.");
    } else if (!std::all_of(line.begin(), line.end(), is_field_char)) {
      return malformed("A header has a control character.");
    }
  }
}

bool RequestReader::check_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == last || first == std::string_view::npos) {
    malformed("The request line is not METHOD TARGET VERSION.");
    return false;
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (target.size() > limits_.max_target_bytes) {
    fail(414, "target_too_long", "The request target is too long.");
    return false;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::all_of(method.begin(), method.end(), is_token_char) || target.empty() ||
      !std::all_of(target.begin(), target.end(), is_target_char) || version.size() != 8 ||
      !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7])) {
    malformed("The request line is not METHOD TARGET VERSION.");
    return false;
  }
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return true;
  if (method == "PRI") {
    malformed("HTTP/2 is not spoken here.");
  } else {
    fail(505, "version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are supported.");
  }
  return false;
}

RequestReader::Step RequestReader::parse_head(std::string_view head) {
  parser_ = std::make_unique<Parser>();
  // The head is within its limit already; what remains is the trailer section of a chunked body.
  parser_->header_limit(static_cast<std::uint32_t>(limits_.max_head_bytes + kMaxChunkOverheadBytes));
  parser_->body_limit(limits_.max_body_bytes);
  error_code ec;
  parser_->put({head.data(), head.size()}, ec);
  if (ec == beast_http::error::body_limit) return fail(413, "body_too_large", "The body is too large.");
  if (ec && ec != beast_http::error::need_more) return malformed("The request head is not well-formed.");
  if (!parser_->is_header_done()) return malformed("The request head is not well-formed.");
  if (!check_head()) return Step::kFault;
  if (parser_->request.stream) parser_->request.stream->connection = std::move(parser_->connections);
  parser_->request.has_body = parser_->has_length || parser_->is_chunked;
  parser_->traits.keeps_alive = parser_->keep_alive();
  parser_->traits.expects_continue = parser_->traits.expects_continue && parser_->traits.is_http_1_1;
  is_in_body_ = true;
  return Step::kHead;
}

bool RequestReader::check_head() {
  const Parser& head = *parser_;
  if (head.hosts > 1 || (head.hosts == 0 && head.traits.is_http_1_1)) {
    malformed("A request has one Host header.");
  } else if (head.has_repeated_field) {
    malformed("A header is repeated that may come once.");
  } else if (head.transfer_encodings > 0 && (head.has_length || !head.traits.is_http_1_1)) {
    malformed("Transfer-Encoding with Content-Length or in HTTP/1.0.");
  } else if (head.transfer_encodings > 1) {
    malformed("Transfer-Encoding is repeated.");
  } else if (head.transfer_encodings == 1 && !head.is_chunked) {
    fail(501, "transfer_coding_not_supported", "The only transfer coding is chunked.");
  } else if (head.has_other_expect) {
    fail(417, "expectation_failed", "The only expectation is 100-continue.");
  } else {
    return take_target();
  }
  return false;
}

bool RequestReader::take_target() {
  constexpr std::string_view kScheme = "http://";
  HttpRequest& request = parser_->request;
  std::string& target = request.target;
  if (target.starts_with('/')) return true;
  if (target == "*" && request.method == HttpMethod::kOptions) return true;
  if (equals_ignoring_case(std::string_view(target).substr(0, kScheme.size()), kScheme)) {
    const std::size_t path = std::min(target.find_first_of("/?", kScheme.size()), target.size());
    std::string host = target.substr(kScheme.size(), path - kScheme.size());
    if (!host.empty() && host.find('@') == std::string::npos) {
      target.erase(0, path);
      if (!target.starts_with('/')) target.insert(0, 1, '/');
      request.host = std::move(host);  // RFC 9112, 3.2.2: it overrides the header
      return true;
    }
  }
  malformed("The request target is neither a path nor an http address.");
  return false;
}

RequestReader::Step RequestReader::read_body(std::string_view bytes, std::size_t& consumed) {
  while (!parser_->is_done() && consumed < bytes.size()) {
    error_code ec;
    const std::string_view rest = bytes.substr(consumed);
    const std::size_t taken = parser_->put({rest.data(), rest.size()}, ec);
    consumed += taken;
    body_wire_bytes_ += taken;
    if (ec == beast_http::error::need_more) break;
    if (ec == beast_http::error::body_limit) return fail(413, "body_too_large", "The body is too large.");
    if (ec) return malformed("The chunked body is not well-formed.");
  }
  const std::uint64_t decoded = parser_->request.body.size();
  if (body_wire_bytes_ - decoded > kMaxChunkOverheadBytes + kFramingPerByte * decoded ||
      (!parser_->is_done() && bytes.size() - consumed > kMaxChunkOverheadBytes)) {
    return malformed("The chunked body has too much beside its data.");
  }
  return parser_->is_done() ? Step::kComplete : Step::kNeedMore;
}

RequestReader::Step RequestReader::fail(int status, std::string_view code, std::string_view detail) {
  fault_ = {status, code, detail};
  return Step::kFault;
}

}  // namespace tickpipe::internal
