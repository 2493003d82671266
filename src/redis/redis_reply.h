#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tickpipe::internal {

/// What Redis answered to one command, or pushed to a subscriber.
struct RedisReply {
  enum class Type : std::uint8_t { kNil, kStatus, kError, kText, kInteger, kArray };

  Type type = Type::kNil;
  std::int64_t integer = 0;
  std::string text;  ///< of a status, an error or a string
  std::vector<RedisReply> elements;

  [[nodiscard]] bool is_nil() const noexcept { return type == Type::kNil; }
  [[nodiscard]] bool is_error() const noexcept { return type == Type::kError; }
  /// Whether it is an error of this kind, the word it begins with: `READONLY`, `OOM`, ...
  [[nodiscard]] bool is_error(std::string_view kind) const noexcept {
    return is_error() && std::string_view(text).substr(0, kind.size()) == kind;
  }
};

/// Splits a stream of bytes into replies. Throws RedisError when it is not RESP.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  void feed(std::string_view bytes);
  /// The next whole reply, if there is one.
  std::optional<RedisReply> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tickpipe::internal
