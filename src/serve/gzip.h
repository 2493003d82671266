#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// A body below this is not worth compressing.
inline constexpr std::size_t kLeastGzipBytes = 1024;

/// Whether an Accept-Encoding header allows gzip: named (also `x-gzip`) or covered by `*`, with a weight above zero.
/// An empty header, or none, does not. A weight that is not well-formed counts as zero.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding) noexcept;

/// Whether bodies of this Content-Type get smaller: text of any kind, JSON, XML, YAML, JavaScript, SVG.
[[nodiscard]] bool is_compressible(std::string_view content_type) noexcept;

/// The body as one gzip member, at a fast level; nothing when zlib has no memory. Costs about 10 ms per MiB of JSON.
[[nodiscard]] std::optional<std::string> gzip(std::string_view body);

}  // namespace tickpipe::internal
