#include "serve/access_rules.h"

#include <algorithm>
#include <optional>
#include <string>

#include "serve/http_text.h"

namespace tickpipe::internal {
namespace {

struct Authority {
  std::string_view name;  ///< an IPv6 address with its brackets
  std::string_view port;  ///< empty = the default
};

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::optional<Authority> split_authority(std::string_view text) noexcept {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
  }
  Authority out{text.substr(0, end), {}};
  if (end == text.size()) return out;
  if (text[end] != ':') return std::nullopt;
  out.port = text.substr(end + 1);
  if (out.port.size() > 5 || !std::all_of(out.port.begin(), out.port.end(), is_digit)) return std::nullopt;
  return out;
}

/// `127.x.x.x` in decimal, each part at most 255 and without further leading zeros.
bool is_loopback_ipv4(std::string_view name) noexcept {
  if (!name.starts_with("127.")) return false;
  int parts = 0;
  while (true) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit)) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    if (part.size() == 3 && part > "255") return false;
    ++parts;
    if (end == name.size()) return parts == 4;
    name.remove_prefix(end + 1);
  }
}

bool is_loopback_name(std::string_view name) noexcept {
  constexpr std::string_view kSuffix = ".localhost";
  if (equals_ignoring_case(name, "localhost") || name == "[::1]" || is_loopback_ipv4(name)) return true;
  if (name.size() <= kSuffix.size()) return false;
  if (!equals_ignoring_case(name.substr(name.size() - kSuffix.size()), kSuffix)) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  });
}

std::string_view effective_port(std::string_view port) noexcept { return port.empty() ? "80" : port; }

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

bool is_loopback_host(std::string_view host) noexcept {
  const auto authority = split_authority(host);
  return authority && is_loopback_name(authority->name);
}

bool is_own_origin(std::string_view origin, std::string_view host) noexcept {
  constexpr std::string_view kScheme = "http://";
  if (!equals_ignoring_case(origin.substr(0, kScheme.size()), kScheme)) return false;
  origin.remove_prefix(kScheme.size());
  if (!host.empty() && equals_ignoring_case(origin, host)) return true;
  const auto from = split_authority(origin);
  const auto here = split_authority(host);
  return from && here && is_loopback_name(from->name) && effective_port(from->port) == effective_port(here->port);
}

bool may_be_admin_path(std::string_view raw_path) {
  std::string path(raw_path);
  if (path.find_first_of("%\\") != std::string::npos) {
    path = decode_percent(path);
    std::replace(path.begin(), path.end(), '\\', '/');
  }
  if (path.find("//") != std::string::npos || path.find("/./") != std::string::npos ||
      path.find("/../") != std::string::npos) {
    return true;
  }
  constexpr std::string_view kAdmin = "/admin";
  if (!path.starts_with(kAdmin)) return false;
  return path.size() == kAdmin.size() || path[kAdmin.size()] == '/' || path[kAdmin.size()] == '\0';
}

Access judge_access(const HttpRequest& request, bool allow_any_host) {
  if (!allow_any_host && !is_loopback_host(request.host)) return Access::kForeignHost;
  if (request.origin.empty() || is_own_origin(request.origin, request.host)) return Access::kAllowed;
  if (request.stream && !request.stream->upgrade.empty()) return Access::kForeignOrigin;
  const bool reads = request.method == HttpMethod::kGet || request.method == HttpMethod::kHead ||
                     request.method == HttpMethod::kOptions;
  return reads && !may_be_admin_path(request.raw_path()) ? Access::kAllowed : Access::kForeignOrigin;
}

}  // namespace tickpipe::internal
