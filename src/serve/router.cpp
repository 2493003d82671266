#include "serve/router.h"

#include <optional>

namespace tickpipe::internal {
namespace {

constexpr std::string_view kSymbolSegment = "{symbol}";

/// What stands for `{symbol}`, empty if the pattern has none; nothing if the path is another one.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) noexcept {
  if (!pattern.ends_with(kSymbolSegment)) {
    if (path == pattern) return std::string_view{};
    return std::nullopt;
  }
  pattern.remove_suffix(kSymbolSegment.size());
  if (!path.starts_with(pattern)) return std::nullopt;
  path.remove_prefix(pattern.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace

RouteMatch find_route(std::span<const Route> routes, HttpMethod method, std::string_view path) noexcept {
  RouteMatch found;
  if (method == HttpMethod::kHead) method = HttpMethod::kGet;
  // A pattern that ends in {symbol} also matches the fixed path beside it; that one stands before it in the table.
  for (const Route& route : routes) {
    const auto symbol = match(route.path, path);
    if (!symbol) continue;
    found.path_is_known = true;
    if (route.method != method) continue;
    found.route = &route;
    found.symbol = *symbol;
    break;
  }
  return found;
}

std::string allowed_methods(std::span<const Route> routes, std::string_view path) {
  bool get = false;
  bool post = false;
  for (const Route& route : routes) {
    if (!match(route.path, path)) continue;
    (route.method == HttpMethod::kPost ? post : get) = true;
  }
  std::string allow = get ? "GET, HEAD, " : "";
  if (post) allow += "POST, ";
  return allow + "OPTIONS";
}

}  // namespace tickpipe::internal
