#include "serve/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "serve/gzip.h"
#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

bool has_header(const HttpResponse& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [name](const auto& header) { return equals_ignoring_case(header.first, name); });
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  out.append("\r\n");
}

}  // namespace

void compress_body(HttpResponse& response, bool allows_gzip) {
  if (response.body.size() < kLeastGzipBytes || !is_compressible(response.content_type)) return;
  if (has_header(response, "Content-Encoding")) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!allows_gzip) return;
  auto small = gzip(response.body);
  if (!small || small->size() >= response.body.size()) return;
  response.body = std::move(*small);
  response.headers.emplace_back("Content-Encoding", "gzip");
}

void ResponseWriter::append_head(std::string& out, const HttpResponse& response, const AnswerForm& form) {
  const UnixNanos now = clock_.now();
  if (now.ns / kNanosPerSecond != second_) {
    second_ = now.ns / kNanosPerSecond;
    date_lines_ = "\r\nServer: tickpipe\r\nDate: " + format_http_date(now) + "\r\nX-Content-Type-Options: nosniff\r\n";
  }
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(response.status));
  out.push_back(' ');
  out.append(http_reason(response.status)).append(date_lines_);
  if (response.status != 101 && response.status != 204 && response.status != 304) {
    if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
    if (!response.take_over) {
      out.append("Content-Length: ");
      append_number(out, response.body.size());
      out.append("\r\n");
    }
  }
  if (!has_header(response, "Cache-Control")) out.append("Cache-Control: no-store\r\n");
  if (form.is_readable_by_all || form.is_read_preflight) out.append("Access-Control-Allow-Origin: *\r\n");
  if (form.is_read_preflight) out.append("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n");
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  if (response.status == 101) {
    out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  } else if (!form.keeps_alive) {
    out.append("Connection: close\r\n");
  } else if (!form.is_http_1_1) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace tickpipe::internal
