#pragma once

#include <memory>
#include <string_view>

#include "model/raw_quote.h"

namespace tickpipe::internal {

/// Decodes one JSON text, usually a line, into a raw quote.
///
/// Accepts:  exactly one well-formed object (RFC 8259) in valid UTF-8, containers nested at most kMaxJsonDepth deep,
///           without duplicate keys (compared unescaped, at every level). Fields that are not a quote's are ignored but
///           must be well-formed; null counts as absent. No byte order mark.
/// Refuses:  by value, with the reason of the first fault; faults of form (`malformed`) come before all others.
/// Threads:  not thread-safe; one decoder per thread or connection.
/// Cost:     O(n log n) in the length of the line at worst; stack bounded by the depth limit. Buffers grow to about
///           ten times the longest line and are kept, so that ordinary lines allocate nothing.
class JsonDecoder {
 public:
  static constexpr int kMaxJsonDepth = 64;  ///< the outermost object has depth 1

  /// With `timestamp_required`, a quote without timestamp is `bad_timestamp`; else its `ts_event` is left empty.
  explicit JsonDecoder(bool timestamp_required);
  ~JsonDecoder();
  JsonDecoder(JsonDecoder&&) noexcept;
  JsonDecoder& operator=(JsonDecoder&&) noexcept;

  /// Precondition: kJsonPadding bytes behind `line` are readable; what they hold is of no account. `out` is complete if
  /// the result is ok, else unspecified, and refers to nothing of `line`. Throws std::bad_alloc.
  DecodeResult decode(std::string_view line, RawQuote& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
