#include "model/names.h"

namespace tickpipe::internal {
namespace {

constexpr std::uint8_t kAlphanumeric = 1;
constexpr std::uint8_t kLpChar = 2;
constexpr std::uint8_t kSymbolChar = 4;

constexpr std::array<std::uint8_t, 256> kCharClass = [] {
  std::array<std::uint8_t, 256> table{};
  const auto set = [&table](char c, std::uint8_t bits) { table[static_cast<unsigned char>(c)] |= bits; };
  for (char c = '0'; c <= '9'; ++c) set(c, kAlphanumeric);
  for (char c = 'A'; c <= 'Z'; ++c) set(c, kAlphanumeric);
  for (char c = 'a'; c <= 'z'; ++c) set(c, kAlphanumeric);
  for (auto& bits : table) {
    if (bits & kAlphanumeric) bits |= kLpChar | kSymbolChar;
  }
  for (const char c : {'.', '_', '-'}) set(c, kLpChar | kSymbolChar);
  for (const char c : {'/', ':'}) set(c, kSymbolChar);
  return table;
}();

constexpr std::uint8_t class_of(char c) { return kCharClass[static_cast<unsigned char>(c)]; }

}  // namespace

std::optional<Name> parse_symbol(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxNameChars) return std::nullopt;
  if (!(class_of(text.front()) & kAlphanumeric) || !(class_of(text.back()) & kAlphanumeric)) return std::nullopt;
  Name name;
  char previous = '\0';
  for (const char c : text) {
    if (!(class_of(c) & kSymbolChar)) return std::nullopt;
    if (c == previous && (c == '.' || c == '/')) return std::nullopt;
    previous = c;
    name.chars_[name.size_++] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::optional<Name> parse_lp(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxNameChars) return std::nullopt;
  Name name;
  for (const char c : text) {
    if (!(class_of(c) & kLpChar)) return std::nullopt;
    name.chars_[name.size_++] = c;
  }
  return name;
}

}  // namespace tickpipe::internal
