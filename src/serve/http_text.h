#pragma once

#include <string>
#include <string_view>

#include "core/unix_nanos.h"
#include "serve/http.h"

namespace tickpipe::internal {

/// Whether two texts are equal but for the case of ASCII letters.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Without the spaces and tabs around it.
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;

/// The next element of a comma-separated list, trimmed; `list` becomes the rest.
[[nodiscard]] std::string_view next_list_element(std::string_view& list) noexcept;

/// The reason phrase of a status, `Unknown` for one that is not in use here.
[[nodiscard]] std::string_view http_reason(int status) noexcept;

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
[[nodiscard]] std::string format_http_date(UnixNanos time);

/// Whether a Content-Type header names `type` (lower case), bare or with the single parameter `charset=utf-8`.
[[nodiscard]] bool is_content_type(std::string_view header, std::string_view type) noexcept;

/// An error of the transport as RFC 9457 problem. `code` and `detail` are plain ASCII without quotes and backslashes.
[[nodiscard]] HttpResponse transport_problem(int status, std::string_view code, std::string_view detail);

}  // namespace tickpipe::internal
