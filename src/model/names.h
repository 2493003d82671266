#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tickpipe::internal {

inline constexpr std::size_t kMaxNameChars = 32;

/// A checked symbol or LP name, held by value: no allocation, comparable, hashable.
class Name {
 public:
  constexpr Name() = default;
  [[nodiscard]] constexpr std::string_view view() const { return {chars_.data(), size_}; }
  /// All kMaxNameChars characters; those behind the name are '\0'.
  [[nodiscard]] constexpr const std::array<char, kMaxNameChars>& padded() const { return chars_; }
  friend constexpr bool operator==(const Name& a, const Name& b) { return a.chars_ == b.chars_; }

 private:
  friend std::optional<Name> parse_symbol(std::string_view text) noexcept;
  friend std::optional<Name> parse_lp(std::string_view text) noexcept;
  std::array<char, kMaxNameChars> chars_{};  // unused characters stay 0, so that == may compare all of them
  std::uint8_t size_ = 0;
};

/// A symbol: 1 to 32 of `A-Z a-z 0-9 . _ - / :`, first and last alphanumeric, without `..` or `//`; upper-cased.
std::optional<Name> parse_symbol(std::string_view text) noexcept;

/// An LP name: 1 to 32 of `A-Z a-z 0-9 . _ -`; its case is kept.
std::optional<Name> parse_lp(std::string_view text) noexcept;

}  // namespace tickpipe::internal
