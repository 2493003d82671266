#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace tickpipe::internal {

/// Commands in the protocol of Redis (RESP2 arrays of bulk strings), one behind the other in one buffer that keeps its
/// memory. Arguments are strings of any bytes, or integers.
///
/// Threads: one. Cost: a copy of the arguments; no allocation once the buffer has grown.
class RedisCommands {
 public:
  /// A whole command.
  template <typename... Arguments>
  void add(const Arguments&... arguments) {
    begin(sizeof...(Arguments));
    (argument(arguments), ...);
  }

  /// A command whose number of arguments, its name included, is not known to the compiler: begin(n), n x argument().
  void begin(std::size_t arguments) {
    header('*', arguments);
    ++count_;
  }
  void argument(std::string_view text) {
    header('$', text.size());
    bytes_.append(text).append("\r\n", 2);
  }
  template <std::integral Number>
  void argument(Number number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    argument(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }

  /// How many commands, and therefore replies.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
  void clear() noexcept {
    bytes_.clear();
    count_ = 0;
  }

 private:
  void header(char kind, std::size_t number) {
    std::array<char, 24> digits{};
    digits[0] = kind;
    char* const end = std::to_chars(digits.data() + 1, digits.data() + digits.size() - 2, number).ptr;
    end[0] = '\r';
    end[1] = '\n';
    bytes_.append(digits.data(), static_cast<std::size_t>(end + 2 - digits.data()));
  }

  std::string bytes_;
  std::size_t count_ = 0;
};

}  // namespace tickpipe::internal
