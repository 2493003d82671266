#include "model/timeframe.h"

#include <charconv>

namespace tickpipe::internal {
namespace {

constexpr std::chrono::seconds kDay = std::chrono::hours{24};

}  // namespace

std::string Timeframe::name() const {
  const auto seconds = length.count();
  if (length == kOneWeek.length) return "1w";
  if (seconds % 86400 == 0) return std::to_string(seconds / 86400) + "d";
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + "h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  return std::to_string(seconds) + "s";
}

std::optional<Timeframe> parse_timeframe(std::string_view text) noexcept {
  if (text == "1w") return kOneWeek;
  if (text == "1d") return Timeframe{kDay};
  if (text.size() < 2 || text.front() < '1' || text.front() > '9') return std::nullopt;
  int count = 0;
  const char* const unit = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), unit, count);
  if (error != std::errc{} || end != unit || count > 86400) return std::nullopt;
  std::chrono::seconds length{};
  switch (*unit) {
    case 's':
      length = std::chrono::seconds{count};
      break;
    case 'm':
      length = std::chrono::minutes{count};
      break;
    case 'h':
      length = std::chrono::hours{count};
      break;
    default:
      return std::nullopt;
  }
  if (length > kDay || kDay % length != std::chrono::seconds{0}) return std::nullopt;
  return Timeframe{length};
}

}  // namespace tickpipe::internal
