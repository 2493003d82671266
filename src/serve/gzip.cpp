#include "serve/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

constexpr int kLevel = 1;
constexpr int kWindowBitsGzip = 15 + 16;
constexpr int kMemoryLevel = 8;

/// Whether a weight (RFC 9110, 12.4.2) is well-formed and above zero.
bool is_positive_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return false;
  if (text.size() > 1 && text[1] != '.') return false;
  bool positive = text[0] == '1';
  for (const char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
    if (c < '0' || c > (text[0] == '1' ? '0' : '9')) return false;
    positive = positive || c != '0';
  }
  return positive;
}

/// Whether the parameters of a coding leave it a weight above zero.
bool is_allowed(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = trim_blanks(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() >= 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=') {
      return is_positive_weight(parameter.substr(2));
    }
  }
  return true;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) noexcept {
  bool any = false;
  while (!accept_encoding.empty()) {
    const std::string_view element = next_list_element(accept_encoding);
    const std::size_t end = std::min(element.find(';'), element.size());
    const std::string_view coding = trim_blanks(element.substr(0, end));
    const bool allowed = is_allowed(element.substr(std::min(end + 1, element.size())));
    if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip")) return allowed;
    if (coding == "*") any = allowed;
  }
  return any;
}

bool is_compressible(std::string_view content_type) noexcept {
  static constexpr std::array<std::string_view, 7> kTypes = {
      "application/json",       "application/problem+json", "application/x-ndjson", "application/yaml",
      "application/javascript", "application/xml",          "image/svg+xml"};
  const std::string_view type = trim_blanks(content_type.substr(0, content_type.find(';')));
  if (equals_ignoring_case(type, "text/event-stream")) return false;
  if (equals_ignoring_case(type.substr(0, 5), "text/")) return true;
  return std::any_of(kTypes.begin(), kTypes.end(), [&](auto known) { return equals_ignoring_case(type, known); });
}

std::optional<std::string> gzip(std::string_view body) {
  if (body.size() > std::numeric_limits<uInt>::max() / 2) return std::nullopt;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBitsGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  struct End {
    z_stream& stream;
    ~End() { deflateEnd(&stream); }
  } const end{stream};
  std::string out(deflateBound(&stream, static_cast<uLong>(body.size())), '\0');
  stream.next_in = reinterpret_cast<z_const Bytef*>(const_cast<char*>(body.data()));  // NOLINT: zlib does not write
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  out.resize(stream.total_out);
  return out;
}

}  // namespace tickpipe::internal
