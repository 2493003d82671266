#pragma once

#include <string_view>

namespace tickpipe::internal {

// The texts of docs/openapi.yaml and docs/api-page.html, compiled in.

std::string_view openapi_text() noexcept;

/// One page without external parts that fetches /openapi.yaml and shows it.
std::string_view docs_page() noexcept;

/// The Content-Security-Policy of the page: its own script, known by its hash, and nothing else.
std::string_view docs_content_policy() noexcept;

}  // namespace tickpipe::internal
