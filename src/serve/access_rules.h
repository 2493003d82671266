#pragma once

#include <cstdint>
#include <string_view>

#include "serve/http.h"

namespace tickpipe::internal {

/// Who may call a server without authentication: programs of this machine and its own pages, but no page of another
/// site that a browser here has opened, also not through a name that resolves to this machine.
enum class Access : std::uint8_t { kAllowed, kForeignHost, kForeignOrigin };

/// Whether a Host header names this machine: `localhost`, `NAME.localhost`, `127.x.x.x` or `[::1]`, with any port.
[[nodiscard]] bool is_loopback_host(std::string_view host) noexcept;

/// Whether an Origin header is the server's own: `http://HOST` for the Host header given, or an http origin on a
/// loopback name with the port of that header. `null` is foreign.
[[nodiscard]] bool is_own_origin(std::string_view origin, std::string_view host) noexcept;

/// Whether the path is below /admin, or is written so that a router could take it there (percent-encoded, doubled
/// slashes, dot segments).
[[nodiscard]] bool may_be_admin_path(std::string_view raw_path);

/// Judges a request. `allow_any_host` is for a server that was told to be reachable from outside.
[[nodiscard]] Access judge_access(const HttpRequest& request, bool allow_any_host);

}  // namespace tickpipe::internal
