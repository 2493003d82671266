#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config_problem.h"

namespace tickpipe::internal {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxConfigDepth = 64;
/// Bounds the memory of a document; a value costs about 100 bytes.
inline constexpr std::size_t kMaxConfigValues = 500'000;

/// A JSON value that knows its line and keeps numbers as they were written.
struct ConfigNode {
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kList, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  int line = 0;                      ///< of its key, for a list element of the value; from 1
  std::string key;                   ///< in an object; raw text from outside, not yet safe to print
  std::string text;                  ///< content of a string; a number digit for digit
  std::vector<ConfigNode> children;  ///< of a list or an object, in order

  /// The member of that name, null if there is none.
  [[nodiscard]] const ConfigNode* find(std::string_view name) const;
};

/// Parses JSON with `//` and `/* */` comments; a leading byte order mark is skipped. Reports syntax errors (the first
/// one ends the parse), duplicate keys and exceeded bounds to `site` with their lines. Returns nothing after a syntax
/// error; a document with duplicate keys is returned, so that its other problems can be found too. Never throws on bad
/// input. String contents never appear in the messages: they may be secrets.
std::optional<ConfigNode> parse_config_document(std::string_view text, const ConfigSite& site);

/// The value as compact JSON, without comments; numbers digit for digit.
std::string to_json(const ConfigNode& node);

/// A JSON string with quotes. Invalid UTF-8 becomes U+FFFD.
std::string json_quote(std::string_view text);

/// Whether `text` is valid UTF-8 without control characters, so fit to be a string value.
bool is_plain_text(std::string_view text);

}  // namespace tickpipe::internal
